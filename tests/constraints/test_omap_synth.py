"""The OMAP controller goes through synthesis: its trusted memories to block RAM, no latch, no
multiplier."""

import pytest
from omap_configs import BASE, SMALL

from pimlico.constraints.synth import synthesise
from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.omap.config import OmapConfig

BLOCK = find("omap-controller")
LARGE = BASE | {"key_width": 12, "value_width": 8, "log2_pages": 11, "slots": 3,
                "capacity": 2048, "beat_width": 32, "index_ways": 2, "index_stash": 2,
                "merge_budget": 1}
BLOCK_RAM = {1: 16384, 2: 8192, 4: 4096, 9: 2048, 18: 1024, 36: 512}
"""Depth by width of a DP16KD, and of half a RAMB36E2."""
GATES = {"$_DFF_P_", "$_NAND_", "$_NOR_", "$_NOT_"}


def synth(config, target):
    emitted = emit(BLOCK, config)
    return synthesise(emitted.text, emitted.top, target)


def trusted(config):
    """Width and depth of every memory of the trusted side that is on the chip."""
    entries = config.pending_entries
    memories = [(config.entry_bits, 1 << config.index_bits)] * config.index_ways
    memories += [(config.record_bits, config.pages // 2)] * 2
    memories += [(config.tuple_width, entries), (config.pointer_bits + 1, entries),
                 (config.pointer_bits, entries)]
    listed = [(1, entries)] * (not config.sealed)
    assert config.trusted_bits == sum(width * depth for width, depth in memories + listed)
    return listed if config.trusted == "port" else memories + listed


def memory_bits(config):
    """Bits of all memories: the trusted ones, both pages in hand, and what is merged into them."""
    rows = 1 << (config.beats - 1).bit_length()
    word = config.beat_width if config.parts > 1 else config.lanes * config.tuple_width
    waiting = config.tuple_width << max(1, (2 * config.merges - 1).bit_length())
    return sum(width * depth for width, depth in trusted(config)) + 2 * rows * word + waiting


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=[pytest.mark.deep] * (case != "least")) for case in SMALL])
def test_gates(case):
    config = OmapConfig(**SMALL[case])
    result = synth(config, "cmos")
    assert result["memory_bits"] == memory_bits(config)
    assert set(result["cells"]) == GATES, "no latch"
    assert result["transistors"] == result["logic_transistors"] + 16 * result["ff_bits"]


@pytest.mark.parametrize(("case", "target"), [
    ("least", "ice40"),
    *(pytest.param(case, target, marks=pytest.mark.deep) for case, target in [
        ("four-a-beat", "ecp5"), ("one-a-beat", "ice40"), ("parts", "xcup"),
        ("two-a-beat", "gowin"), ("fatal", "nexus"), ("sealed", "ecp5"),
        ("sealed-parts", "ice40"), ("sealed-wide", "xcup")])])
def test_one_fpga_family_each(case, target):
    result = synth(OmapConfig(**SMALL[case]), target)
    assert result["lut"] > 0 and result["ff"] > 0
    assert not result["dsp"] and result["uncounted"] == {}
    assert result["bram"] or result["lutram"] or case == "least"


@pytest.mark.parametrize("target", [
    "ecp5", pytest.param("xcup", marks=pytest.mark.deep)])
def test_every_trusted_memory_takes_the_fewest_block_rams(target):
    config = OmapConfig(**LARGE)
    halves = sum(min(-(-width // wide) * -(-depth // deep) for wide, deep in BLOCK_RAM.items())
                 for width, depth in trusted(config))
    result = synth(config, target)
    assert result["bram"] == (halves if target == "ecp5" else -(-halves // 2))
    assert not result["dsp"] and result["uncounted"] == {}


@pytest.mark.deep
@pytest.mark.parametrize("target", ["ecp5", "xcup"])
@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_presets_have_their_index_in_block_ram(preset, target):
    config = load("omap-controller", preset=preset).config
    result = synth(config, target)
    # LUT RAM is deep enough for an index of few words on UltraScale+
    assert result["bram"] > 0 or (target, preset) == ("xcup", "ecp5-small")
    assert not result["dsp"] and result["uncounted"] == {}
