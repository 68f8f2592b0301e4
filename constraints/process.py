"""Runs a tool's process: passes its log on, and turns its death into one clear error."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from pimlico.generators.errors import ToolError

LOG_LINES = 6


def need(module: str, extra: str) -> None:
    """Check that a package of an optional extra is there.

    Raises
    ------
    ToolError
        If it is not; the message has the command that installs it.
    """
    if find_spec(module) is None:
        raise ToolError(f"{module} is not installed: pip install 'pimlico[{extra}]'")


def run(name: str, arguments: Sequence[str], folder: Path, result: str,
        line: Callable[[str], None] | None = None, verbose: bool = False) -> Path:
    """Run Python with `arguments` in `folder`.

    Parameters
    ----------
    name : str
        The tool, for the error.
    result : str
        File in `folder` that the tool leaves; its exit code alone proves nothing.
    line : callable, optional
        Sees every line of the log.
    verbose : bool
        Copy the log to standard error.

    Raises
    ------
    ToolError
        If the process fails or leaves no result: what it said last.
    """
    last: deque[str] = deque(maxlen=LOG_LINES)
    errors = []
    with subprocess.Popen([sys.executable, *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as process:
        assert process.stdout is not None
        try:
            for text in process.stdout:
                if text.strip():
                    last.append(text.rstrip())
                if text.startswith("ERROR"):
                    errors.append(text.strip())
                if verbose:
                    sys.stderr.write(text)
                if line is not None:
                    line(text)
        except BaseException:
            process.kill()
            raise
    if process.returncode or not (folder / result).exists():
        cause = errors[0] if errors else _death(process.returncode)
        told = [text for text in last if text != cause]
        raise ToolError("\n    ".join([f"{name} failed: {cause}", *told]))
    return folder / result


def _death(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}" if code else "it ended without a result"
