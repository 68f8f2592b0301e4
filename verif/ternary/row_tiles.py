"""Results of many row tiles of the ternary core at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import TernaryConfig

from ..bits import pack, unpack
from ..words import Words
from .formats import activation_order, decode_beats
from .golden import requant, wrap
from .job import Job, ResultPort
from .tile import scaled

Array = npt.NDArray[Any]


class Stretch(NamedTuple):
    """Jobs one after another, with the payloads of their streams; `addends` where there is that
    stream."""

    jobs: Sequence[Job]
    a: Words
    w: Words
    addends: Sequence[int] | None


class Tile(NamedTuple):
    """A row tile: its number in the job, its first beat among those of its stretch, its addend."""

    job: Job
    number: int
    first: int
    addend: int | None

    @property
    def end(self) -> int:
        return self.first + self.job.tile_beats


def tiles_of(stretch: Stretch) -> Iterator[Tile]:
    """The row tiles of a stretch, as far as its beats go."""
    beats = min(len(stretch.a), len(stretch.w))
    first, addends = 0, iter(stretch.addends or ())
    for job in stretch.jobs:
        for number in range(job.tiles):
            addend = next(addends, None)
            if first + job.tile_beats > beats or (stretch.addends is not None and addend is None):
                return
            yield Tile(job, number, first, addend)
            first += job.tile_beats


def result_payloads(config: TernaryConfig,
                    stretches: Sequence[Stretch]) -> tuple[list[list[int]], Array]:
    """The `o` payloads of each stretch, one a row tile; and of all their `w` beats, whether they
    hold a code for no weight.

    Parameters
    ----------
    config : TernaryConfig
        With a parallel build.
    stretches : sequence of Stretch
    """
    port = ResultPort(config)
    tiles = [list(tiles_of(stretch)) for stretch in stretches]
    trits, bad = decode_beats(config, Words.joined(stretch.w for stretch in stretches))
    together = [tile for of in tiles for tile in of]
    if config.floating:
        return [[port.payload(tile.job, tile.number, stretch.a[tile.first:tile.end],
                              stretch.w[tile.first:tile.end], tile.addend) for tile in of]
                for stretch, of in zip(stretches, tiles, strict=True)], bad
    if not together:
        return [[] for _ in stretches], bad
    ends = [of[-1].end if of else 0 for of in tiles]
    a = Words.joined(stretch.a[:end] for stretch, end in zip(stretches, ends, strict=True))
    if sum(ends) < len(trits):
        trits = trits[np.concatenate([np.arange(len(stretch.w)) < end for stretch, end
                                      in zip(stretches, ends, strict=True)])]
    lanes = np.stack([_results(config, together, sums, vector) for vector, sums in enumerate(
        _sums(config, together, a, trits))], axis=1)
    words = iter(pack(lanes.reshape(len(together), -1), config.out_bits))
    return [[next(words) | port.tail(tile.job, tile.number) for tile in of] for of in tiles], bad


def _sums(config: TernaryConfig, tiles: Sequence[Tile], a: Words,
          trits: Array) -> list[Array]:
    """Accumulators (tiles, keys), vector by vector."""
    keys, columns, batch = config.keys, config.columns, config.batch
    lengths = np.array([tile.job.tile_beats for tile in tiles])
    starts = np.cumsum(lengths) - lengths
    if config.block_format:
        real = np.concatenate([activation_order(config, tile.job.n) >= 0 for tile in tiles])
    else:
        place = (np.arange(len(a)) - np.repeat(starts, lengths))[:, None] * columns
        real = place + np.arange(columns) < np.repeat([tile.job.n for tile in tiles],
                                                      lengths)[:, None]
    x = np.where(real.reshape(-1, 1, columns),
                 unpack(a, config.act_bits, batch * columns).reshape(-1, batch, columns), 0)
    added = None if not config.addend else unpack(
        [tile.addend or 0 for tile in tiles], config.addend_width, batch * keys).reshape(
            -1, batch, keys)
    sums = []
    for vector in range(batch):
        beats = np.einsum("bkc,bc->bk", trits, x[:, vector], dtype=np.int64)
        acc = np.add.reduceat(beats, starts, axis=0)
        if added is not None:
            acc += added[:, vector]
        sums.append(wrap(acc, config.acc_width) if config.allow_wrap else acc)
    return sums


def _results(config: TernaryConfig, tiles: Sequence[Tile], acc: Array, vector: int) -> Array:
    """Lanes of `o` (tiles, keys) of a vector's accumulators, whose scale is the tile's job's."""
    def scale(field: str) -> Array:
        return np.array([tile.job.scale[field][vector] for tile in tiles], np.int64)

    if config.out == "int8_requant":
        return requant(acc, scale("multiplier")[:, None], scale("shift")[:, None])
    if config.out == "fp32_scaled":
        return scaled(config, acc, scale("scale"))
    return acc
