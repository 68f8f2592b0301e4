"""What holds: ``verify``, ``prove`` and ``mutate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pimlico.generators.load import Design, load

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

if TYPE_CHECKING:
    from pimlico.constraints.netlist import Netlist

app = typer.Typer()


@app.command(epilog="Example: pimlico verify ternary-gemm --preset best-int8 --sim both")
def verify(block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
           settings: Settings = None, name: Name = None,
           sim: Annotated[Literal["verilator", "icarus", "both"], typer.Option(
               "--sim", help="Simulator.")] = "verilator",
           cycles: Annotated[int, typer.Option(
               "--cycles", min=1, help="Clock cycles to run.")] = 20_000,
           seed: Annotated[int | None, typer.Option(
               "--seed", min=0, help="Repeat a run; drawn at random otherwise.")] = None,
           waves: Annotated[bool, typer.Option(
               "--waves", help="Write waves, pimlico_NAME.fst, into this folder.")] = False,
           netlist: Annotated[Literal["cmos", "ecp5", "ice40", "gowin", "nexus", "xcup"] | None,
                              typer.Option("--netlist", show_default=False, help=(
                                  "Run the core as synthesised for this technology."))] = None,
           verbose: Verbose = False, as_json: AsJson = False) -> None:
    """Run a core against its cycle model, every output compared on every cycle."""
    from pimlico.sim import verify as bench

    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    mapped = None if netlist is None else _synthesised(design, netlist, verbose)
    with console.progress() as progress:
        result = bench.verify(
            design.block, design.config,
            simulators=("verilator", "icarus") if sim == "both" else (sim,),
            cycles=cycles, seed=seed, name=design.name, verbose=verbose, progress=progress,
            waves=Path(f"pimlico_{design.name}.fst") if waves else None, design=mapped)
    if mapped is not None:
        result |= {"netlist": mapped.target, "cells": mapped.cells,
                   "behavioural": mapped.behavioural, "notes": mapped.notes + result["notes"]}
    if as_json:
        print_result("verify", design, preset, settings, result)
    else:
        results.verified(result)
    end(result["passed"])


def _synthesised(design: Design, target: str, verbose: bool) -> Netlist:
    from pimlico.constraints.netlist import synthesise
    from pimlico.generators.verilog import emit

    with console.status() as tell:
        tell("writing Verilog")
        emitted = emit(design.block, design.config, design.name)
        return synthesise(emitted, target, progress=tell, verbose=verbose)


@app.command(epilog="Example: pimlico prove ternary-gemm --set keys=4")
def prove(block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
          settings: Settings = None, name: Name = None, verbose: Verbose = False,
          as_json: AsJson = False) -> None:
    """Prove a core's formal properties."""
    from pimlico.sim import prove as formal

    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    with console.progress() as progress:
        result = formal.prove(design.block, design.config, verbose=verbose, progress=progress)
    if as_json:
        print_result("prove", design, preset, settings, result)
    else:
        results.proved(result)
    end(result["passed"])


@app.command(epilog="Example: pimlico mutate ternary-gemm --preset tiny --count 300")
def mutate(block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
           settings: Settings = None, name: Name = None,
           count: Annotated[int, typer.Option(
               "--count", min=1, help="Mutants to make.")] = 200,
           cycles: Annotated[int, typer.Option(
               "--cycles", min=1, help="Clock cycles of stimulus.")] = 50_000,
           seed: Annotated[int | None, typer.Option(
               "--seed", min=0, help="Repeat a run; drawn at random otherwise.")] = None,
           least: Annotated[float, typer.Option(
               "--least", min=0, max=100, metavar="PERCENT",
               help="Exit code 1 if fewer of the mutants are killed.")] = 95.0,
           as_json: AsJson = False) -> None:
    """Count the small faults of a core that its bench finds, and list those that survive."""
    from pimlico.sim.mutate import score

    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    with console.progress() as progress:
        result = score(design.block, design.config, name=design.name, count=count, cycles=cycles,
                       seed=seed, progress=progress)
    if as_json:
        print_result("mutate", design, preset, settings, result)
    else:
        results.mutated(result)
    end(result["score"] is None or result["score"] >= least)
