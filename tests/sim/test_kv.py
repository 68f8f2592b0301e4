"""The KV history buffer in both simulators, every parameter at every kind of value."""

import numpy as np
import pytest
from kv_configs import LARGE, SMALL, random_config

from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.hdl.kv.config import STATUS, KvConfig
from pimlico.sim.verify import verify

BLOCK = find("kv-history")
FEWER_TOKENS = {"llama3-8b-int2": 64, "llama3-8b-int8-tile": 64, "skipopu-u280": 8}
"""Depth at which the presets of large memories run here; all else is as in the preset."""
COMPILED = ["three-beats", "int8"]
COMPILED_PRESETS = ["ecp5-256"]
"""Compiled by Verilator too in every run; the others in long ones."""


def check(config, cycles, seed, simulators=("verilator", "icarus"), **options):
    result = verify(BLOCK, config, simulators=simulators, cycles=cycles, seed=seed, **options)
    assert result["passed"], f"{config!r}, seed {seed}: {result['mismatch']}"
    return result


def preset_config(preset, **changes):
    return KvConfig(**load("kv-history", preset=preset).config.model_dump() | changes)


@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_in_lockstep(preset, seed):
    fewer = {"tokens": FEWER_TOKENS[preset]} if preset in FEWER_TOKENS else {}
    check(preset_config(preset, **fewer), 5000, seed,
          ["verilator", "icarus"] if preset in COMPILED_PRESETS else ["icarus"])


@pytest.mark.deep
@pytest.mark.parametrize("preset", [preset for preset in BLOCK.preset_names
                                    if preset not in COMPILED_PRESETS])
def test_preset_in_compiled_lockstep(preset, seed):
    check(preset_config(preset), 20_000, seed, ["verilator"])


@pytest.mark.parametrize("case", SMALL)
def test_parameters_in_lockstep(case, seed):
    check(KvConfig(**SMALL[case]), 2500, seed,
          ["verilator", "icarus"] if case in COMPILED else ["icarus"])


@pytest.mark.deep
@pytest.mark.parametrize("case", [case for case in SMALL if case not in COMPILED])
def test_parameters_in_compiled_lockstep(case, seed):
    check(KvConfig(**SMALL[case]), 20_000, seed, ["verilator"])


@pytest.mark.parametrize("number", range(6))
def test_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 2500, seed, ["icarus"])


@pytest.mark.parametrize("case", ["three-beats", "two-beats", "ultra", "int8"])
def test_passes_without_a_bubble_in_lockstep(case, seed):
    """Each start comes in the cycle that takes the done before it."""
    config = KvConfig(**SMALL[case])
    result = check(config, 5000, seed, ["icarus"], stimulus="kv_configs:bubble_free")
    assert result["simulators"]["icarus"]["traffic"]["done"]["beats"] == 13


@pytest.mark.parametrize("case", ["tail", "tail-one", "int4-tail"])
def test_tokens_past_the_last_row_overwrite_none(case, seed):
    check(KvConfig(**SMALL[case]), 5000, seed, ["icarus"], stimulus="kv_configs:tails")


def test_status_codes(seed):
    """Every code is reached, in the RTL as in the model, and told by ``done`` where a pass ran."""
    config = KvConfig(row_elems=16, tokens=4)
    result = check(config, 5000, seed, record=True, stimulus="kv_configs:offences")
    done, kv = config.port("done"), config.port("kv")
    for simulator in result["simulators"].values():
        assert simulator["episodes"] == len(STATUS) - 1
        recorded = simulator["recorded"]
        codes = [done.unpack(word)["code"] for word in recorded["done"]]
        # five refused starts, each after a good pass or in one
        assert codes == [0, 0, 0, 0, 0, 6, 7, 8]
        beats = [kv.unpack(word) for word in recorded["kv"]]
        assert len(beats) == 8 * config.tokens * config.beats
        holes = [at for at, beat in enumerate(beats) if beat["hole"]]
        assert holes == [*range(40, 48), 55]
        assert not any(any(beats[at]["data"]) for at in holes)


@pytest.mark.deep
@pytest.mark.parametrize("case", LARGE)
def test_large_in_lockstep(case, seed):
    check(KvConfig(**LARGE[case]), 100_000, seed)


@pytest.mark.deep
@pytest.mark.parametrize("number", range(150))
def test_many_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 20000, seed)


@pytest.mark.deep
@pytest.mark.parametrize("case", SMALL)
def test_bubble_free_in_lockstep(case, seed):
    check(KvConfig(**SMALL[case]), 20000, seed, stimulus="kv_configs:bubble_free")


@pytest.mark.deep
@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_in_long_lockstep(preset, seed):
    """At its full depth."""
    check(preset_config(preset), 500_000, seed, ["verilator"])
