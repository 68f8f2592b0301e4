"""Where built things are kept, and how they come there."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pimlico.generators.errors import ToolError

_TAIL = 25


def cache_folder() -> Path:
    """Where builds are kept: ``PIMLICO_CACHE``, or ``~/.cache/pimlico``."""
    named = os.environ.get("PIMLICO_CACHE")
    return Path(named).absolute() if named else Path.home() / ".cache" / "pimlico"


def keyed_folder(kind: str, *key: Any) -> Path:
    """The cache folder for `key`, on this machine and with this compiler."""
    content = json.dumps([*key, platform.machine(), os.environ.get("CXX"),
                          os.environ.get("CXXFLAGS")])
    return cache_folder() / kind / hashlib.sha256(content.encode()).hexdigest()[:32]


@contextmanager
def fresh_folder(final: Path) -> Iterator[Path]:
    """A folder to work in that becomes `final`, all at once, when the work is done."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=final.parent, prefix="."))
    except OSError as error:
        raise ToolError(f"cannot write to the cache folder {final.parent}: {error.strerror}; "
                        "set PIMLICO_CACHE to one that you can write") from None
    try:
        yield work
        try:
            work.rename(final)
        except OSError:
            if not final.is_dir():  # else another process was first
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def log_tail(log: Path | None) -> str:
    """The last lines of a tool's log, if there is one."""
    if log is None or not log.exists():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-_TAIL:]
    return "".join(f"\n  {line}" for line in lines)
