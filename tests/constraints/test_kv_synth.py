"""Every kind of value of the KV history buffer's parameters goes through synthesis, and its
memories take the fewest blocks."""

import pytest
from kv_configs import SMALL
from long_runs import without

from pimlico.constraints.synth import synthesise
from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.kv.config import LAYER_BITS, KvConfig

BLOCK = find("kv-history")
FPGA = ["ecp5", "ice40", "gowin", "nexus", "xcup"]
BLOCK_RAM = {
    "ecp5": {1: 16384, 2: 8192, 4: 4096, 9: 2048, 18: 1024, 36: 512},
    "ice40": {1: 4096, 2: 2048, 4: 1024, 8: 512, 16: 256},
    "xcup": {1: 16384, 2: 8192, 4: 4096, 9: 2048, 18: 1024, 36: 512},
}
"""Depth by width of a DP16KD, an SB_RAM40_4K and half a RAMB36E2."""
LARGE_RAM = {"spram": {4: 65536, 8: 32768, 16: 16384}, "ultra": {72: 4096}}
"""Depth by width of an SB_SPRAM256KA, written by nibbles, and a URAM288."""


def synth(config, target):
    emitted = emit(BLOCK, config)
    return synthesise(emitted.text, emitted.top, target)


LONG = ["many-sequences", "int8", "int8-three", "int4-tail"]
"""Half a minute each."""


def memory_bits(config):
    """Bits of all memories, from what each is to hold."""
    sequences, tokens = config.sequences, config.tokens
    bits = sequences * tokens * config.row_words * config.beat_bits
    if config.few_rows:
        bits += max(2, sequences * -(-tokens // 4)) * 4
    else:
        bits += sequences * tokens
    if config.quant != "none":
        bits += sequences * tokens * (2 * config.elem_width + 2)
        bits += config.buffer_beats * config.beat_bits
    if sequences > 1:  # of each the next layer, and the last row with a validity bit
        bits += sequences * (LAYER_BITS + max(1, (tokens - 1).bit_length()))
    return bits


@pytest.mark.parametrize("case", without(
    SMALL, *LONG, *(case for at, case in enumerate(SMALL) if at % 8 != 1)))
def test_gates(case):
    config = KvConfig(**SMALL[case])
    result = synth(config, "cmos")
    # a memory of one word becomes registers
    alone = config.beat_bits if config.bank_words == 1 and config.banks == 1 else 0
    assert result["memory_bits"] == memory_bits(config) - alone
    assert result["ff_bits"] >= config.beat_bits + alone
    assert result["transistors"] == result["logic_transistors"] + 16 * result["ff_bits"]
    assert result["depth"] > 5


@pytest.mark.parametrize("case", without(
    SMALL, "many-sequences", *(case for at, case in enumerate(SMALL) if at % 7)))
def test_one_fpga_family_each(case):
    config = KvConfig(**SMALL[case])
    target = FPGA[list(SMALL).index(case) % len(FPGA)]
    if config.memory in LARGE_RAM:
        target = {"spram": "ice40", "ultra": "xcup"}[config.memory]
    result = synth(config, target)
    assert result["lut"] > 0 and result["ff"] > 0
    assert not result["dsp"] or config.quant != "none"
    assert result["bram"] or result["lutram"] or result["large_ram"] or config.bank_words < 16
    assert result["uncounted"] == {}


def fewest(width, depth, depths):
    """Blocks of a memory in the best of their forms."""
    return min(-(-width // wide) * -(-depth // deep) for wide, deep in depths.items())


def blocks(config, target):
    """Block RAMs and large ones, for memories too large for LUT RAM."""
    depths = BLOCK_RAM[target]
    rows = config.beat_bits, config.bank_words
    large = config.banks * fewest(*rows, LARGE_RAM[config.memory]) \
        if config.memory in LARGE_RAM else 0
    small = 0 if large else config.banks * fewest(*rows, depths)
    if not config.few_rows:
        small += fewest(1, config.sequences * config.tokens, depths)
    if config.quant != "none":
        small += fewest(2 * config.elem_width + 2, config.sequences * config.tokens, depths)
        small += fewest(config.beat_bits, config.buffer_beats, depths)
    return -(-small // 2) if target == "xcup" else small, large


@pytest.mark.parametrize(("target", "bits", "parameters", "bram", "large"), [
    ("ecp5", 16 << 10, "ecp5-256", 8, 0),
    ("ice40", 256 << 10, "up5k-spram", 1, 4),
    ("xcup", 288 << 10, {"tokens": 4096, "memory": "ultra"}, 1, 8),
    ("xcup", 36 << 10, {"memory": "block", "elem_width": 18}, 5, 0),
    ("ice40", 4 << 10, {"row_elems": 8, "beat_elems": 1, "tokens": 1024}, 33, 0),
    ("ecp5", 18 << 10, {"memory": "block", "tokens": 1024, "elem_width": 9}, 17, 0),
], ids=str)
def test_rows_take_the_fewest_blocks(target, bits, parameters, bram, large):
    """As many as their bits fill; the block RAM beside is of the validity bits."""
    config = load("kv-history", preset=parameters).config if isinstance(parameters, str) \
        else KvConfig(**parameters)
    result = synth(config, target)
    assert (result["bram"], result["large_ram"] or 0) == (bram, large) == blocks(config, target)
    rows = config.tokens * config.row_words * config.beat_bits
    assert large or bram - (not config.few_rows) == -(-rows // bits)
    assert not large or large == -(-rows // bits)


@pytest.mark.parametrize(("target", "parameters"), [
    ("ecp5", {"tokens": 1024, "row_elems": 16, "beat_elems": 4, "banks": 4}),
    ("ecp5", {"elem_width": 9, "row_elems": 8, "beat_elems": 4, "memory": "block"}),
    ("ecp5", {"row_elems": 8, "beat_elems": 2, "tokens": 512, "quant": "int8",
              "memory": "block", "overflow": "dense_tail"}),
    ("ice40", {"row_elems": 16, "beat_elems": 4, "tokens": 4096, "banks": 2, "memory": "spram"}),
    ("ice40", {"elem_width": 4, "row_elems": 8, "beat_elems": 1, "tokens": 8192,
               "memory": "spram"}),
    ("xcup", {"tokens": 4096, "banks": 4, "memory": "ultra", "append": True}),
    ("xcup", {"elem_width": 9, "row_elems": 8, "beat_elems": 4, "tokens": 8192,
              "memory": "block"}),
], ids=str)
def test_every_memory_takes_the_fewest_blocks_of_its_shape(target, parameters):
    config = KvConfig(**parameters)
    result = synth(config, target)
    assert (result["bram"], result["large_ram"] or 0) == blocks(config, target)


@pytest.mark.deep
def test_the_largest_preset_fits_the_ultrarams_of_its_device():
    """Eight banks, each of 7 blocks side by side and 15 deep; 8 of the 512 bits are over, and
    are put eight words a block."""
    config = load("kv-history", preset="skipopu-u280").config
    result = synth(config, "xcup")
    assert (result["large_ram"], result["bram"]) == (8 * (7 * 15 + 2), 1)
    assert 8 * (7 * 15 + 2) < fewest(512, 61440, LARGE_RAM["ultra"]) * 8 == 960
