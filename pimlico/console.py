"""What people see: tables on stdout, progress on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

Report = Callable[[str, int, int], None]

def out() -> Console:
    """Where results go."""
    return Console(highlight=False)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; columns whose every cell is a number are right-aligned."""
    drawn = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], (int, float)) for row in rows)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, str) else figure(cell) for cell in row))
    out().print(drawn)


@contextmanager
def progress() -> Iterator[Report]:
    """A function that shows what is being done, how much of it is done and of how much.

    Bars appear on a terminal only.
    """
    console = Console(stderr=True)
    bars = Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
                    TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(),
                    console=console, transient=True, disable=not console.is_terminal)
    tasks: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(escape(what), total=total)
        bars.update(tasks[what], completed=done, total=total)

    with bars:
        yield report


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A function that says what is being done; a spinner turns beside it on a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: None
        return
    with console.status("") as spinner:
        yield lambda text: spinner.update(escape(text))


def figure(value: object) -> str:
    """A value as a table shows it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ") if abs(value) >= 10_000 else str(value)
    if isinstance(value, list):
        return ", ".join(map(figure, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
