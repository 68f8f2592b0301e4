"""Jobs for the ternary core: directed corners first, then random ones without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pimlico.hdl.ternary.config import BLOCK, MULTIPLIER_BITS, SHIFT_BITS, TAG_BITS, TernaryConfig

from ..bits import pack
from ..episode import Episode
from .formats import activation_beats, beats

Beats = dict[str, list[int]]


@dataclass(frozen=True)
class Jobs:
    """Makes the beats of jobs of a configuration from a random generator."""

    config: TernaryConfig
    rng: np.random.Generator

    def size(self, most_beats: int = 6, most_tiles: int = 3) -> tuple[int, int]:
        """A random n and m of a few beats, tails included."""
        config = self.config
        unit = BLOCK if config.block_format else 1
        span = unit if config.block_format else config.columns * most_beats
        n = unit * int(self.rng.integers(1, max(1, min(span, config.n_max) // unit) + 1))
        m = int(self.rng.integers(1, min(most_tiles * config.keys, config.m_max) + 1))
        return n, m

    def job(self, n: int, m: int, extreme: int | None = None, codes: bool = False,
            misframed: bool = False) -> Beats:
        """All beats of one job.

        `extreme` of +1 or -1 makes every product the largest or the most negative; `codes`
        sprinkles weight codes that stand for nothing, `misframed` moves first and last.
        """
        config, rng = self.config, self.rng
        low, high = -(1 << config.act_bits - 1), (1 << config.act_bits - 1) - 1
        if extreme is None:
            x = rng.integers(low, high + 1, n)
            weights = rng.integers(-1, 2, (m, n)).astype(np.int8)
        else:
            x = np.full(n, low)
            weights = np.full((m, n), -extreme, np.int8)
        words = beats(config, weights)
        activations = activation_beats(config, x, m)
        if codes:
            bits = config.keys * config.weight_bits
            words = [word | self._noise(bits) if rng.random() < 0.3 else word for word in words]
        if misframed:
            bits = config.columns * config.act_bits
            activations = [word ^ int(rng.integers(4)) << bits if rng.random() < 0.3 else word
                           for word in activations]
        out: Beats = {"cfg": [self.cfg(n, m)], "a": activations, "w": words}
        if config.addend:
            out["addend"] = self._addends(-(-m // config.keys), extreme)
        return out

    def cfg(self, n: int, m: int) -> int:
        """A `cfg` payload with random tag and scale.

        Three scales in four bring the usual sums of `n` products into the range of int8: with
        one drawn blindly most results are 0 or saturate, and hide what happens to them.
        """
        rng, most = self.rng, (1 << SHIFT_BITS) - 1
        multiplier, shift = int(rng.integers(1 << MULTIPLIER_BITS)), int(rng.integers(most + 1))
        if rng.random() < 0.75:
            multiplier |= 1 << MULTIPLIER_BITS - 1
            usual = self.config.act_bits - 1 + n.bit_length() // 2
            shift = min(most, max(0, MULTIPLIER_BITS + usual - 8 + int(rng.integers(3))))
        return self.config.port("cfg").pack({
            "n": n, "m": m, "tag": int(rng.integers(1 << TAG_BITS)),
            "multiplier": multiplier, "shift": shift})

    def refused(self) -> list[int]:
        """Every `cfg` that the core refuses, and that its fields can hold."""
        config = self.config
        n, m = self.size()
        sizes = [(0, m), (n, 0), (0, 0)]
        if config.n_max + 1 < 1 << config.n_bits:
            sizes.append((config.n_max + 1, m))
        if config.m_max + 1 < 1 << config.m_bits:
            sizes.append((n, config.m_max + 1))
        if config.block_format:
            sizes += [(n - 1, m), (1, m)]
        return [self.cfg(*size) for size in sizes]

    def _addends(self, tiles: int, extreme: int | None) -> list[int]:
        config = self.config
        width = config.acc_width - 1
        low, high = -(1 << width - 1), (1 << width - 1) - 1
        if extreme is None:
            values = self.rng.integers(low, high + 1, (tiles, config.keys))
            values >>= self.rng.integers(width, size=values.shape)
        else:
            values = np.full((tiles, config.keys), high if extreme > 0 else low)
        return pack(values, width)

    def _noise(self, bits: int) -> int:
        return int.from_bytes(self.rng.bytes(-(-bits // 8)), "little") & ((1 << bits) - 1)


def _join(jobs: list[Beats]) -> Beats:
    joined: Beats = {}
    for job in jobs:
        for name, words in job.items():
            joined.setdefault(name, []).extend(words)
    return joined


def episodes(config: TernaryConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Directed corners, then random episodes without end."""
    jobs = Jobs(config, rng)
    yield from _directed(config, rng, jobs)
    while True:
        yield _random(rng, jobs)


