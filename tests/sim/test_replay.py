"""Recorded lockstep says what the cocotb bench says, cycle for cycle."""

from dataclasses import replace

import pytest
from omap_configs import SMALL as OMAP
from running_sum import BLOCK
from running_sum.config import RunningSumConfig

from pimlico.generators.block import find
from pimlico.generators.verilog import emit
from pimlico.sim.replay import replay
from pimlico.sim.verify import verify
from pimlico.verif.episode import Episode

CONFIG = RunningSumConfig()
SAME = ("passed", "cycles", "comparisons", "episodes", "traffic", "failure")


def five(config, rng):
    yield Episode("five", {"i": [1, 2, 3, 4, 5]}, ready={"o": 0.4}, delay={"i": [0, 3, 0, 1, 9]})


def both(seed, cycles=3000, block=BLOCK, config=CONFIG, **options):
    bench = verify(block, config, simulators=["verilator"], cycles=cycles, seed=seed, **options)
    played = replay(block, config, cycles=cycles, seed=seed, **options)
    return bench["simulators"]["verilator"], played


def test_a_sound_block_passes_with_the_same_counts(seed):
    bench, played = both(seed)
    assert played["passed"], played["failure"]
    assert {name: bench[name] for name in SAME} == {name: played[name] for name in SAME}


@pytest.mark.parametrize(("sound", "wrong"), [
    pytest.param("_04_ + i__payload", "_04_ - i__payload", id="sum", marks=pytest.mark.deep),
    pytest.param("count <= _07_", "count <= ~_07_", id="wire", marks=pytest.mark.deep),
    pytest.param("{ last, total }", "{ ~last, total }", id="last")])
def test_a_broken_block_fails_in_the_same_cycle_in_the_same_words(seed, sound, wrong):
    design = emit(BLOCK, CONFIG)
    assert sound in design.text, design.text
    design = replace(design, text=design.text.replace(sound, wrong, 1))
    bench, played = both(seed, design=design)
    assert played["failure"].startswith("mismatch on")
    assert (bench["passed"], played["passed"]) == (False, False)
    assert played["failure"] == bench["failure"]


def test_a_stimulus_of_ones_own(seed):
    bench, played = both(seed, stimulus="test_replay:five")
    assert played["passed"] and played["traffic"]["i"]["beats"] == 5
    assert {name: bench[name] for name in SAME} == {name: played[name] for name in SAME}


@pytest.mark.deep
@pytest.mark.parametrize(("name", "parameters"), [
    ("ternary-gemm", {}), ("kv-history", {"append": True}), ("bitslice-array", {"rows": 2}),
    ("omap-controller", OMAP["port"]), ("ascon-aead128", {}),
    ("pim-channel", {"row_bytes": 256, "rows": 4, "banks": 2, "lanes": 4})])
def test_every_family(seed, name, parameters):
    """Guarded wires, answers of a memory and hosts included."""
    block = find(name)
    bench, played = both(seed, block=block, config=block.config(**parameters))
    assert played["passed"], played["failure"]
    assert {key: bench[key] for key in SAME} == {key: played[key] for key in SAME}
