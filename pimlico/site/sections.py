"""What the site says of each block, as plain values for its template."""

from __future__ import annotations

from inspect import getfile
from pathlib import Path
from typing import Any

from pimlico.generators import diagram, waveform
from pimlico.generators.block import Block, blocks
from pimlico.generators.load import read_preset
from pimlico.generators.manifest import describe_ports
from pimlico.generators.vectors import record
from pimlico.hdl.common.config import BlockConfig
from pimlico.verif.testplan import Testplan

from . import plots
from .collect import Results, outcome

_TIMED = 2000
"""Cycles in which a good place for the timing diagram is looked for."""


def section(block: Block, results: Results, outcomes: dict[str, str] | None) -> dict[str, Any]:
    """One block: parameters, presets, ports, drawings, figures, plots and verification.

    Parameters
    ----------
    block : Block
    results : dict
        Of `read_results`.
    outcomes : dict, optional
        Of `read_tests`.
    """
    config = block.config()
    found = results.get(block.name, {})
    synths = found.get("synth", [])
    return {
        "name": block.name, "summary": block.summary,
        "parameters": _parameters(block, config),
        "presets": [{"name": name, "summary": read_preset(block, name).summary}
                    for name in block.preset_names],
        "ports": describe_ports(config),
        "latency": config.latency, "interval": config.interval, "facts": config.facts,
        "diagram": diagram.draw(block.name, config, diagram.stages(block, config)),
        "timing": waveform.draw(block.name, config, record(block, config, _TIMED)),
        "synth": [{**result, "label": label(result)} for result in synths],
        "plots": _plots(synths),
        "verify": [_lockstep(result) for result in found.get("verify", [])],
        "prove": [{**result, "label": label(result)} for result in found.get("prove", [])],
        "mutate": [{**result, "label": label(result)} for result in found.get("mutate", [])],
        "build": [{**result, "label": label(result)} for result in found.get("build", [])],
        "testplan": _testplan(block, outcomes),
    }


def sections(results: Results, outcomes: dict[str, str] | None) -> list[dict[str, Any]]:
    """All blocks that are installed."""
    return [section(block, results, outcomes) for block in blocks().values()]


def label(result: dict[str, Any]) -> str:
    """How a result's configuration was named: its preset and what was set."""
    settings = result.get("settings") or []
    return ", ".join([result.get("preset") or "defaults", *settings])


def _parameters(block: Block, config: BlockConfig) -> list[dict[str, Any]]:
    schema = block.config.model_json_schema()["properties"]
    values = config.model_dump(mode="json")
    return [{"name": name, "default": values[name], "meaning": field.get("description", "")}
            for name, field in schema.items()]


def _plots(synths: list[dict[str, Any]]) -> list[dict[str, str]]:
    """How full the devices are; and throughput against area, where there is more than one."""
    drawn = []
    targets = list(dict.fromkeys(result["target"] for result in synths))
    for target in targets:
        named = [(label(result), result) for result in synths if result["target"] == target]
        if target in plots.DEVICES:
            drawn.append({"title": f"Utilisation, {target}",
                          "svg": plots.utilisation(target, named)})
        area, unit = ("transistors", "transistors") if target == "cmos" else ("lut", "LUT")
        points = [(name, float(result[area]), float(result["macs"])) for name, result in named
                  if result.get("macs") and result.get(area)]
        if len(points) > 1:
            drawn.append({"title": f"Throughput and area, {target}",
                          "svg": plots.pareto(points, unit, "MAC a cycle")})
    return drawn


def _lockstep(result: dict[str, Any]) -> dict[str, Any]:
    return {"label": label(result), "passed": result["passed"], "seed": result["seed"],
            "netlist": result.get("netlist"),
            "runs": [{"simulator": name, **run} for name, run in result["simulators"].items()]}


def _testplan(block: Block, outcomes: dict[str, str] | None) -> list[dict[str, Any]]:
    """The points of the family's plan, each with what became of its tests."""
    path = Path(getfile(block.load("cycles"))).with_name("testplan.yaml")
    if not path.is_file():
        return []
    return [{"name": point.name, "shows": point.shows, "stage": point.stage,
             "tests": len(point.tests), "outcome": outcome(point.tests, outcomes)}
            for point in Testplan.load(path).points]
