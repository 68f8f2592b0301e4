"""Statistics of what the host sees: whether its pages are random, and tell of nothing else.

Each pair of pages that a sound controller reveals is a fresh draw, so that the pages of all
operations are independent, and uniform in their half. This is what is tested here; under it
every statistic is a standard normal variable, in close approximation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import erfc, inf, sqrt
from statistics import NormalDist

import numpy as np

from .observed import Observed

LIMIT = 4.0
"""Least absolute z, corrected for the number of statistics, of a trace that is not sound."""

LAGS = 8
_PLACES = ("set", "first", "second")
_IN_CELL, _COINCIDE = 16, 64
"""Least counts that are expected in a cell of a table, and of coincidences: pages are told apart
by as many of their leading bits as give them."""

_MOST_BINS = 64
_GRID = 0.5826
"""What a Brownian bridge exceeds its maximum on a grid by, in steps' standard deviations:
-zeta(1/2) / sqrt(2 pi) (Chernoff 1965)."""


@dataclass(frozen=True)
class Report:
    """z of each statistic, by workload and name.

    Attributes
    ----------
    z : dict of (str, str) to float
        Infinite where something is seen that may never be.
    operations : int
        Of all workloads.
    """

    z: dict[tuple[str, str], float]
    operations: int

    @property
    def p_values(self) -> dict[tuple[str, str], float]:
        """Chance of each statistic to be as far off."""
        return {name: two_sided(z) for name, z in self.z.items()}

    @property
    def worst(self) -> tuple[str, str]:
        """The workload and the statistic that are farthest off."""
        return max(self.z, key=lambda name: abs(self.z[name]))

    @property
    def greatest(self) -> float:
        """The greatest absolute z."""
        return abs(self.z[self.worst])

    @property
    def p(self) -> float:
        """Chance that any statistic of a sound trace is so far off, at most (Bonferroni)."""
        return min(1.0, len(self.z) * two_sided(self.greatest))

    @property
    def corrected(self) -> float:
        """The absolute z of a single statistic that would be as unlikely as that."""
        return _z_of(self.p)

    @property
    def sound(self) -> bool:
        """Whether the corrected z is below `LIMIT`: all but 6.3e-5 of sound traces."""
        return self.corrected < LIMIT

    def __str__(self) -> str:
        workload, name = self.worst
        return (f"{self.operations} operations, {len(self.z)} statistics: greatest |z| "
                f"{self.greatest:.2f} ({workload}: {name}), corrected {self.corrected:.2f}, "
                f"p {self.p:.2g}")


def report(runs: Mapping[str, Observed], lags: int = LAGS) -> Report:
    """All statistics of the runs of several workloads, alone and against each other.

    Parameters
    ----------
    runs : mapping of str to Observed
        By workload.
    lags : int
        Lags up to which coincidences are counted.

    Returns
    -------
    Report
        Its names are those of the functions that follow.
    """
    z = {}
    for workload, run in runs.items():
        for part in (shape(run), positions(run), coincidences(run, lags), same_key(run),
                     pairs(run), by_operation(run)):
            z.update({(workload, name): value for name, value in part})
    for workload in runs if len(runs) > 1 else ():
        others = [run for name, run in runs.items() if name != workload]
        z.update({(workload, name): value for name, value in against(runs[workload], others)})
    return Report(z, sum(map(len, runs.values())))


def shape(run: Observed) -> Iterator[tuple[str, float]]:
    """Infinite if any operation is misshapen."""
    yield "shape", inf if run.misshapen.any() else 0.0


def positions(run: Observed) -> Iterator[tuple[str, float]]:
    """Chi-square of the pages in each position against uniform ones."""
    for name, values in _places(run):
        bins, binned = _binned(values, run.half_pages, len(run) // _IN_CELL)
        counts = np.bincount(binned, minlength=bins)
        expected = len(run) / bins
        yield f"chi2 {name}", _chi_square(float(((counts - expected) ** 2).sum() / expected),
                                          bins - 1)


def coincidences(run: Observed, lags: int) -> Iterator[tuple[str, float]]:
    """Pages that operations at some distance have in common, as sets and place by place.

    Of n operations, m = n - k have one k later. Under uniform independent pages, H in a half,
    any two of these m coincidences in a place are independent, also those that share an
    operation, and so are those of the two halves: the count in a place has mean m / H and
    variance m (1 - 1/H) / H, that of the sets twice both.
    """
    size, pages = _told_apart(run)
    for lag in range(1, min(lags, len(run) - 1) + 1):
        yield from _coincidences(f"lag {lag}", pages[:-lag], pages[lag:], size)


def same_key(run: Observed) -> Iterator[tuple[str, float]]:
    """Pages that operations have in common with the last one on the same key."""
    order = np.argsort(run.key, kind="stable")
    again = run.key[order[1:]] == run.key[order[:-1]]
    size, pages = _told_apart(run)
    yield from _coincidences("same key", pages[order[:-1][again]], pages[order[1:][again]], size)


def _coincidences(name: str, one: np.ndarray, other: np.ndarray,
                  size: int) -> Iterator[tuple[str, float]]:
    mean, p = len(one) / size, 1 / size
    if mean < _COINCIDE or size == 1:
        return
    deviation = sqrt(mean * (1 - p))
    for place, same, halves in zip(_PLACES, _shared(one, other), (2, 1, 1), strict=True):
        yield f"{name} {place}", (int(same.sum()) - halves * mean) / (sqrt(halves) * deviation)


def pairs(run: Observed) -> Iterator[tuple[str, float]]:
    """Chi-square of independence: of the two pages, and of each and the one before it.

    Transitions of a sequence without memory may be tested as if they were apart
    (Bartlett 1951).
    """
    (_, first), (_, second) = _places(run)
    for name, left, right in (("first, second", first, second),
                              ("first, next", first[:-1], first[1:]),
                              ("second, next", second[:-1], second[1:]),
                              ("second, next first", second[:-1], first[1:])):
        most = int(sqrt(len(left) / _IN_CELL))
        bins, left = _binned(left, run.half_pages, min(most, _MOST_BINS))
        _, right = _binned(right, run.half_pages, min(most, _MOST_BINS))
        yield f"pair {name}", _independence(left, right, bins, bins)


def by_operation(run: Observed) -> Iterator[tuple[str, float]]:
    """Chi-square of independence between what can be seen, and the operation and its end."""
    kinds, kind = np.unique(run.kind, return_inverse=True)
    for name, values in _places(run):
        most = len(run) // _IN_CELL // len(kinds)
        bins, binned = _binned(values, run.half_pages, min(most, _MOST_BINS))
        yield f"{name} by operation", _independence(binned, kind, bins, len(kinds))
    for name, values in run.timing.items():
        times, time = np.unique(values, return_inverse=True)
        yield f"{name} by operation", _independence(time, kind, len(times), len(kinds))
    times, time = np.unique(run.timing["interval"][:-1], return_inverse=True)
    yield "interval by next operation", _independence(time, kind[1:], len(times), len(kinds))


def against(run: Observed, others: list[Observed]) -> Iterator[tuple[str, float]]:
    """A workload against all others: coincidences, and Kolmogorov-Smirnov of the pages.

    Nothing is supposed here about how pages are drawn, only that it is the same for all.
    """
    size = min(_told_apart(each)[0] for each in (run, *others))
    here, there = (list(_rates(group, size)) for group in ([run], others))
    for name, one, other in zip(_PLACES, here, there, strict=True) if size > 1 else ():
        p = (one[0] + other[0]) / (one[1] + other[1])
        deviation = sqrt(p * (1 - p) * (1 / one[1] + 1 / other[1]))
        difference = one[0] / one[1] - other[0] / other[1]
        yield f"lag 1 {name} against others", difference / deviation if deviation else 0.0
    for column, name in enumerate(("first", "second")):
        counts = [np.bincount(np.concatenate([each.pages[:, column] for each in group])
                              % run.half_pages, minlength=run.half_pages)
                  for group in ([run], others)]
        yield f"KS {name} against others", kolmogorov_smirnov(*counts)


def _rates(runs: list[Observed], size: int) -> Iterator[tuple[int, int]]:
    """Operations that coincide with the next one as sets, and place by place; out of how many."""
    pages = [_reduced(run.pages, run.half_pages, size) for run in runs]
    same = [_shared(each[:-1], each[1:]) for each in pages]
    for place in zip(*same, strict=True):
        yield sum(int((one > 0).sum()) for one in place), sum(map(len, place))


def kolmogorov_smirnov(one: np.ndarray, other: np.ndarray) -> float:
    """Two-sample Kolmogorov-Smirnov of uniform numbers, by their counts; z of half a normal.

    The asymptotic distribution, on a grid of equal steps: what it lacks to a continuous one is
    added.
    """
    sizes = int(one.sum()), int(other.sum())
    distance = np.abs(np.cumsum(one) / sizes[0] - np.cumsum(other) / sizes[1]).max()
    scaled = distance * sqrt(sizes[0] * sizes[1] / sum(sizes)) + _GRID / sqrt(len(one))
    if scaled < 0.3:
        return 0.0
    terms = np.arange(1, 101)
    p = 2 * float(((-1.0) ** (terms - 1) * np.exp(-2 * (terms * scaled) ** 2)).sum())
    return _z_of(min(p, 1.0)) if p > 0 else float(2 * scaled)


def two_sided(z: float) -> float:
    """Chance that a standard normal variable is at least as far off."""
    return erfc(abs(z) / sqrt(2))


def _z_of(p: float) -> float:
    return abs(NormalDist().inv_cdf(p / 2)) if p > 0 else inf


def _chi_square(value: float, freedom: int) -> float:
    """z of a chi-square variable (Wilson and Hilferty 1931)."""
    if freedom == 0:
        return 0.0
    spread = 2 / (9 * freedom)
    return ((value / freedom) ** (1 / 3) - (1 - spread)) / sqrt(spread)


def _independence(rows: np.ndarray, columns: np.ndarray, n_rows: int, n_columns: int) -> float:
    """z of a contingency table's chi-square, rare rows and rare columns taken together."""
    if n_rows == 1 or n_columns == 1:
        return 0.0
    table = np.bincount(rows * n_columns + columns, minlength=n_rows * n_columns)
    table = table.reshape(n_rows, n_columns).astype(float)
    table = _gathered(_gathered(table).T)
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return _chi_square(float(((table - expected) ** 2 / expected).sum()), freedom)


