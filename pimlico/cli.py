"""The command line. Each command parses, calls one function, and prints what it returns."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pimlico.generators.errors import ToolError
from pimlico.hdl.common.config import ConfigError

from . import __version__
from .commands import build, check, describe, implement, make, present


class _Commands(TyperGroup):
    """Turns the errors of a user's making into one line on stderr and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        except ToolError as error:
            typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2)


app = typer.Typer(cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="Verified hardware generators for LLM-accelerator blocks.\n\n"
                       "Exit codes: 0 it holds, 1 it ran and does not hold, 2 bad input or a "
                       "missing tool.")
for part in (describe, make, check, implement, build, present):
    app.add_typer(part.app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pimlico {__version__}")
        raise typer.Exit


@app.callback()
def _options(version: Annotated[bool, typer.Option(
        "--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    pass


def main() -> None:
    """Entry point of ``pimlico``."""
    # As an exception, so that what was begun is cleaned up.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    app()
