"""Memories land on as few blocks of the kind asked for as can hold them."""

import pytest
from ram_block import ram

from pimlico.constraints.synth import synthesise

CASES = [
    ("ecp5", "auto", 128, 1024, {"bram": 8}),
    ("ecp5", "block", 36, 4096, {"bram": 8}),
    ("ice40", "auto", 128, 1024, {"bram": 32}),
    ("ice40", "block", 16, 256, {"bram": 1}),
    ("ice40", "spram", 16, 16384, {"large_ram": 1}),
    ("ice40", "spram", 64, 16384, {"large_ram": 4}),
    ("xcup", "block", 128, 1024, {"bram": 4}),
    ("xcup", "block", 18, 1024, {"bram": 1}),
    ("xcup", "auto", 16, 4096, {"bram": 2}),
    pytest.param("xcup", "auto", 8, 512, {"bram": 1}, marks=pytest.mark.deep),
    ("xcup", "auto", 8, 256, {"lutram": 32}),
    ("xcup", "ultra", 72, 4096, {"large_ram": 1}),
    ("xcup", "ultra", 128, 16384, {"large_ram": 8}),
    ("gowin", "auto", 128, 1024, {"bram": 8}),
    ("nexus", "auto", 128, 1024, {"bram": 8}),
    ("nexus", "spram", 32, 16384, {"large_ram": 1}),
]
MEMORIES = ("bram", "lutram", "large_ram")


@pytest.mark.parametrize("target, kind, width, depth, expected", CASES)
def test_a_memory_takes_the_fewest_blocks(target, kind, width, depth, expected):
    emitted = ram(width=width, depth=depth, kind=kind)
    result = synthesise(emitted.text, emitted.top, target)
    assert {name: result[name] for name in MEMORIES if result[name]} == expected
    assert result["uncounted"] == {}


@pytest.mark.parametrize("target, kind, blocks", [
    ("ecp5", "auto", 8), ("xcup", "block", 4), ("gowin", "auto", 8)])
def test_writing_through_and_wiping_are_the_block_rams_own(target, kind, blocks):
    emitted = ram(width=128, depth=1024, kind=kind, write_through=True)
    result = synthesise(emitted.text, emitted.top, target)
    assert (result["bram"], result["ff"]) == (blocks, 0)
    assert result["lut"] <= 2


@pytest.mark.parametrize("target, lutram", [("ecp5", 6), ("gowin", 6), ("nexus", 6), ("xcup", 8)])
def test_a_few_words_are_lut_ram(target, lutram):
    emitted = ram(width=4, depth=16)
    result = synthesise(emitted.text, emitted.top, target)
    assert {name: result[name] for name in MEMORIES if result[name]} == {"lutram": lutram}
    assert result["ff"] == 4
