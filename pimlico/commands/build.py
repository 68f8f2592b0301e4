"""What goes onto a board: ``build``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pimlico.generators.load import load

from .. import console, results
from .options import (
    AsJson,
    BlockName,
    ConfigFile,
    Name,
    Preset,
    Settings,
    Verbose,
    end,
    print_result,
)

app = typer.Typer()


@app.command(epilog="Example: pimlico build ternary-gemm --preset tiny --board icebreaker "
                    "--out out/")
def build(board: Annotated[str, typer.Option(
              "--board", metavar="NAME",
              help="Board: ulx3s-85f, ecpix-5, icebreaker or tang-nano-9k.")],
          out: Annotated[Path, typer.Option(
              "--out", metavar="DIR", help="Folder to write to; made if it is not there.")],
          block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
          settings: Settings = None, name: Name = None,
          divide: Annotated[int | None, typer.Option(
              "--divide", help="Divide the board's clock by 1, 2, 4, 8 or 16.",
              show_default=False)] = None,
          baud: Annotated[int | None, typer.Option(
              "--baud", min=1, help="Rate of the UART; the fastest that the clock gives exactly, "
              "up to a million, otherwise.", show_default=False)] = None,
          seed: Annotated[int, typer.Option(
              "--seed", min=1, help="Seed of nextpnr, where another placement may be faster.")] = 1,
          verbose: Verbose = False, as_json: AsJson = False) -> None:
    """Make a bitstream of a core behind a UART, which pimlico.host drives.

    Exit code 1, and nothing written, if the core misses the clock.
    """
    from pimlico.constraints import build as flow

    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    with console.status() as tell:
        result = flow.build(design.block, design.config, design.name, board, out, divide=divide,
                            baud=baud, seed=seed, progress=tell, verbose=verbose)
    if as_json:
        print_result("build", design, preset, settings, result)
    else:
        results.built(result)
    end(result["timing_met"])
