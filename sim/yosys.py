"""Yosys at work in a process of its own, since a failed assertion inside Yosys ends the process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pimlico.generators.errors import ToolError

from .cache import log_tail
from .tools import require

DONE = "done"
"""The file to which a module that takes long adds an octet for each step."""

_LOOK_EVERY = 0.2


def call_yosys(module: str, folder: Path, result: str, purpose: str,
               progress: Callable[[int], object] = lambda done: None) -> Path:
    """Run ``python -m module FOLDER``, and return the path of the file `result` that it leaves.

    `progress` is called now and then with the number of steps in the file `DONE`.

    Raises
    ------
    ToolError
        If pyosys is missing, or the module ends without its result; the message says that Yosys
        could not do what `purpose` says.
    """
    require("pyosys")
    path, log, done = folder / result, folder / "yosys.log", folder / DONE
    path.unlink(missing_ok=True)
    done.write_bytes(b"")
    with log.open("w") as out, subprocess.Popen(
            [sys.executable, "-m", module, str(folder)], stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT) as run:
        try:
            while run.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    run.wait(_LOOK_EVERY)
                progress(done.stat().st_size)
        except BaseException:
            run.kill()
            raise
    if run.returncode or not path.exists():
        raise ToolError(f"Yosys could not {purpose}{log_tail(log)}")
    return path
