"""The trace of the RTL says nothing, and that of a core with a deliberate fault is told from it."""

import importlib.util
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from omap_faults import CONFIG, FAULTS, faulty, watch

from pimlico.generators.omap import BLOCK
from pimlico.generators.verilog import emit
from pimlico.hdl.omap.config import OmapConfig
from pimlico.verif.omap.statistics import LIMIT, report

SEED = 1
"""Fixed: of several hundred statistics, one of a sound trace may be as far off as 4 and more."""

EACH = 12_500
"""Operations of each of the eight workloads, 10^5 of all."""


@pytest.fixture(scope="module")
def sound():
    return emit(BLOCK, CONFIG)


@pytest.fixture(scope="module")
def unsound():
    return faulty(CONFIG)


def test_the_trace_is_random_and_its_timing_constant(sound):
    runs = watch(sound, CONFIG, EACH, SEED)
    for name in runs["mix"].timing:
        seen = np.unique(np.concatenate([run.timing[name] for run in runs.values()]))
        assert len(seen) == 1, f"seed={SEED}: {name} of {seen} cycles"
    assert np.unique(runs["mix"].timing["interval"]) == CONFIG.interval
    found = report(runs)
    print(found)
    assert found.operations >= 100_000
    assert found.sound and found.p > 0.01, f"seed={SEED}: {found}"
    assert caught(runs) is None


def test_an_uneven_host_learns_no_more(sound):
    runs = watch(sound, CONFIG, 3000, SEED, latency=3, jitter=5)
    assert len(np.unique(runs["mix"].timing["interval"])) > 5
    found = report(runs)
    assert found.sound and found.p > 0.01, f"seed={SEED}: {found}"


def test_every_statistic_is_in_the_figure(sound, tmp_path):
    path = Path(__file__).parents[2] / "docs" / "omap_statistics.py"
    spec = importlib.util.spec_from_file_location("omap_statistics", path)
    docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docs)
    found = report(watch(sound, CONFIG, 3000, SEED))
    assert {docs.row_of(name) for _, name in found.z} == set(range(len(docs.ROWS)))
    drawn = tmp_path / "drawn.svg"
    docs.figure({"sound": found}, drawn)
    assert f">{found.greatest:.1f}</text>" in drawn.read_text()


CATCHES = {
    "winner only": [("repeat", "chi2 first"), ("repeat", "chi2 second"),
                    ("repeat", "KS first against others")],
    "winner first": [("repeat", "shape"), ("repeat", "lag 1 first"), ("repeat", "chi2 first")],
    "fixed dummies": [("misses", "lag 1 set"), ("mix", "first by operation"),
                      ("mix", "second by operation"), ("misses", "KS first against others")],
    "no remap": [("repeat", "lag 1 set"), ("scan", "same key set"), ("mix", "same key set"),
                 ("repeat", "lag 1 set against others")],
    "skipped write": [("misses", "shape"), ("mix", "requests by operation"),
                      ("full", "response by operation")],
    "early response": [("mix", "response by operation"), ("full", "response by operation")],
}
"""Statistics that catch each fault."""

CLEAN = {
    "winner only": ("shape", "interval by", "response by"),
    "winner first": ("interval by", "response by", "set"),
    "fixed dummies": ("shape", "interval by", "response by"),
    "no remap": ("shape", "interval by", "response by"),
    "skipped write": ("chi2", "lag", "same key", "pair", "KS"),
    "early response": ("shape", "chi2", "lag", "same key", "pair", "KS", "interval by"),
}
"""Statistics that tell nothing of it, by a part of their names."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught(unsound, fault):
    runs = watch(unsound, CONFIG, EACH, SEED, fault)
    found = report(runs)
    for name in CATCHES[fault]:
        assert abs(found.z[name]) > 6, f"seed={SEED}: {name} {found.z[name]}"
    for name, z in found.z.items():
        if any(part in name[1] for part in CLEAN[fault]):
            assert abs(z) < LIMIT + 0.5, f"seed={SEED}: {name} {z}"
    early = caught(runs)
    print(f"{fault}: caught by {early}")
    assert early.operations <= 100_000


def caught(runs):
    """The report of the fewest operations that leave no doubt, of those that double up to all."""
    for doublings in reversed(range(10)):
        found = report({name: run.part(slice(len(run) >> doublings))
                        for name, run in runs.items()})
        if found.p < 1e-6:
            return found
    return None


def test_winner_first_leaks_by_order_alone(unsound):
    """Whoever sees the first pages only sees the winners: a scan spreads the keys, so that a
    page is seldom the less loaded one twice; one key alone leaves all others where they are."""
    n = 22_600
    runs = watch(unsound, CONFIG, n, SEED, "winner first", names=("repeat", "scan"))
    rates = {}
    for name, run in runs.items():
        winners = run.pages[-n + CONFIG.capacity:, 0]
        rates[name] = float((winners[1:] == winners[:-1]).mean())
    even = 1 / CONFIG.pages
    assert rates["repeat"] > even > rates["scan"], f"seed={SEED}: {rates}"
    difference = rates["repeat"] - rates["scan"]
    z = difference / sqrt(2 * even * (1 - even) / (n - CONFIG.capacity))
    z_of = report(runs).z
    sets = {name: z for name, z in z_of.items() if name[1].endswith("set")}
    print(f"lag 1: {rates}, {even:.4f} if even, {z:.1f} sigma; sets "
          f"{max(map(abs, sets.values())):.1f} at most")
    assert z > 5, f"seed={SEED}: {rates}"
    assert z_of["repeat", "lag 1 first against others"] > 5
    assert all(abs(z) < LIMIT for z in sets.values()), f"seed={SEED}: {sets}"


@pytest.mark.deep
@pytest.mark.parametrize("seed, more, each", [
    (1, {}, 1_250_000), (2, {"bus": "duplex"}, 125_000), (3, {"cipher": "ascon_aead128"}, 125_000),
    (4, {"log2_pages": 10, "capacity": 4096, "pending_depth": None}, 250_000),
], ids=["plain", "duplex", "sealed", "many-pages"])
def test_ten_million_operations_say_nothing(seed, more, each):
    config = OmapConfig(**CONFIG.model_dump() | more)
    found = report(watch(emit(BLOCK, config), config, each, seed))
    print(found)
    assert found.operations >= 8 * each
    assert found.sound and found.p > 0.001, f"seed={seed}: {found}"
