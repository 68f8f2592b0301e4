"""The statistics of traces: exact under chance, standard normal, and each finds what it is for."""

from itertools import product

import numpy as np
import pytest

from pimlico.verif.omap import statistics
from pimlico.verif.omap.observed import Observed, observe
from pimlico.verif.omap.statistics import Report, kolmogorov_smirnov, report, two_sided

TIMES = ("reads apart", "requests", "last request", "response", "interval")


def chance(rng, n=6000, half=16):
    """Uniform pages, and timing and kinds that have nothing to do with each other."""
    pages = rng.integers(0, half, (n, 2)).astype(np.int32)
    pages[:, 1] += half
    return Observed(pages, {name: rng.integers(0, 4, n) for name in TIMES},
                    rng.choice(6, n, p=[0.5, 0.3, 0.1, 0.08, 0.015, 0.005]), rng.zipf(1.5, n),
                    np.zeros(n, bool), half)


def test_coincidences_have_the_mean_and_variance_that_is_said(monkeypatch):
    """Of all traces of four operations on two pages a half, each as likely as the other."""
    monkeypatch.setattr(statistics, "_COINCIDE", 0.5)
    seen: dict[str, list[float]] = {}
    nothing = np.zeros(4, int)
    for pages in product(range(2), repeat=8):
        run = Observed(np.reshape(pages, (4, 2)) + np.array([0, 2]), {}, nothing,
                       np.array([1, 2, 1, 1]), nothing > 0, 2)
        for name, z in [*statistics.coincidences(run, 3), *statistics.same_key(run)]:
            seen.setdefault(name, []).append(z)
    assert len(seen) == 12
    for name, values in seen.items():
        assert len(values) == 256
        assert np.isclose(np.mean(values), 0, atol=1e-12), name
        assert np.isclose(np.var(values), 1), name


