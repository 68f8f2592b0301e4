"""What leaves files: ``generate`` and ``pack``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError

from .. import console, results
from .options import AsJson, BlockName, ConfigFile, Name, Preset, Settings, print_json

app = typer.Typer()


@app.command(epilog="Example: pimlico generate ternary-gemm --preset best-int8 --out out/")
def generate(out: Annotated[Path, typer.Option(
                 "--out", metavar="DIR", help="Folder to write to; made if it is not there.")],
             block: BlockName = None, preset: Preset = None, config: ConfigFile = None,
             settings: Settings = None, name: Name = None,
             reset: Annotated[Literal["high", "active-low"], typer.Option(
                 "--reset", help="Reset pin: rst, or aresetn active low.")] = "high",
             axil: Annotated[bool, typer.Option(
                 "--axil", help="Add a second top with commands, replies and status in AXI4-Lite "
                                "registers, and its register map.")] = False,
             keep: Annotated[list[str] | None, typer.Option(
                 "--keep", metavar="PORT", help="A narrow port that --axil leaves as it is, "
                                                "repeatable.", show_default=False)] = None,
             as_json: AsJson = False) -> None:
    """Write a core's Verilog with its testbench, manifest, datasheet and build files."""
    from pimlico.generators import deliver

    if keep and not axil:
        raise ConfigError("--keep", ", ".join(keep), "go with --axil", "add --axil")
    design = load(block, preset=preset, config=config, settings=settings or (), name=name)
    result = deliver.generate(design.block, design.config, out, design.name, reset, axil,
                              keep or ())
    if as_json:
        print_json(result)
    else:
        results.generated(result)


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
        print_json(result)
    else:
        console.table(f"Packed {tensor} into {out}", ("figure", "value"), [
            ("rows × columns", f"{result['m']} × {result['n']}"),
            ("type", f"{result['tensor_type']} to {result['format']}"),
            ("scale", f"{result['scale']:g}"),
            ("beats", f"{result['beats']} of {result['beat_bytes']} bytes")])
