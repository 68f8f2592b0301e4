"""What there is: ``list``, ``show`` and ``doctor``."""

from __future__ import annotations

import typer

from .. import console, results
from .options import AsJson, BlockName, ConfigFile, Name, Preset, Settings, print_json

app = typer.Typer()


@app.command("list", epilog="Example: pimlico list --json")
def list_blocks(as_json: AsJson = False) -> None:
    """List the blocks that are installed."""
    from pimlico.generators.block import blocks

    found = [{"block": block.name, "summary": block.summary, "presets": block.preset_names}
             for block in blocks().values()]
    if as_json:
        print_json({"blocks": found})
    else:
        console.table("Blocks", ("block", "what it is", "presets"),
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
        print_json(told)
    else:
        presets = {each: read_preset(design.block, each).summary for each in told["presets"]}
        results.show(told, told["config"], bool(preset or config or settings), presets)
        if choice is not None:
            results.alternatives(choice.columns, choice.alternatives, choice.reason)


@app.command(epilog="Example: pimlico doctor")
def doctor(as_json: AsJson = False) -> None:
    """Tell which tools were found, their versions, and how to get what is missing."""
    from pimlico.sim import doctor as tools

    result = tools.report()
    if as_json:
        print_json(result)
    else:
        results.diagnosed(result)