@pytest.mark.parametrize("n, half", [(3000, 8), (6000, 256)])
def test_every_statistic_is_standard_normal_under_chance(n, half):
    rng = np.random.default_rng(4)
    seen: dict[tuple[str, str], list[float]] = {}
    trials = 150
    for _ in range(trials):
        runs = {name: chance(rng, size, half) for name, size in (("one", n), ("other", n // 2))}
        for name, z in report(runs, lags=2).z.items():
            seen.setdefault(name, []).append(z)
    assert len(seen) == 2 * (1 + 2 + 6 + 3 + 4 + 8 + 5)
    for name, values in seen.items():
        if name[1] == "shape":
            assert set(values) == {0}
            continue
        beyond = np.mean(np.abs(values) > 1.96)
        assert beyond < 0.05 + 4 * np.sqrt(0.05 * 0.95 / trials), (name, beyond)
        if not name[1].startswith("KS"):
            assert abs(np.mean(values)) < 4 / np.sqrt(trials), name
            assert abs(np.std(values) - 1) < 4 / np.sqrt(2 * trials), name


def test_kolmogorov_smirnov_takes_the_grid_into_account():
    """As often beyond a quantile as it should be, also on a coarse grid."""
    rng = np.random.default_rng(5)
    for steps in (8, 32, 512):
        z = [kolmogorov_smirnov(*(rng.multinomial(size, [1 / steps] * steps)
                                  for size in (4000, 9000))) for _ in range(3000)]
        for limit in (1.0, 2.0, 2.6):
            share, p = np.mean(np.array(z) > limit), two_sided(limit)
            assert 0.7 * p - 3 * np.sqrt(p / 3000) < share < p + 3.5 * np.sqrt(p / 3000), \
                (steps, limit, share, p)


def leaning(run, rng):
    run.pages[rng.random(len(run)) < 0.1, 0] = 3


def repeating(run, rng):
    again = 3 + np.flatnonzero(rng.random(len(run) - 3) < 0.06)
    run.pages[again, 1] = run.pages[again - 3, 1]


def swapped(run, rng):
    run.pages[5] = run.pages[5, ::-1]
    run.misshapen[5] = True


def twin(run, rng):
    same = rng.random(len(run)) < 0.15
    run.pages[same, 1] = run.pages[same, 0] + run.half_pages


def following(run, rng):
    after = 1 + np.flatnonzero(rng.random(len(run) - 1) < 0.15)
    run.pages[after, 0] = (run.pages[after - 1, 0] + 5) % run.half_pages


def keyed(run, rng):
    often = run.key == 1
    run.pages[often & (rng.random(len(run)) < 0.3), 1] = run.half_pages + 2
    run.pages[~often & (rng.random(len(run)) < 0.03), 1] = run.half_pages + 9


def telling(run, rng):
    told = (run.kind == 1) & (rng.random(len(run)) < 0.3)
    run.pages[told, 1] = run.half_pages + rng.integers(run.half_pages // 2, size=told.sum())


def timed(run, rng):
    run.timing["response"][run.kind == 3] -= 1


def slowed(run, rng):
    run.timing["interval"][:-1] += run.kind[1:] == 2


@pytest.mark.parametrize("change, name, silent", [
    (leaning, "chi2 first", "chi2 second"),
    (repeating, "lag 3 second", "lag 2 second"),
    (repeating, "lag 3 set", "lag 3 first"),
    (swapped, "shape", "lag 1 set"),
    (twin, "pair first, second", "chi2 second"),
    (following, "pair first, next", "lag 1 first"),
    (keyed, "same key second", "same key first"),
    (telling, "second by operation", "first by operation"),
    (timed, "response by operation", "last request by operation"),
    (slowed, "interval by next operation", "interval by operation"),
    (leaning, "KS first against others", "KS second against others"),
], ids=lambda value: getattr(value, "__name__", value))
def test_each_statistic_finds_what_it_is_for(change, name, silent):
    rng = np.random.default_rng(6)
    runs = {"changed": chance(rng), "other": chance(rng)}
    change(runs["changed"], rng)
    found = report(runs)
    assert abs(found.z["changed", name]) > 5
    assert abs(found.z["changed", silent]) < 4
    assert not found.sound and found.p < 1e-4


def test_workloads_that_differ_are_told_apart_whatever_is_usual():
    """Pages that return more often, or less, are no matter, unless one workload's do it."""
    rng = np.random.default_rng(7)
    runs = {name: chance(rng) for name in "abc"}
    for run in runs.values():
        again = 1 + np.flatnonzero(rng.random(len(run) - 1) < 0.05)
        run.pages[again] = run.pages[again - 1]
    usual = report(runs).z
    again = 1 + np.flatnonzero(rng.random(len(runs["b"]) - 1) < 0.1)
    runs["b"].pages[again] = runs["b"].pages[again - 1]
    other = report(runs).z
    for place in ("set", "first", "second"):
        assert usual["b", f"lag 1 {place}"] > 5
        assert abs(usual["b", f"lag 1 {place} against others"]) < 4
        assert other["b", f"lag 1 {place} against others"] > 5


def test_a_trace_is_taken_apart():
    cycles = [[10, 3, 0], [11, 12, 0], [20, 3, 1], [21, 12, 1],
              [30, 0, 0], [32, 15, 0], [40, 0, 1], [41, 15, 1],
              [43, 5, 0], [44, 9, 0], [50, 5, 1],
              [60, 9, 0], [61, 5, 0], [62, 9, 1], [63, 5, 1]]
    run = observe(np.array(cycles), np.array([[23, 0, 1], [42, 1, 0], [51, 0, 0], [66, 0, 1]]),
                  np.array([1, 1, 2, 3]), np.array([7, 8, 7, 7]), 8)
    assert run.pages.tolist() == [[3, 12], [0, 15], [5, 9], [9, 5]]
    assert {name: values.tolist() for name, values in run.timing.items()} == {
        "reads apart": [1, 2, 1, 1], "requests": [4, 4, 3, 4], "last request": [11, 11, 7, 3],
        "response": [2, 1, 1, 3], "interval": [20, 13, 17, 17]}
    assert run.misshapen.tolist() == [False, False, True, True]
    assert len(set(run.kind.tolist())) == 4 and run.key.tolist() == [7, 8, 7, 7]
    part = run.part(slice(1, 3))
    assert len(part) == 2 and part.timing["interval"].tolist() == [13, 17]
    assert part.pages.tolist() == [[0, 15], [5, 9]] and part.misshapen.tolist() == [False, True]


@pytest.mark.parametrize("first, rows", [(0, 3), (1, 4), (0, 0)],
                         ids=["odd", "write-first", "empty"])
def test_other_traces_are_refused(first, rows):
    requests = np.array([[0, 1, first], [1, 9, 0], [2, 1, 0], [3, 9, 0]])[:rows]
    responses = np.zeros((rows // 2, 3), int)
    with pytest.raises(ValueError, match="reads are not two for each of"):
        observe(requests, responses, np.zeros(rows // 2), np.zeros(rows // 2), 8)


def test_a_report_is_corrected_for_its_statistics():
    found = Report({("a", "x"): 1.0, ("a", "y"): -3.5, ("b", "x"): 2.0}, 10)
    assert found.worst == ("a", "y") and found.greatest == 3.5 and found.sound
    assert found.p_values["b", "x"] == pytest.approx(0.0455, abs=1e-4)
    assert found.p == pytest.approx(3 * found.p_values["a", "y"])
    assert two_sided(found.corrected) == pytest.approx(found.p)
    assert str(found) == ("10 operations, 3 statistics: greatest |z| 3.50 (a: y), "
                          "corrected 3.20, p 0.0014")
    assert not Report({("a", "x"): -4.01}, 1).sound
    many = {("a", str(number)): 0.0 for number in range(99)}
    assert Report(many | {("a", "x"): 4.9}, 1).sound
    assert not Report(many | {("a", "x"): 5.1}, 1).sound
    assert not Report(many | {("a", "x"): np.inf}, 1).sound


def test_few_operations_give_few_statistics():
    """None that chance would not fit; nothing divides by zero."""
    rng = np.random.default_rng(8)
    for n in (1, 2, 5, 40):
        with np.errstate(divide="raise", invalid="raise"):
            found = report({name: chance(rng, n, 512) for name in "ab"})
        assert found.sound
        assert not any(name == "lag 1 set" for _, name in found.z)


def test_large_memories_are_told_apart_as_far_as_they_may():
    rng = np.random.default_rng(9)
    run = chance(rng, 20_000, 1 << 23)
    assert report({"a": run}).sound
    again = 1 + np.flatnonzero(rng.random(len(run) - 1) < 0.05)
    run.pages[again] = run.pages[again - 1]
    assert report({"a": run}).z["a", "lag 1 set"] > 5