def _directed(config: TernaryConfig, rng: np.random.Generator, jobs: Jobs) -> Iterator[Episode]:
    unit = BLOCK if config.block_format else 1
    two_beats = unit if config.block_format else min(config.columns + 1, config.n_max)
    yield Episode("full rate", _join([jobs.job(*jobs.size()) for _ in range(4)]))
    yield Episode("single-beat jobs", _join([
        jobs.job(unit if config.block_format else int(
            rng.integers(1, min(config.columns, config.n_max) + 1)),
                 int(rng.integers(1, min(config.keys, config.m_max) + 1))) for _ in range(12)]))
    yield Episode("output stalled", _join([jobs.job(*jobs.size()) for _ in range(3)]),
                  ready={"o": 0.15})
    yield Episode("inputs starved", _join([jobs.job(*jobs.size()) for _ in range(3)]),
                  valid={"a": 0.3, "w": 0.4, "cfg": 0.2, "addend": 0.3})
    for extreme in (1, -1):
        yield Episode(f"extremes {extreme:+d}", _join([
            jobs.job(config.n_max, 1, extreme), jobs.job(two_beats, 1, extreme)]))
    tall = min(config.m_max, 400 * config.keys // max(1, config.tile_beats(unit)))
    yield Episode("most rows", jobs.job(unit, tall))
    yield Episode("refused jobs", _join([
        jobs.job(*jobs.size()),
        *({"cfg": [cfg]} for cfg in jobs.refused()),
        jobs.job(*jobs.size())]), wires={"status_clear": [0, 0, 0, 1, 0]}, valid={"cfg": 0.5})
    yield Episode("codes for no weight", _join(
        [jobs.job(*jobs.size(), codes=True) for _ in range(3)]),
        wires={"status_clear": [0] * 6 + [1]})
    yield Episode("misframed activations", _join(
        [jobs.job(*jobs.size(), misframed=True) for _ in range(3)]),
        wires={"status_clear": [0] * 4 + [1]})
    for _ in range(4):
        yield Episode("reset in a job", _join([jobs.job(*jobs.size(9)) for _ in range(3)]),
                      cycles=int(rng.integers(2, 40)))


def _random(rng: np.random.Generator, jobs: Jobs) -> Episode:
    def rate() -> float:
        return float(rng.choice([1.0, 1.0, 0.8, 0.5, 0.2]))

    most = int(rng.choice([2, 8, 40]))
    batch: list[Beats] = []
    for _ in range(int(rng.integers(2, 8))):
        if rng.random() < 0.1:
            batch.append({"cfg": [rng.choice(np.array(jobs.refused(), dtype=object))]})
        batch.append(jobs.job(*jobs.size(most), codes=rng.random() < 0.1,
                              misframed=rng.random() < 0.1))
    clears: Any = rng.random(64) < rng.choice([0.0, 0.05, 0.3])
    return Episode(
        "random jobs", _join(batch),
        valid={name: rate() for name in ("cfg", "a", "w", "addend")}, ready={"o": rate()},
        wires={"status_clear": clears.astype(int).tolist()},
        cycles=int(rng.integers(5, 200)) if rng.random() < 0.15 else None)
