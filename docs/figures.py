"""Writes the drawings of docs/img as `pimlico generate` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from pimlico.generators import waveform
from pimlico.generators.block import find
from pimlico.generators.deliver import deliverables
from pimlico.generators.load import load
from pimlico.generators.vectors import Cycle, record
from pimlico.hdl.ascon.config import AsconConfig
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.hdl.kv.config import KvConfig
from pimlico.hdl.omap.config import OmapConfig
from pimlico.hdl.pim.commands import Op
from pimlico.hdl.pim.config import PimConfig

FOLDER = Path(__file__).parent / "img"
PRESETS = {"ternary-gemm": "best-int8", "kv-history": "ecp5-256", "omap-controller": "one-line",
           "ascon-aead128": "compact", "bitslice-array": "elmoe3d", "pim-bank": "ecp5-int8",
           "pim-channel": "neupims"}
"""The preset that a block's page shows."""


def figures() -> dict[str, str]:
    """Every drawing by file name."""
    drawn = {}
    for name, preset in PRESETS.items():
        design = load(name, preset=preset)
        top = f"pimlico_{name.replace('-', '_')}"
        files = deliverables(design.block, design.config)
        drawn[f"{name}.svg"] = files[f"{top}.svg"]
        if isinstance(design.config, AsconConfig):
            continue  # its page has the timing in letters
        if isinstance(design.config, PimConfig):
            if design.config.banks == 1:
                drawn[f"{name}-timing.svg"] = _draw_read(top, design.config)
            continue
        if isinstance(design.config, KvConfig):
            trace = record(design.block, design.config, 256)
            timing = _draw(top, design.config, trace)
        elif isinstance(design.config, OmapConfig):
            # fewer pages take the same cycles, after a shorter init
            few = load(name, preset=preset, settings=["log2_pages=6", "capacity=128"])
            assert isinstance(few.config, OmapConfig)
            timing = _draw_operation(top, few.config, record(few.block, few.config, 256))
        elif isinstance(design.config, BitsliceConfig):
            # few PEs, whose latency fits a drawing
            few = load(name, settings=["rows=2", "cols=2", "max_k=8", "sum_stages=1"])
            timing = deliverables(few.block, few.config)[f"{top}_timing.svg"]
        else:
            timing = files[f"{top}_timing.svg"]
        drawn[f"{name}-timing.svg"] = timing
    return drawn


def _draw(top: str, config: KvConfig, trace: Sequence[Cycle]) -> str:
    """The first place with a held row between two fresh ones, at full rate."""
    mask, fresh, kv = map(config.port, ("mask", "fresh", "kv"))

    def here(at: int) -> bool:
        held, behind = trace[at], trace[at + config.beats]
        return (held.moves(mask) and not held.inputs["mask_payload"] and behind.moves(mask)
                and trace[at - 1].moves(fresh) and behind.moves(fresh)
                and all(cycle.moves(kv) for cycle in trace[at - 3:at + config.beats]))

    at = next(at for at in range(3, len(trace) - config.beats) if here(at))
    drawn = waveform.draw(top, config, trace[at - 3:at + config.latency + 4])
    assert drawn is not None
    return drawn


def _draw_read(top: str, config: PimConfig) -> str:
    """The first RD whose column comes at once."""
    trace = record(find("pim-bank"), config, 4096)
    cmd, rdata = config.port("cmd"), config.port("rdata")

    def here(at: int) -> bool:
        return (trace[at].moves(cmd) and trace[at + config.latency].moves(rdata)
                and cmd.unpack(trace[at].inputs["cmd_payload"])["op"] == Op.RD)

    at = next(at for at in range(3, len(trace) - config.latency) if here(at))
    drawn = waveform.draw(top, config, trace[at - 3:at + config.latency + 4])
    assert drawn is not None
    return drawn


def _draw_operation(top: str, config: OmapConfig, trace: Sequence[Cycle]) -> str:
    """An operation among others at full rate, measured from its draw to its response."""
    launches, responses = ([at for at, cycle in enumerate(trace) if cycle.moves(config.port(name))
                            and cycle.outputs["ready"]] for name in ("random", "rsp"))
    number = next(number for number in range(1, len(launches))
                  if launches[number] - launches[number - 1] == config.interval)
    launch, response = launches[number], responses[number]
    measured = SimpleNamespace(latency=response - launch, ports=config.ports)
    drawn = waveform.draw(top, measured, trace[launch - 3:response + 4])
    assert drawn is not None
    return drawn


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in figures().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
