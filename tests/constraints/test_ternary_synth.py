"""Every kind of value of the ternary core's parameters goes through synthesis."""

import pytest
from long_runs import without
from ternary_configs import COSTLY, SMALL

from pimlico.constraints.synth import synthesise
from pimlico.generators.block import find
from pimlico.generators.verilog import emit
from pimlico.hdl.ternary.config import TernaryConfig

BLOCK = find("ternary-gemm")
FPGA = ["ecp5", "ice40", "gowin", "nexus", "xcup"]


def registers(config):
    """Flip-flops of the accumulators and partial sums: less than any core can have."""
    return config.batch * config.keys * (config.acc_width + config.sum_width)


@pytest.mark.parametrize("case", without(
    SMALL, *COSTLY, *(case for at, case in enumerate(SMALL) if at % 8 != 1)))
def test_gates(case):
    config = TernaryConfig(**SMALL[case])
    emitted = emit(BLOCK, config)
    result = synthesise(emitted.text, emitted.top, "cmos")
    assert result["memory_bits"] == 0
    assert result["ff_bits"] >= registers(config)
    assert result["transistors"] == result["logic_transistors"] + 16 * result["ff_bits"]
    assert result["depth"] > 5


@pytest.mark.parametrize("number", without(
    range(len(SMALL)), *(list(SMALL).index(case) for case in COSTLY),
    *(number for number in range(len(SMALL)) if number % 7)))
def test_one_fpga_family_each(number):
    config = TernaryConfig(**list(SMALL.values())[number])
    emitted = emit(BLOCK, config)
    result = synthesise(emitted.text, emitted.top, FPGA[number % len(FPGA)])
    assert result["lut"] > 0
    assert result["ff"] >= registers(config) or config.out != "raw"
    assert result["dsp"] == 0 or config.out != "raw"
    assert result["bram"] in (0, None)
