"""Arguments and options that several commands share, and how a command ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pimlico.generators.load import Design

BlockName = Annotated[str | None, typer.Argument(
    metavar="BLOCK", show_default=False,
    help="A block, as `pimlico list` names it; may be left out where FILE.yaml names it.")]
Preset = Annotated[str | None, typer.Option(
    "--preset", metavar="NAME", help="Start from a preset of the block.")]
ConfigFile = Annotated[Path | None, typer.Option(
    "--config", metavar="FILE.yaml", help="Start from a file of parameters.")]
Settings = Annotated[list[str] | None, typer.Option(
    "--set", metavar="KEY=VALUE", help="Set a parameter; repeatable, wins over file and preset.")]
Name = Annotated[str | None, typer.Option(
    "--name", metavar="NAME", help="Name of the emitted top module, without its prefix pimlico_.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Verbose = Annotated[bool, typer.Option(
    "--verbose", "-v", help="Show the tools' own output, on stderr.")]


def print_result(command: str, design: Design, preset: str | None,
                 settings: Sequence[str] | None, result: dict[str, Any]) -> None:
    """Print the object of ``--json``, with what was run on what, for ``pimlico report``."""
    print_json({"command": command, "block": design.block.name, "preset": preset,
                "settings": list(settings or ()), **result})


def print_json(result: dict[str, Any]) -> None:
    """Print the one object of ``--json``."""
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))


def end(holds: bool) -> None:
    """End the command: exit code 0 if what it ran holds, 1 if not."""
    raise typer.Exit(0 if holds else 1)
