"""Area, speed and error of the MAC units of PIM banks: prints the tables of their page."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from amaranth.back import verilog
from amaranth.lib.wiring import Component
from rich.console import Console
from rich.table import Table

from pimlico.constraints.synth import synthesise
from pimlico.hdl.common.float.config import FORMATS, FP16
from pimlico.hdl.common.float.multiply import FloatMultiply
from pimlico.hdl.pim.config import PimConfig
from pimlico.hdl.pim.dot_aligned import DotAligned
from pimlico.hdl.pim.mac import MacUnit
from pimlico.verif import floating
from pimlico.verif.pim.arithmetic import accumulate, dots

ONE = {"acc_slots": 1}
UNITS: dict[str, dict[str, Any]] = {
    "bf16, aligned": {},
    "bf16, aligned, subnormals flushed": {"subnormals": "flush"},
    "bf16, IEEE tree": {"arith": "ieee_tree"},
    "bf16, a lane each": {"arith": "lane_mac"},
    "fp16, aligned": {"fmt": "fp16"},
    "fp16, aligned, fp16 accumulator": {"fmt": "fp16", "acc": "fmt"},
    "int8": {"fmt": "int8"},
}
"""Settings of MAC units of 16 lanes with one slot."""

ROUTED: dict[str, dict[str, Any]] = {
    f"{name}, {latency} cycles an addition": {**UNITS[name], "acc_slots": latency,
                                              "acc_latency": latency}
    for name, latencies in (("bf16, aligned", (1, 4)), ("int8", (1,))) for latency in latencies}

ERRORS: dict[str, dict[str, Any]] = {
    "IEEE tree": {"arith": "ieee_tree"},
    **{f"aligned, {bits} bits": {"align_bits": bits} for bits in (28, 24, 20, 16, 12)},
}


def text(part: Component) -> str:
    """Verilog of a part."""
    return verilog.convert(part, name="part", emit_src=False,
                           ports=[getattr(part, name) for name in part.signature.members])


def areas() -> Table:
    """Transistors of logic, as gates of four, depth and flip-flops."""
    parts: dict[str, Component] = {
        name: MacUnit(PimConfig(**ONE, **settings)) for name, settings in UNITS.items()}
    parts |= {f"dot alone: {name}": DotAligned(PimConfig(**ONE, **UNITS[name]))
              for name in list(UNITS)[:2]}
    parts |= {f"fp16 multiplier, subnormals {mode}": FloatMultiply(FP16, FP16, FP16, mode)
              for mode in ("keep", "flush")}
    table = Table("unit", "transistors without flip-flops", "gates", "depth", "flip-flops")
    for name, part in parts.items():
        figures = synthesise(text(part), "part", "cmos")
        logic = figures["logic_transistors"]
        table.add_row(name, str(logic), f"{logic / 4:.0f}", str(figures["depth"]),
                      str(figures["ff_bits"]))
    return table


def speeds(seeds: int) -> Table:
    """Fmax on ECP5."""
    table = Table("unit", "MHz", "of seeds", "LUT", "FF", "DSP")
    for name, settings in ROUTED.items():
        figures = synthesise(text(MacUnit(PimConfig(**settings))), "part", "ecp5", pnr=True,
                             seeds=seeds)
        table.add_row(name, str(figures["fmax_mhz"]), str(figures["fmax_seeds"]),
                      str(figures["lut"]), str(figures["ff"]), str(figures["dsp"]))
    return table


def error(config: PimConfig, length: int, count: int, seed: int = 1) -> float:
    """Root of the mean square of errors over that of the sums, of normal random operands.

    Parameters
    ----------
    config : PimConfig
    length : int
        Operands of a sum.
    count : int
        Number of sums.
    """
    kind = config.fmt_format
    rng = np.random.default_rng(seed)
    x, y = (floating.nearest(rng.standard_normal((count, length // config.lanes, config.lanes)),
                             kind) for _ in range(2))
    exact = (floating.values(x, kind) * floating.values(y, kind)).sum(axis=(1, 2))
    addends = dots(config, x, y)[..., 0]
    acc = np.zeros(count, np.uint64)
    for column in range(addends.shape[1]):
        acc = accumulate(config, acc, addends[:, column])
    found = floating.values(acc, FORMATS["fp32"])
    return float(np.sqrt(np.mean((found - exact) ** 2) / np.mean(exact ** 2)))


def errors() -> Table:
    table = Table("bf16, 16 lanes", "RMS error, length 1024", "4096")
    for name, settings in ERRORS.items():
        config = PimConfig(**settings)
        table.add_row(name, *(f"{error(config, length, 2_000_000 // length):.2e}"
                              for length in (1024, 4096)))
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=0,
                        help="also place and route for ECP5, over so many seeds")
    seeds = parser.parse_args().seeds
    console = Console()
    console.print(errors())
    console.print(areas())
    if seeds:
        console.print(speeds(seeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
