"""The command line. Each command parses, calls one function, and prints what it returns."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from pimlico.generators.errors import ToolError
from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError

from . import __version__, report


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


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pimlico {__version__}")
        raise typer.Exit


@app.callback()
def _options(version: Annotated[bool, typer.Option(
        "--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    pass


@app.command("list", epilog="Example: pimlico list --json")
def list_blocks(as_json: AsJson = False) -> None:
    """List the blocks that are installed."""
    from pimlico.generators.block import blocks

    found = [{"block": block.name, "summary": block.summary, "presets": block.preset_names}
             for block in blocks().values()]
    if as_json:
        _print_json({"blocks": found})
    else:
        report.table("Blocks", ("block", "what it is", "presets"),
                     [(entry["block"], entry["summary"], ", ".join(entry["presets"]))
                      for entry in found])


@app.command(epilog="Example: pimlico show ternary-gemm --preset tiny")
def show(block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
         settings: Settings = None, name: Name = None, as_json: AsJson = False) -> None:
    """Show a block's parameters, presets, ports and latency, under the given configuration.

    With a cost model of the block, what the parameters left to it could be, and cost.
    """
    from pimlico.generators.load import read_preset, schema, typed
    from pimlico.generators.manifest import describe_ports

    read = typed(block, preset=preset, config=config, settings=settings or (), name=name)
    design, choice = read.design(), read.choice()
    told = {
        "block": design.block.name, "summary": design.block.summary,
        "parameters": design.block.config.model_json_schema(),
        "presets": design.block.preset_names,
        "config": design.config.model_dump(mode="json"),
        "ports": describe_ports(design.config),
        "latency": design.config.latency, "interval": design.config.interval,
        "facts": design.config.facts, "file_schema": schema(design.block),
    }
    if choice is not None:
        told |= {"alternatives": choice.alternatives, "reason": choice.reason,
                 "estimate": choice.estimate}
    if as_json:
        _print_json(told)
    else:
        presets = {each: read_preset(design.block, each).summary for each in told["presets"]}
        report.show(told, told["config"], bool(preset or config or settings), presets)
        if choice is not None:
            report.alternatives(choice.columns, choice.alternatives, choice.reason)


@app.command(epilog="Example: pimlico generate ternary-gemm --preset best-int8 --out out/")
def generate(out: Annotated[Path, typer.Option(
                 "--out", metavar="DIR", help="Folder to write to; made if it is not there.")],
             block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
             settings: Settings = None, name: Name = None,
             reset: Annotated[Literal["high", "active-low"], typer.Option(
                 "--reset", help="Reset pin: rst, or aresetn active low.")] = "high",
             as_json: AsJson = False) -> None:
    """Write a core's Verilog with its testbench, manifest, datasheet and build files."""
    from pimlico.generators import deliver

    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    result = deliver.generate(design.block, design.config, out, design.name, reset)
    if as_json:
        _print_json(result)
    else:
        report.generated(result)


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
           verbose: Verbose = False, as_json: AsJson = False) -> None:
    """Run a core against its cycle model, every output compared on every cycle."""
    from pimlico.sim import verify as bench

    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    with report.progress() as progress:
        result = bench.verify(
            design.block, design.config,
            simulators=("verilator", "icarus") if sim == "both" else (sim,),
            cycles=cycles, seed=seed, name=design.name, verbose=verbose, progress=progress,
            waves=Path(f"pimlico_{design.name}.fst") if waves else None)
    if as_json:
        _print_json(result)
    else:
        report.verified(result)
    _end(result["passed"])


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
    with report.status() as tell:
        tell("writing Verilog")
        emitted = emit(design.block, design.config, design.name)
        result = synthesise(emitted.text, emitted.top, target, pnr=pnr, seeds=seeds,
                            clock_mhz=clock, progress=tell, verbose=verbose)
    macs = getattr(design.config, "macs", None)
    size = (result["transistors"] if target == "cmos"
            else result["lut"] + (result.get("lutram") or 0))
    result |= {"macs": macs, "per_mac": round(size / macs, 2) if macs else None}
    if as_json:
        _print_json(result)
    else:
        report.synthesised(result)
    _end(result["timing_met"] is not False)


@app.command(epilog="Example: pimlico prove ternary-gemm --set keys=4")
def prove(block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
          settings: Settings = None, name: Name = None, verbose: Verbose = False,
          as_json: AsJson = False) -> None:
    """Prove a core's formal properties."""
    from pimlico.sim import prove as formal

    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    with report.progress() as progress:
        result = formal.prove(design.block, design.config, verbose=verbose, progress=progress)
    if as_json:
        _print_json(result)
    else:
        report.proved(result)
    _end(result["passed"])


@app.command(epilog="Example: pimlico pack model.gguf --tensor blk.0.ffn_down.weight "
                    "--out weights.bin")
def pack(gguf: Annotated[Path, typer.Argument(
             metavar="FILE.gguf", help="A GGUF model.", show_default=False)],
         tensor: Annotated[str, typer.Option(
             "--tensor", metavar="NAME", help="A TQ1_0 or TQ2_0 tensor of the file.")],
         out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write.")],
         preset: Preset = None, config: ConfigFile = None, settings: Settings = None,
         as_json: AsJson = False) -> None:
    """Pack a ternary tensor of a GGUF model into the weight beats of a ternary-gemm core."""
    from pimlico.generators import pack as packer
    from pimlico.hdl.ternary.config import TernaryConfig

    design = load("ternary-gemm", preset=preset, config=config, settings=settings or ())
    assert isinstance(design.config, TernaryConfig)
    result = packer.pack(gguf, tensor, design.config, out)
    if as_json:
        _print_json(result)
    else:
        report.table(f"Packed {tensor} into {out}", ("figure", "value"), [
            ("rows × columns", f"{result['m']} × {result['n']}"),
            ("type", f"{result['tensor_type']} to {result['format']}"),
            ("scale", f"{result['scale']:g}"),
            ("beats", f"{result['beats']} of {result['beat_bytes']} bytes")])


@app.command(epilog="Example: pimlico doctor")
def doctor(as_json: AsJson = False) -> None:
    """Tell which tools were found, their versions, and how to get what is missing."""
    from pimlico.sim import doctor as tools

    result = tools.report()
    if as_json:
        _print_json(result)
    else:
        report.diagnosed(result)


def main() -> None:
    """Entry point of ``pimlico``."""
    # As an exception, so that what was begun is cleaned up.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    app()


def _print_json(result: dict[str, Any]) -> None:
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))


def _end(holds: bool) -> None:
    raise typer.Exit(0 if holds else 1)
