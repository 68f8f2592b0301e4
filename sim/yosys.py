"""Yosys at work in a process of its own, since a failed assertion inside Yosys ends the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pimlico.generators.errors import ToolError

from .cache import log_tail
from .tools import require


def call_yosys(module: str, folder: Path, result: str, purpose: str) -> Path:
    """Run ``python -m module FOLDER``, and return the path of the file `result` that it leaves.

    Raises
    ------
    ToolError
        If pyosys is missing, or the module ends without its result; the message says that Yosys
        could not do what `purpose` says.
    """
    require("pyosys")
    path, log = folder / result, folder / "yosys.log"
    path.unlink(missing_ok=True)
    with log.open("w") as out:
        run = subprocess.run([sys.executable, "-m", module, str(folder)],
                             stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                             check=False)
    if run.returncode or not path.exists():
        raise ToolError(f"Yosys could not {purpose}{log_tail(log)}")
    return path
