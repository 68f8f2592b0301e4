"""What the examples of the bit-sliced array share on the command line: options, checks, marks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.table import Table

from pimlico.console import progress
from pimlico.generators.errors import ToolError
from pimlico.hdl.common.config import ConfigError
from pimlico.sim.runner import Simulator

Tell = Callable[[str, int, int], object]
Result = dict[str, Any]

MARK = {True: "[green]yes[/green]", False: "[bold red]NO[/bold red]"}


def parser(about: str | None, seed_of: str) -> argparse.ArgumentParser:
    """Options that all have: ``--json``, ``--seed``, ``--plot``, ``--sim``."""
    made = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    made.add_argument("--seed", type=partial(count, least=0), default=0, help=f"of {seed_of}")
    made.add_argument("--plot", type=Path, metavar="FILE", help="draw a plot; the suffix "
                      "chooses the format")
    made.add_argument("--sim", choices=get_args(Simulator), default="icarus",
                      help="simulator (%(default)s); verilator builds longer and runs faster")
    return made


def count(text: str, least: int = 1) -> int:
    """An integer of an option, at least `least`."""
    if (number := int(text)) < least:
        raise argparse.ArgumentTypeError(f"at least {least} is needed, not {text}")
    return number


def finish(options: argparse.Namespace, work: Callable[[Tell], Result],
           tables: Callable[[Result], Sequence[Table | str]]) -> int:
    """Do the work under a progress bar, print what it gave, and return the exit code.

    Parameters
    ----------
    options : Namespace
    work : callable
        Its result has ``correct``, ``failure`` (text or None), ``seed`` and ``seconds``.
    tables : callable
        What to print of a result.

    Returns
    -------
    int
        0 all correct, 1 something is not, 2 bad input or a missing tool.
    """
    try:
        if options.plot:
            check_plot(options.plot)
        with progress() as tell:
            result = work(tell)
    except (ConfigError, ToolError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(result, indent=2))
        return 0 if result["correct"] else 1
    console = Console(width=max(104, Console().width), highlight=False)
    for each in tables(result):
        console.print(each, markup=False) if isinstance(each, str) else console.print(each)
    if result["failure"]:
        console.print(result["failure"], markup=False)
    verdict = "all correct" if result["correct"] else "[bold red]NOT CORRECT[/bold red]"
    console.print(f"{verdict}, seed {result['seed']}, {result['seconds']:.0f} s")
    return 0 if result["correct"] else 1


def check_plot(path: Path) -> None:
    """Refuse a plot that cannot be written, before the time that it waits for.

    Raises
    ------
    ToolError
    """
    if not find_spec("matplotlib"):
        raise ToolError("the plot needs matplotlib; pip install 'pimlico[figures]'")
    from matplotlib.figure import Figure
    if path.suffix[1:] not in Figure().canvas.get_supported_filetypes():
        raise ToolError(f"a plot cannot be written as {path.name}; name a file .png, .svg or .pdf")
    if not path.parent.is_dir():
        raise ToolError(f"there is no folder {path.parent} for the plot")


def prefixed(tell: Tell, label: str) -> Tell:
    """`tell`, with a label before what it is told."""
    return lambda step, done, total: tell(f"{label}: {step}", done, total)


def titled(title: str, *columns: str) -> Table:
    """A table whose first column is of names and whose others are of numbers."""
    drawn = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        drawn.add_column(column, justify="right" if number else "left", no_wrap=True)
    return drawn


def grouped(value: int) -> str:
    """Digits in threes."""
    return f"{value:,}".replace(",", " ")
