"""The serially built ternary core through synthesis: every kind of value, and its area."""

import pytest
from long_runs import without
from ternary_serial_configs import SERIAL

from pimlico.constraints.synth import synthesise
from pimlico.generators.block import find
from pimlico.generators.verilog import emit
from pimlico.hdl.ternary.config import TernaryConfig

BLOCK = find("ternary-gemm")
FPGA = ["ecp5", "ice40", "gowin", "nexus", "xcup"]


def synth(target, **parameters):
    emitted = emit(BLOCK, TernaryConfig(**parameters))
    return synthesise(emitted.text, emitted.top, target)


@pytest.mark.parametrize("number", without(range(len(SERIAL)), *range(3, len(SERIAL))))
def test_one_fpga_family_each(number):
    parameters = list(SERIAL.values())[number]
    result = synth(FPGA[number % len(FPGA)], **parameters)
    assert result["lut"] > 0
    assert result["uncounted"] == {}
    assert result["dsp"] in (0, None) or parameters.get("out", "raw") != "raw"


@pytest.mark.parametrize("case", ["usual", "ff"])
def test_gates(case):
    result = synth("cmos", **SERIAL[case])
    assert result["memory_bits"] > 0
    assert result["transistors"] == result["logic_transistors"] + 16 * result["ff_bits"]


@pytest.mark.deep
def test_area_on_ultrascale():
    result = synth("xcup", table="lutram", mu=3, luts=4, keys=16)
    assert result["lut"] + result["lutram"] <= 8.5 * 192
    assert result["dsp"] == 0


@pytest.mark.parametrize(("target", "mu", "cell", "number"), [
    ("ecp5", 2, "TRELLIS_DPR16X4", 288),
    pytest.param("xcup", 3, "RAM32M16", 48, marks=pytest.mark.deep)])
def test_tables_and_sums_become_memories(target, mu, cell, number):
    result = synth(target, table="lutram", mu=mu, luts=12 // mu, keys=16)
    assert result["cells"][cell] == number
    assert result["bram"] == {"xcup": 10, "ecp5": 19}[target]
    # registers: results, partial sums, activations and their tables, little else
    assert result["ff"] < 16 * (21 + 12 + 2) + 96 + 60 + 200
