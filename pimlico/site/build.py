"""The static site of the library: ``pimlico report``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from pimlico.generators.block import blocks
from pimlico.generators.deliver import write_all
from pimlico.generators.errors import ToolError

from .. import __version__
from .collect import read_results, read_tests
from .sections import section

Progress = Callable[[str, int, int], object]


def build(out: Path, results: Path | None = None, tests: Path | None = None,
          progress: Progress | None = None) -> dict[str, Any]:
    """Write the page ``index.html``, which needs no other file, into the folder `out`.

    Parameters
    ----------
    out : Path
        Made if it is not there.
    results : Path, optional
        A folder of what commands printed with ``--json``, in files of any name ``*.json``.
    tests : Path, optional
        A file of ``pytest --junitxml``, for the state of the testplans.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    dict
        ``page``, the path, ``blocks``, the number of blocks on it, and ``results``, that of the
        results.

    Raises
    ------
    ConfigError
        If `results` or `tests` cannot be read as such, or `out` not be written.
    ToolError
        If a library is missing.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise ToolError("jinja2 is missing; get it with: pip install 'pimlico[report]'"
                        ) from None
    report = progress or (lambda what, done, total: None)
    found, outcomes = read_results(results), read_tests(tests)
    known = blocks()
    shown = []
    for number, block in enumerate(known.values()):
        report("blocks", number, len(known))
        shown.append(section(block, found, outcomes))
    report("blocks", len(known), len(known))
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)
    template = environment.from_string(
        files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    text = template.render(blocks=shown, version=__version__, tested=outcomes is not None)
    page, = write_all(out, {"index.html": text})
    return {"page": str(page), "blocks": len(shown),
            "results": sum(len(each) for kinds in found.values() for each in kinds.values())}
