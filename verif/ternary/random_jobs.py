"""Beats of random jobs of the ternary core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import BLOCK, MULTIPLIER_BITS, SHIFT_BITS, TAG_BITS, TernaryConfig

from ..bits import pack_words
from ..rows import octets
from ..words import Words
from .formats import activation_order, encode_beats
from .job import refusal

Array = npt.NDArray[Any]
Beats = dict[str, Words]


class Ask(NamedTuple):
    """A job to be made; with a size that is refused, its `cfg` beat alone.

    `extreme` of +1 or -1 makes every product the largest or the most negative; `codes` sprinkles
    weight codes that stand for nothing, `misframed` moves first and last.
    """

    n: int
    m: int
    extreme: int = 0
    codes: bool = False
    misframed: bool = False


class Places(NamedTuple):
    """Where weight beats belong.

    Attributes
    ----------
    tile_beats, tiles, counts, first : ndarray of int64, shape (jobs,)
        Beats of a row tile, row tiles, weight beats; and where a job's first row tile begins when
        those of all jobs are put together.
    job, tile, beat : ndarray of int64, shape (weight beats of all jobs,)
        Of each beat its job, its row tile, and its place there.
    """

    tile_beats: Array
    tiles: Array
    counts: Array
    first: Array
    job: Array
    tile: Array
    beat: Array

    @classmethod
    def of(cls, config: TernaryConfig, asked: Sequence[Ask]) -> Places:
        """Of some jobs one after another."""
        taken = [not refusal(config, ask.n, ask.m) for ask in asked]
        tile_beats = np.array([config.tile_beats(ask.n) if one else 0
                               for ask, one in zip(asked, taken, strict=True)])
        tiles = np.array([-(-ask.m // config.keys) if one else 0
                          for ask, one in zip(asked, taken, strict=True)])
        counts = tile_beats * tiles
        job = np.repeat(np.arange(len(asked)), counts)
        place = np.arange(len(job)) - (counts.cumsum() - counts)[job]
        if config.serial:
            beat, tile = np.divmod(place, tiles[job])
        else:
            tile, beat = np.divmod(place, tile_beats[job])
        return cls(tile_beats, tiles, counts, tile_beats.cumsum() - tile_beats, job, tile, beat)


@dataclass(frozen=True)
class Jobs:
    """Makes the beats of jobs of a configuration from a random generator."""

    config: TernaryConfig
    rng: np.random.Generator

    def size(self, most_beats: int = 6, most_tiles: int = 3) -> tuple[int, int]:
        """A random n and m of a few beats, tails included."""
        return self.sizes([most_beats], most_tiles)[0]

    def sizes(self, most_beats: Sequence[int], most_tiles: int = 3) -> list[tuple[int, int]]:
        """As many as there are limits of beats."""
        config = self.config
        unit = BLOCK if config.block_format else 1
        sizes = []
        for most, (n, m, tall) in zip(most_beats, self.rng.random((len(most_beats), 3)).tolist(),
                                      strict=True):
            span = unit if config.block_format else config.columns * most
            tiles = config.build_cycles + 3 if config.serial and tall < 0.3 else most_tiles
            sizes.append((unit * (1 + int(n * max(1, min(span, config.n_max) // unit))),
                          1 + int(m * min(tiles * config.keys, config.m_max))))
        return sizes

    def job(self, n: int, m: int, extreme: int = 0, codes: bool = False,
            misframed: bool = False) -> Beats:
        """All beats of one job; see `Ask`."""
        return self.jobs([Ask(n, m, extreme, codes, misframed)])

    def jobs(self, asked: Sequence[Ask]) -> Beats:
        """All beats of some jobs, one after another."""
        return self.groups([asked])[0]

    def groups(self, groups: Sequence[Sequence[Ask]]) -> list[Beats]:
        """All beats of each group of jobs; many of them are made quicker at once."""
        asked = [ask for group in groups for ask in group]
        places = Places.of(self.config, asked)
        streams = {"cfg": (self._cfg_words([self.cfg(ask.n, ask.m) for ask in asked]),
                           np.ones(len(asked), np.int64)),
                   "a": self._activation_beats(asked, places),
                   "w": (self._weight_beats(asked, places), places.counts)}
        if self.config.addend:
            extreme = np.repeat([ask.extreme for ask in asked], places.tiles)
            streams["addend"] = self.addends(extreme), places.tiles
        ends = np.cumsum([len(group) for group in groups])
        parts = {name: _split(words, np.concatenate([[0], counts.cumsum()])[ends].tolist())
                 for name, (words, counts) in streams.items()}
        return [dict(zip(parts, of, strict=True)) for of in zip(*parts.values(), strict=True)]

    def lone(self, cfg: int) -> Beats:
        """A `cfg` beat alone."""
        return {"cfg": self._cfg_words([cfg])}

    def _cfg_words(self, payloads: Sequence[int]) -> Words:
        return Words.of(payloads, octets(self.config.port("cfg").width))

    def _weight_beats(self, asked: Sequence[Ask], places: Places) -> Words:
        config, rng, job = self.config, self.rng, places.job
        # the columns past n are as full as the others: it is the core that leaves them out
        weights = rng.integers(-1, 2, (len(job), config.keys, config.columns), np.int8)
        extreme = np.array([ask.extreme for ask in asked], np.int8)[job]
        if extreme.any():
            weights = np.where(extreme[:, None, None], -extreme[:, None, None], weights)
        rows = np.array([ask.m for ask in asked])[job] - config.keys * places.tile
        short = np.flatnonzero(rows < config.keys)
        weights[short] *= (np.arange(config.keys) < rows[short, None])[:, :, None]
        if config.block_format:
            blank = self._blank(asked, places)[places.first[job] + places.beat][:, None, :]
            weights = np.where(blank, -1 if config.weight_format == "tq1_0" else 0, weights)
        words = encode_beats(config, weights.reshape(len(job), -1))
        noisy = np.flatnonzero(np.array([ask.codes for ask in asked])[job]
                               & (rng.random(len(job)) < 0.3))
        words.octets[noisy] |= self._noise(len(noisy), config.keys * config.weight_bits)
        return words

    def _blank(self, asked: Sequence[Ask], places: Places) -> Array:
        """Which slots of the jobs' first row tiles carry no weight."""
        orders = [activation_order(self.config, ask.n)
                  for ask, count in zip(asked, places.counts, strict=True) if count]
        return np.concatenate([[], *orders]).reshape(-1, self.config.columns) < 0

    def _activation_beats(self, asked: Sequence[Ask], places: Places) -> tuple[Words, Array]:
        """All beats, and how many each job has."""
        config, rng, counts = self.config, self.rng, places.tile_beats
        x = self.activations((int(counts.sum()), config.batch, config.columns))
        extreme = np.repeat([ask.extreme for ask in asked], counts)
        if extreme.any():
            # of floating ones the most negative that is finite
            most = (0x7f7f if config.act == "bf16" else 0x7bff) | 0x8000
            low = most if config.floating else -1 << config.act_bits - 1
            x = np.where(extreme[:, None, None], low, x)
        if config.block_format:
            x = np.where(self._blank(asked, places)[:, None, :], 0, x)
        data = pack_words(x.reshape(len(x), -1), config.act_bits).octets
        bits = config.batch * config.columns * config.act_bits
        words = Words(np.pad(data, ((0, 0), (0, octets(bits + 2) - data.shape[1]))))
        first, tall = places.first[counts > 0], counts[counts > 0]
        words.flip(first, bits, 1)
        words.flip(first + tall - 1, bits, 2)
        job = np.repeat(np.arange(len(asked)), counts)
        if not config.serial:
            job, counts = places.job, places.counts
            words = Words(words.octets[places.first[job] + places.beat])
        moved = np.flatnonzero(np.array([ask.misframed for ask in asked])[job]
                               & (rng.random(len(job)) < 0.3))
        words.flip(moved, bits, rng.integers(4, size=len(moved)))
        return words, counts

    def cfg(self, n: int, m: int) -> int:
        """A `cfg` payload with random tag and scale.

        Three scales in four bring the usual sums of `n` products into the range of int8: with
        one drawn blindly most results are 0 or saturate, and hide what happens to them.
        """
        word: int = self.config.port("cfg").pack({
            "n": n, "m": m, "tag": int(self.rng.integers(1 << TAG_BITS)), **self._scales(n)})
        return word

    def _scales(self, n: int) -> dict[str, list[int]]:
        batch = range(self.config.batch)
        if self.config.out == "fp32_scaled":
            return {"scale": self._floats("fp32", (1, len(batch)))[0].tolist()}
        if self.config.out == "int8_requant":
            scales = [self._scale(n) for _ in batch]
            return {"multiplier": [multiplier for multiplier, _ in scales],
                    "shift": [shift for _, shift in scales]}
        return {}

    def _scale(self, n: int) -> tuple[int, int]:
        rng, most = self.rng, (1 << SHIFT_BITS) - 1
        multiplier, shift = int(rng.integers(1 << MULTIPLIER_BITS)), int(rng.integers(most + 1))
        if rng.random() < 0.75:
            multiplier |= 1 << MULTIPLIER_BITS - 1
            usual = self.config.act_bits - 1 + n.bit_length() // 2
            shift = min(most, max(0, MULTIPLIER_BITS + usual - 8 + int(rng.integers(3))))
        return multiplier, shift

    def activations(self, shape: tuple[int, ...]) -> Array:
        """Values of full range; of floating ones their bits."""
        config = self.config
        if config.floating:
            return self._floats(config.act, (shape[0], int(np.prod(shape[1:])))).reshape(shape)
        low, high = -(1 << config.act_bits - 1), (1 << config.act_bits - 1) - 1
        return self.rng.integers(low, high + 1, shape)

    def _floats(self, form: str, count: tuple[int, int]) -> Array:
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
        # in most rows none is infinite or NaN, which would hide all else
        rare = rng.random((count[0], 1)) < 0.2
        bounds = np.where(rare[:, :, None], [0.6, 0.85, 0.98], [0.7, 0.7, 1.0])
        kind = (rng.random(count)[:, :, None] >= bounds).sum(axis=2)
        return np.choose(kind, [like, bits, special, endless])

    def refused(self) -> list[Ask]:
        """Every size that the core refuses, and that the fields of `cfg` can hold."""
        config = self.config
        n, m = self.size()
        sizes = [(0, m), (n, 0), (0, 0)]
        sizes += [(large, m) for large in _above(config.n_max, config.n_bits)]
        sizes += [(n, large) for large in _above(config.m_max, config.m_bits)]
        if config.block_format:
            sizes += [(n - 1, m), (1, m)]
        return [Ask(*size) for size in sizes]

    def powers(self) -> list[int]:
        """A `cfg` of every size that has one bit in a counter of its own, and is legal."""
        config = self.config
        unit = BLOCK if config.block_format else 1
        return [self.cfg(unit << bit, 1) for bit in range(config.n_bits)
                if unit << bit <= config.n_max] + [
            self.cfg(unit, 1 << bit) for bit in range(config.m_bits) if 1 << bit <= config.m_max]

    def addends(self, extreme: Array) -> Words:
        """`addend` beats, each extreme, or not if 0, as of `Ask`."""
        config, width = self.config, self.config.addend_width
        shape = (len(extreme), config.batch * config.keys)
        if config.floating:
            form = "fp32" if config.acc_format == "fp32" else config.act
            values = self._floats(form, shape)
        else:
            low, high = -(1 << width - 1), (1 << width - 1) - 1
            values = self.rng.integers(low, high + 1, shape)
            values >>= self.rng.integers(width, size=shape)
            sides = extreme[:, None]
            values = np.where(sides > 0, high, np.where(sides < 0, low, values))
        return pack_words(values, width)

    def _noise(self, count: int, bits: int) -> Array:
        """Octets of random words of so many bits."""
        octets = -(-bits // 8)
        noise = self.rng.integers(0, 256, (count, octets), np.uint8)
        noise[:, -1] &= 255 >> 8 * octets - bits
        return noise


def _above(most: int, bits: int) -> list[int]:
    """The sizes of so many bits that are above the largest legal one by a power of two."""
    return [most + (1 << bit) for bit in range(bits) if most + (1 << bit) < 1 << bits]


def _split(words: Words, ends: Sequence[int]) -> list[Words]:
    """The words up to each end."""
    return [words[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
