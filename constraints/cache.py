"""Where results of synthesis are kept, by all that decides them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pimlico.hdl.common.config import ConfigError


def cache_folder() -> Path:
    """Where results are kept: ``PIMLICO_CACHE``, or ``~/.cache/pimlico``."""
    return Path(os.environ.get("PIMLICO_CACHE") or Path.home() / ".cache" / "pimlico")


def result_file(kind: str, packages: list[str], *key: Any) -> Path:
    """The file for what `key`, the `packages` as installed, and this folder's source make.

    Raises
    ------
    ConfigError
        If the cache cannot be written.
    """
    folder = cache_folder() / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError("PIMLICO_CACHE", cache_folder(), "be a folder that can be written",
                          f"it gave: {error.strerror}") from None
    parts = [*key, _flow(), {package: _version(package) for package in packages}]
    name = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    return folder / f"{name}.json"


def store(path: Path, result: dict[str, Any]) -> None:
    """Write `result` to `path`, all at once."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump(result, file)
    os.replace(file.name, path)


@cache
def _flow() -> str:
    """This folder's own source, for it decides the figures as much as the tools do."""
    here = Path(__file__).parent
    files = sorted([*here.glob("*.py"), *here.glob("cells/*.v")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
