"""The PIM banks go through synthesis, their arrays into the fewest block RAMs."""

import pytest
from long_runs import without
from pim_configs import SMALL

from pimlico.constraints.synth import synthesise
from pimlico.generators.block import find
from pimlico.generators.verilog import emit
from pimlico.hdl.pim.commands import TAG_BITS
from pimlico.hdl.pim.config import PimConfig
from pimlico.hdl.pim.replies import READS

BLOCK = find("pim-channel")
WIDEST = {"ecp5": 36, "ice40": 16}
"""Bits of a block RAM's word, of which it has 256 at least: as many as any array here."""
LONG = ["int8-sixteen", "int8-waits", "int8-reuse", "fp16-tree", "bf16-lossy", "bf16-lanes",
        "fp16", "fp16-lanes", "bf16-slow", "pq", "pq-dual",
        "pq-forwards", "pq-wide", "pq-many"]
"""Too many banks or lanes of floating point for every run."""


def synth(case, target):
    config = PimConfig(**SMALL[case])
    emitted = emit(BLOCK, config)
    return config, synthesise(emitted.text, emitted.top, target)


def blocks(config, target):
    """Block RAMs of the arrays; with two row buffers each is there twice, for two reads a cycle.

    The iCE40 has no other memory, so the global buffer is in block RAM too; arrays of few words
    are in LUTs, where there is such memory, and so are operand buffers. Sums have a block a bank.
    """
    wide = -(-config.column_bits // WIDEST[target])
    arrays = config.banks * wide * (2 if config.dual_row_buffer else 1)
    if target != "ice40":
        if config.rows * config.cols <= 32:
            arrays = 0
        return arrays + (config.banks if config.pq else 0)
    sums = config.banks * (wide + config.acc_bits // WIDEST[target]) if config.pq else 0
    return arrays + config.reuse * wide + sums


@pytest.mark.parametrize("case", without(SMALL, *LONG, "bf16-tree", "int8", "int8-dual", "bf16"))
def test_arrays_take_the_fewest_blocks_of_an_ecp5(case):
    config, result = synth(case, "ecp5")
    assert config.rows * config.cols <= 512
    assert result["bram"] == blocks(config, "ecp5")
    assert result["lutram"] > 0, "the global buffer"
    if not config.floating:  # a product of int8 each
        assert result["dsp"] == config.banks * config.lanes * config.reuse
    assert result["uncounted"] == {}


@pytest.mark.parametrize("case", without(SMALL, *set(SMALL) - {"int8-lanes"}))
def test_arrays_take_the_fewest_blocks_of_an_ice40(case):
    config, result = synth(case, "ice40")
    assert config.rows * config.cols <= 256
    assert result["bram"] == blocks(config, "ice40")
    assert result["uncounted"] == {}


@pytest.mark.parametrize("case", without(SMALL, *set(SMALL) - {"int8-lanes"}))
def test_ultrascale(case):
    """Arrays as small as these are in LUTs."""
    config, result = synth(case, "xcup")
    assert result["bram"] or result["lutram"] * 64 >= config.banks * config.column_bits
    assert result["lut"] > 0 < result["ff"] and result["uncounted"] == {}
    assert result["dsp"] <= config.banks * config.lanes * config.reuse


@pytest.mark.parametrize("case", without(SMALL, *set(SMALL) - {"int8-lanes"}))
def test_gates(case):
    """Memories hold the arrays, the global buffer and the columns that wait for rdata."""
    config, result = synth(case, "cmos")
    arrays = config.banks * config.rows * config.cols * config.column_bits
    waiting = READS * (config.column_bits + config.bank_field + TAG_BITS)
    buffers = config.reuse * config.gb_cols * config.column_bits
    if config.pq:
        buffers += config.banks * (config.operand_cols * config.column_bits
                                   + config.row_sums * config.acc_bits)
    assert result["memory_bits"] == arrays + buffers + waiting
    assert result["ff_bits"] >= config.banks * config.acc_slots * config.slot_bits
    assert result["transistors"] == result["logic_transistors"] + 16 * result["ff_bits"]
