"""Jobs for the ternary core: directed corners first, then random ones without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import BLOCK, MULTIPLIER_BITS, SHIFT_BITS, TAG_BITS, TernaryConfig

from ..bits import pack
from ..episode import Episode
from .formats import activation_beats, beats

Array = npt.NDArray[Any]
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
        if config.serial and self.rng.random() < 0.3:
            most_tiles = config.build_cycles + 3
        m = int(self.rng.integers(1, min(most_tiles * config.keys, config.m_max) + 1))
        return n, m

    def job(self, n: int, m: int, extreme: int | None = None, codes: bool = False,
            misframed: bool = False) -> Beats:
        """All beats of one job.

        `extreme` of +1 or -1 makes every product the largest or the most negative; `codes`
        sprinkles weight codes that stand for nothing, `misframed` moves first and last.
        """
        config, rng = self.config, self.rng
        # the columns past n are as full as the others: it is the core that leaves them out
        columns = n if config.block_format else config.tile_beats(n) * config.columns
        if extreme is None:
            x = self._activations(columns)
            weights = rng.integers(-1, 2, (m, columns)).astype(np.int8)
        else:
            # of floating ones the most negative that is finite
            most = (0x7f7f if config.act == "bf16" else 0x7bff) | 0x8000
            low = most if config.floating else -1 << config.act_bits - 1
            x = np.full((config.batch, columns), low)
            weights = np.full((m, columns), -extreme, np.int8)
        words = beats(config, weights)
        activations = activation_beats(config, x, m)
        if codes:
            bits = config.keys * config.weight_bits
            words = [word | self._noise(bits) if rng.random() < 0.3 else word for word in words]
        if misframed:
            bits = config.batch * config.columns * config.act_bits
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
        scales = [self._scale(n) for _ in range(self.config.batch)]
        return self.config.port("cfg").pack({
            "n": n, "m": m, "tag": int(self.rng.integers(1 << TAG_BITS)),
            **{field.name: [scale[field.name] for scale in scales]
               for field in self.config.scale_fields}})

    def _scale(self, n: int) -> dict[str, int]:
        rng, most = self.rng, (1 << SHIFT_BITS) - 1
        multiplier, shift = int(rng.integers(1 << MULTIPLIER_BITS)), int(rng.integers(most + 1))
        if rng.random() < 0.75:
            multiplier |= 1 << MULTIPLIER_BITS - 1
            usual = self.config.act_bits - 1 + n.bit_length() // 2
            shift = min(most, max(0, MULTIPLIER_BITS + usual - 8 + int(rng.integers(3))))
        return {"multiplier": multiplier, "shift": shift, "scale": int(self._floats("fp32", 1)[0])}

    def _activations(self, n: int) -> Array:
        """Values of full range, a row a vector; of floating ones their bits."""
        config, rng = self.config, self.rng
        shape = (config.batch, n)
        if config.floating:
            return self._floats(config.act, config.batch * n).reshape(shape)
        low, high = -(1 << config.act_bits - 1), (1 << config.act_bits - 1) - 1
        return rng.integers(low, high + 1, shape)

    def _floats(self, form: str, count: int) -> Array:
        """Bits of floating values: mostly of like size, so that sums cancel and round; of any
        size; and some subnormals, zeros, infinities and NaNs."""
        width, fraction = {"fp16": (16, 10), "bf16": (16, 7), "fp32": (32, 23)}[form]
        rng = self.rng
        bits = rng.integers(0, 1 << width, count)
        usual = (1 << width - fraction - 2) - 1 + rng.integers(-4, 5, count)
        like = bits & ~(((1 << width - 1) - 1) ^ ((1 << fraction) - 1)) | usual << fraction
        special = rng.choice(np.array([0, 1, (1 << fraction) - 1, 1 << fraction]), count) | (
            bits & 1 << width - 1)
        endless = bits | (1 << width - 1) - (1 << fraction)
        kind = rng.choice(4, count, p=self._kinds())
        return np.choose(kind, [like, bits, special, endless])

    def _kinds(self) -> list[float]:
        """How many values are of which kind: in half of the jobs none is infinite or NaN, which
        would hide all else."""
        return [0.6, 0.25, 0.13, 0.02] if self.rng.random() < 0.2 else [0.7, 0.0, 0.3, 0.0]

    def refused(self) -> list[int]:
        """Every `cfg` that the core refuses, and that its fields can hold."""
        config = self.config
        n, m = self.size()
        sizes = [(0, m), (n, 0), (0, 0)]
        sizes += [(large, m) for large in _above(config.n_max, config.n_bits)]
        sizes += [(n, large) for large in _above(config.m_max, config.m_bits)]
        if config.block_format:
            sizes += [(n - 1, m), (1, m)]
        return [self.cfg(*size) for size in sizes]

    def powers(self) -> list[int]:
        """A `cfg` of every size that has one bit in a counter of its own, and is legal."""
        config = self.config
        unit = BLOCK if config.block_format else 1
        return [self.cfg(unit << bit, 1) for bit in range(config.n_bits)
                if unit << bit <= config.n_max] + [
            self.cfg(unit, 1 << bit) for bit in range(config.m_bits) if 1 << bit <= config.m_max]

    def _addends(self, tiles: int, extreme: int | None) -> list[int]:
        config, width = self.config, self.config.addend_width
        shape = (tiles, config.batch * config.keys)
        if config.floating:
            form = "fp32" if config.acc_format == "fp32" else config.act
            return pack(self._floats(form, tiles * shape[1]).reshape(shape), width)
        low, high = -(1 << width - 1), (1 << width - 1) - 1
        if extreme is None:
            values = self.rng.integers(low, high + 1, shape)
            values >>= self.rng.integers(width, size=values.shape)
        else:
            values = np.full(shape, high if extreme > 0 else low)
        return pack(values, width)

    def _noise(self, bits: int) -> int:
        return int.from_bytes(self.rng.bytes(-(-bits // 8)), "little") & ((1 << bits) - 1)


def _above(most: int, bits: int) -> list[int]:
    """The sizes of so many bits that are above the largest legal one by a power of two."""
    return [most + (1 << bit) for bit in range(bits) if most + (1 << bit) < 1 << bits]


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
    for cfg in jobs.powers():
        yield Episode("a size of one bit", {"cfg": [cfg]}, cycles=4)
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
