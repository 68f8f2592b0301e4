"""The OMAP controller in both simulators, every parameter at every kind of value."""

import numpy as np
import pytest
from mutants import broken
from omap_configs import SMALL, random_config

from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.hdl.omap import bus, core, index, pending, records
from pimlico.hdl.omap.config import FATAL_TAMPER, STATUS, STATUS_BITS, OmapConfig
from pimlico.sim.verify import verify

BLOCK = find("omap-controller")
SLOW = {"sealed": 1500, "sealed-parts": 700, "sealed-wide": 400, "port-sealed": 700}
"""Cycles of ciphers, of which Icarus runs few hundred a second; of all else 2500."""
ON_BOTH = ["ecp5-small"]


def check(config, cycles, seed, simulators=("verilator", "icarus"), **options):
    result = verify(BLOCK, config, simulators=simulators, cycles=cycles, seed=seed, **options)
    assert result["passed"], f"{config!r}, seed {seed}: {result['mismatch']}"
    return result


def answered(result):
    return [simulator["traffic"]["rsp"]["beats"] for simulator in result["simulators"].values()]


@pytest.mark.parametrize(("preset", "simulators"), [
    (preset, ("verilator", "icarus") if preset in ON_BOTH else ("icarus",))
    for preset in BLOCK.preset_names])
def test_preset_in_lockstep(preset, simulators, seed):
    """Init, then a few operations; on Verilator they all run among the long ones."""
    config = load("omap-controller", preset=preset).config
    init = config.init_draws + config.clear_words
    operations = 3 if config.sealed else 10
    result = check(config, init + (operations + 2) * config.interval + 20, seed, simulators)
    assert min(answered(result)) >= operations


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=[pytest.mark.deep] * (case == "sealed-wide")) for case in SMALL])
def test_parameters_in_lockstep(case, seed):
    result = check(OmapConfig(**SMALL[case]), SLOW.get(case, 2500), seed, ["icarus"])
    assert min(answered(result)) > 3


@pytest.mark.parametrize("case", ["one-a-beat", "parts-duplex"])
def test_long_lists_in_lockstep(case, seed):
    """Keys that leave the middle of a list, and pages without a free slot."""
    check(OmapConfig(**SMALL[case]), 4000, seed, ["icarus"], stimulus="omap_configs:crowds")


@pytest.mark.parametrize("latency", [2, 16])
def test_memories_behind_ports_in_lockstep(latency, seed):
    """Every address, every word to write, and the cycles of both; lists that are long."""
    config = OmapConfig(**SMALL["port-duplex"] | {
        "trusted_latency": latency, "bus": "shared", "merge_budget": 1, "pending_depth": 12})
    result = check(config, 4000, seed, ["icarus"], stimulus="omap_configs:crowds")
    assert min(answered(result)) > 40


@pytest.mark.parametrize(("case", "latency"), [("port", 20), ("port-sealed", 40)])
def test_aborted_operations_in_lockstep(case, latency, seed):
    """Pages of which the tags are known while waiting items are still being fetched."""
    config = OmapConfig(**SMALL[case] | {"trusted_latency": latency})
    assert config.walk_may_last == config.sealed
    result = check(config, 1600, seed, ["icarus"], stimulus="omap_configs:drained")
    assert min(answered(result)) > 7


def test_init_of_a_map_in_use_in_lockstep(seed):
    config = OmapConfig(**SMALL["two-a-beat"])
    cycles = 2 * (config.clear_words + config.init_draws) + 75 * config.interval
    result = check(config, cycles, seed, ["icarus"], stimulus="omap_configs:inits")
    assert min(answered(result)) > 25


@pytest.mark.parametrize("case", ["fatal", "sealed"])
def test_status_codes(case, seed):
    """Every code is reached in the RTL as in the model, whose golden responses it gives."""
    config = OmapConfig(**SMALL[case])
    result = check(config, 20_000, seed, ["icarus"], record=True,
                   stimulus="omap_configs:offences")
    recorded = result["simulators"]["icarus"]["recorded"]["rsp"]
    codes = {word & (1 << STATUS_BITS) - 1 for word in recorded}
    if case == "fatal":
        assert codes == set(STATUS) - {FATAL_TAMPER}
    else:
        assert FATAL_TAMPER in codes


BREAKS = {
    "eviction of the key in flight": (
        index, "& ~(chosen & matches).any(), chosen", ", chosen", "fatal"),
    "tie goes to the upper page": (
        records, "target.eq(others[1] < others[0])", "target.eq(others[1] <= others[0])",
        "two-a-beat"),
    "entries that were merged are not freed": (
        pending, "free.eq(Mux(popped[0], first[0], base))", "free.eq(base)", "one-a-beat"),
    "unlinked entry stays in its list": (
        pending, "unlinks.eq(deep_now & ~heads.any())", "unlinks.eq(0)", "crowded"),
    "entry that comes back is on the free list, too": (
        pending, "(deep & ~chains)", "deep", "crowded"),
    "highest free slot first": (
        pending, "slot.eq(lowest(free_half))", "slot.eq(lowest(free_half[::-1])[::-1])",
        "four-a-beat"),
    "index told the other page": (
        core, "index.updated.which.eq(records.target)", "index.updated.which.eq(~records.target)",
        "four-a-beat"),
    "link that is not read": (
        pending, "self.launch | self.walking | following.write", "self.walking | following.write",
        "port"),
    "way read a cycle early": (
        index, "decides = [at + latency for", "decides = [at + latency - 1 for", "port"),
    "host waited for a cycle more": (
        bus, "waited == config.host_latency_max - 1", "waited == config.host_latency_max",
        "four-a-beat"),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_broken_rtl_is_caught(monkeypatch, fault, seed):
    module, sound, wrong, case = BREAKS[fault]
    broken(monkeypatch, module, sound, wrong, users=(core,))
    crowded = case == "crowded"
    config = OmapConfig(**SMALL["parts-duplex" if crowded else case])
    result = verify(BLOCK, config, simulators=["icarus"], cycles=40_000, seed=seed,
                    stimulus="omap_configs:crowds" if crowded else None)
    assert not result["passed"], f"seed {seed}"
    assert result["mismatch"].startswith(("icarus: mismatch on", "icarus: stuck")), \
        result["mismatch"]


@pytest.mark.deep
@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_in_long_lockstep(preset, seed):
    config = load("omap-controller", preset=preset).config
    result = check(config, 150_000, seed, ["verilator"])
    assert min(answered(result)) > 200


@pytest.mark.deep
@pytest.mark.parametrize("case", SMALL)
def test_parameters_in_long_lockstep(case, seed):
    check(OmapConfig(**SMALL[case]), 60_000, seed)


@pytest.mark.deep
@pytest.mark.parametrize("number", range(40))
def test_many_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 20_000, seed, ["verilator"])


@pytest.mark.deep
@pytest.mark.parametrize("stimulus", ["inits", "crowds"])
@pytest.mark.parametrize("case", [name for name in SMALL if "entropy" not in SMALL[name]])
def test_inits_and_long_lists_of_every_kind_in_lockstep(case, stimulus, seed):
    check(OmapConfig(**SMALL[case]), 20_000, seed, ["verilator"],
          stimulus=f"omap_configs:{stimulus}")
