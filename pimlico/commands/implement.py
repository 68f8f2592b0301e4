"""What it costs on a technology: ``synth``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError

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


@app.command(epilog="Example: pimlico synth ternary-gemm --preset bitnet-2b4t --target ecp5 --pnr")
def synth(target: Annotated[Literal["cmos", "ecp5", "ice40", "gowin", "nexus", "xcup"],
                            typer.Option("--target", help="Technology.")],
          block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
          settings: Settings = None, name: Name = None,
          pnr: Annotated[bool, typer.Option(
              "--pnr", help="Place and route too, for Fmax: ecp5, ice40 and gowin.")] = False,
          seeds: Annotated[int, typer.Option(
              "--seeds", min=1, help="Runs of nextpnr; Fmax is their median.")] = 3,
          clock: Annotated[float | None, typer.Option(
              "--clock", metavar="MHZ",
              help="Clock to reach, with --pnr; exit code 1 if it is missed.")] = None,
          verbose: Verbose = False, as_json: AsJson = False) -> None:
    """Count a core's area, and with --pnr its speed, on a target."""
    from pimlico.constraints.synth import synthesise
    from pimlico.generators.verilog import emit

    if clock is not None and not pnr:
        raise ConfigError("--clock", f"{clock:g}", "go with --pnr", "add --pnr")
    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    with console.status() as tell:
        tell("writing Verilog")
        emitted = emit(design.block, design.config, design.name)
        result = synthesise(emitted.text, emitted.top, target, pnr=pnr, seeds=seeds,
                            clock_mhz=clock, progress=tell, verbose=verbose)
    macs = getattr(design.config, "macs", None)
    size = (result["transistors"] if target == "cmos"
            else result["lut"] + (result.get("lutram") or 0))
    result |= {"macs": macs, "per_mac": round(size / macs, 2) if macs else None}
    if as_json:
        print_result("synth", design, preset, settings, result)
    else:
        results.synthesised(result)
    end(result["timing_met"] is not False)
