"""What ``pimlico doctor`` tells: which tools are here, and how to get the others."""

from __future__ import annotations

import platform
from typing import Any

from .cache import cache_folder
from .tools import TOOLS


def report() -> dict[str, Any]:
    """The state of every tool.

    Returns
    -------
    dict
        ``python`` (version), ``cache`` (folder of builds), ``complete`` (nothing is missing) and
        ``tools``: a list of dicts with the keys ``name``, ``purpose``, ``found``, ``version``,
        ``path`` and ``get``; version and path are None for a missing tool.
    """
    tools = []
    for tool in TOOLS.values():
        path = tool.path()
        tools.append({
            "name": tool.name,
            "purpose": tool.purpose,
            "found": path is not None,
            "version": None if path is None else tool.version(path),
            "path": None if path is None else str(path),
            "get": tool.get,
        })
    return {
        "python": platform.python_version(),
        "cache": str(cache_folder()),
        "complete": all(tool["found"] for tool in tools),
        "tools": tools,
    }