def _gathered(table: np.ndarray) -> np.ndarray:
    """A table whose rows are all of some weight: those that are not make one together."""
    weight = table.sum(1)
    rare = weight < _IN_CELL * table.shape[1]
    if not rare.any():
        return table
    rest = table[rare].sum(0)
    kept = table[~rare]
    if rest.sum() < _IN_CELL * table.shape[1] and len(kept):
        kept[np.argmin(kept.sum(1))] += rest
        return kept
    return np.vstack([kept, rest])


def _places(run: Observed) -> list[tuple[str, np.ndarray]]:
    """The pages of each place, numbered in their half."""
    return [(name, run.pages[:, column] % run.half_pages)
            for column, name in enumerate(("first", "second"))]


def _binned(values: np.ndarray, size: int, most: int) -> tuple[int, np.ndarray]:
    """Numbers below `size`, a power of two, by their leading bits: at most `most` bins."""
    shift = 0
    while size >> shift > max(most, 1):
        shift += 1
    return size >> shift, values >> shift


def _told_apart(run: Observed) -> tuple[int, np.ndarray]:
    """Pages of a half that are told apart, so that enough of them coincide; and the pages."""
    size, _ = _binned(np.zeros(0, int), run.half_pages, len(run) // (2 * _COINCIDE))
    return size, _reduced(run.pages, run.half_pages, size)


def _reduced(pages: np.ndarray, half_pages: int, size: int) -> np.ndarray:
    return pages >> (half_pages // size).bit_length() - 1


def _shared(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pages that operations share in any place (0 to 2), in the first, and in the second."""
    straight = one == other
    crossed = one == other[:, ::-1]
    anywhere = straight | crossed
    shared = anywhere[:, 0] + (anywhere[:, 1] & (one[:, 0] != one[:, 1])).astype(np.int8)
    return shared, straight[:, 0], straight[:, 1]
