"""What can be learnt from the addresses that a table's user reads in somebody else's memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, exp, sqrt

import numpy as np

_EXPECTED = 5
"""Least count in a bin for which chi-square is used; addresses share bins to reach it."""


@dataclass(frozen=True)
class Seen:
    """Addresses read, in time.

    Attributes
    ----------
    time : np.ndarray
        Shape (n,): the lookup in which each was read.
    address : np.ndarray
        Shape (n,): from 0 on.
    size : int
        Addresses that there are; in each part a power of two.
    parts : int
        Equal parts of them, each of which has the same number of reads by design.
    """

    time: np.ndarray
    address: np.ndarray
    size: int
    parts: int = 1

    def counts(self) -> np.ndarray:
        """Reads by part and address, shape (parts, size / parts)."""
        return np.bincount(self.address, minlength=self.size).reshape(self.parts, -1)


def direct_mapped(rows: np.ndarray, size: int, lines: int) -> Seen:
    """Misses of a direct-mapped cache of `lines` rows in front of a plain table.

    Parameters
    ----------
    rows : np.ndarray
        Shape (n,): the row of each lookup.
    size : int
        Rows of the table.
    lines : int
    """
    held = np.full(lines, -1)
    missed = []
    for time, row in enumerate(rows.tolist()):
        if held[row % lines] != row:
            held[row % lines] = row
            missed.append(time)
    return Seen(np.array(missed), rows[missed], size)


def busiest(seen: Seen) -> float:
    """Share of the reads that the busiest address has."""
    return float(seen.counts().max()) / len(seen.address)


def chi_square(seen: Seen) -> tuple[float, float]:
    """Chi-square over its degrees of freedom, of the addresses against uniform ones, and p.

    p is the chance that uniform addresses give as much (Wilson and Hilferty 1931).
    """
    counts = seen.counts()
    reads = counts.sum(axis=1).min()
    while counts.shape[1] > 2 and reads < _EXPECTED * counts.shape[1]:
        counts = counts.reshape(len(counts), -1, 2).sum(axis=2)
    expected = counts.sum(axis=1, keepdims=True) / counts.shape[1]
    freedom = counts.size - len(counts)
    ratio = float(((counts - expected) ** 2 / expected).sum()) / freedom
    spread = 2 / (9 * freedom)
    z = (ratio ** (1 / 3) - (1 - spread)) / sqrt(spread)
    return ratio, erfc(z / sqrt(2)) / 2


def kolmogorov_smirnov(one: Seen, other: Seen) -> tuple[float, float]:
    """Greatest distance between the distributions of two lists of addresses, and p.

    p is the chance that two lists from the same distribution are so far apart, at most: the
    asymptotic one of continuous numbers, times the parts, in each of which the distance is taken.
    """
    farthest, least = 0.0, 1.0
    for left, right in zip(one.counts(), other.counts(), strict=True):
        sizes = int(left.sum()), int(right.sum())
        distance = float(np.abs(np.cumsum(left) / sizes[0] - np.cumsum(right) / sizes[1]).max())
        scaled = distance * sqrt(sizes[0] * sizes[1] / sum(sizes))
        p = 2 * sum((-1) ** (k - 1) * exp(-2 * (k * scaled) ** 2) for k in range(1, 101)) \
            if scaled > 0.3 else 1.0
        farthest, least = max(farthest, distance), min(least, p)
    return farthest, min(1.0, max(0.0, least * one.parts))
