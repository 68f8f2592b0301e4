"""Area and depth of single PEs of the bit-sliced array: prints the table of its page."""

from __future__ import annotations

import argparse
import sys

from amaranth.back import verilog
from rich.console import Console
from rich.table import Table

from pimlico.constraints.synth import synthesise
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.hdl.bitslice.pes import make_pe

PES = {
    "W8A8, EN-T": {"encoding": "ent"},
    "W8A8, Booth": {},
    "W8A8, EN-T, carries every few bits": {"encoding": "ent", "acc_form": "segmented"},
    "W8A8, EN-T, binary": {"encoding": "ent", "acc_form": "binary"},
    "W8A8 with draft and 2 × W4A8, EN-T": {
        "encoding": "ent", "nested": True, "modes": ("w8a8", "w4a8")},
    "W8A8, 2 × W4A8, 4 × W2A8, Booth": {"modes": ("w8a8", "w4a8", "w2a8")},
    "bit weights apart, four lanes": {"arch": "tree", "k_lanes": 4},
    "one digit a cycle": {"arch": "serial", "encoding": "ent", "pipeline": 2,
                          "acc_form": "segmented"},
    "digit-skipping, window of 4": {"arch": "skip", "encoding": "ent", "pipeline": 2,
                                    "acc_form": "segmented"},
    "plain multiplier": {"arch": "mac"},
}
"""Settings of the array whose PE it is."""


def measure(settings: dict) -> tuple[int, int, int, int]:
    """Logic transistors, depth and flip-flops, and LUTs of UltraScale+."""
    config = BitsliceConfig(**settings)
    pe = make_pe(config, config.shape)
    text = verilog.convert(pe, name="pe", ports=[getattr(pe, name) for name in
                                                 pe.signature.members], emit_src=False)
    gates = synthesise(text, "pe", "cmos")
    luts = synthesise(text, "pe", "xcup")
    return gates["logic_transistors"], gates["depth"], gates["ff_bits"], luts["lut"]


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    out = Table("PE", "transistors without flip-flops", "depth", "flip-flops", "LUT")
    for name, settings in PES.items():
        out.add_row(name, *map(str, measure(settings)))
    Console().print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
