"""Jobs for the bit-sliced array: directed corners first, then random ones without end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pimlico.hdl.bitslice.config import KEEP, PRELOAD, ZERO, BitsliceConfig

from ..bits import Array, pack
from ..episode import Episode
from .job import Jobs

_LONG = 256
"""Products in a sum that random episodes may go to the end of."""

FILLS = ("random", "lowest", "highest", "ones", "zero", "sparse", "mixed")
"""Operands: any bits; the most negative; the largest; all bits 1; zeros; small; extremes mixed."""


class Makers:
    """Makes the beats of jobs, one job after another.

    Parameters
    ----------
    config : BitsliceConfig
    rng : numpy.random.Generator
    """

    def __init__(self, config: BitsliceConfig, rng: np.random.Generator):
        self.config, self.rng = config, rng
        self.jobs = Jobs(config)
        self.cfg_port = config.port("cfg")
        self.stationary = config.dataflow == "ws"
        self.beats: dict[str, list[int]] = {}
        self.kept_k = 0
        self.start_over()

    def start_over(self) -> dict[str, list[int]]:
        """The beats made so far; the next belong to a new episode."""
        made, self.kept_k = self.beats, 0
        names = ("cfg", *self.jobs.operands, *(("d",) if self.config.preload else ()))
        self.beats = {name: [] for name in names}
        return made

    def length(self, most: int = 6) -> int:
        """A length of a few beats."""
        beat_k = 1 if self.stationary else self.config.beat_k
        beats = int(self.rng.integers(1, most + 1))
        return beat_k * max(1, min(beats, self.config.length_max // beat_k))

    def cfg(self, **given: int) -> int:
        """A payload with the fields `given`, the others drawn so that the job can be."""
        rng, config = self.rng, self.config
        length = given.get("length") or self.length()
        values = {"mode": int(rng.integers(len(config.modes))), "length": length, "group_len": 0,
                  "tiles": int(rng.integers(1, 3)), "a_signed": int(rng.integers(2)),
                  "w_signed": int(rng.integers(2)), "nest": 0, "start": ZERO,
                  "a_zero": self._bits(config.a_width), "w_zero": self._bits(config.w_width)}
        number = given.get("mode", values["mode"])
        if config.nested and (number >= len(config.modes) or config.mode[number].w == 8):
            values["nest"] = int(rng.integers(3))
        if not self.stationary:
            self._draw_start(values, length)
        elif config.preload:
            values["start"] = int(rng.choice([ZERO, PRELOAD]))
        values |= given
        return self.cfg_port.pack({name: values[name] for name in
                                   (field.name for field in self.cfg_port.fields)})

    def _draw_start(self, values: dict[str, int], length: int) -> None:
        rng, config = self.rng, self.config
        choice = rng.random()
        groups = [1 << bit for bit in range(17)
                  if config.beat_k <= 1 << bit <= length and length % (1 << bit) == 0]
        if choice < 0.3 and groups:
            values["group_len"] = int(rng.choice(groups))
        elif choice < 0.5 and 0 < self.kept_k <= config.max_k - length:
            values |= {"start": KEEP, "tiles": 1}
        elif choice < 0.7 and config.preload:
            values |= {"start": PRELOAD, "tiles": 1}

    def job(self, fill: str | None = None, misframed: bool = False, **given: int) -> None:
        """All beats of a job; of one that is refused nothing but its cfg."""
        config, rng = self.config, self.rng
        payload = self.cfg(**given)
        self.beats["cfg"].append(payload)
        job, code = self.jobs.judge(payload, self.kept_k)
        if code:
            return
        self.kept_k = job.length + (self.kept_k if job.start == KEEP else 0)
        reads = self.jobs.reads(job)
        tile_beats = job.length if self.stationary else job.length // config.beat_k
        beats = tile_beats * job.tiles
        weight_fill = fill or str(rng.choice(FILLS))
        fill = fill or (weight_fill if rng.random() < 0.5 else str(rng.choice(FILLS)))
        data = self._words("a", config.a_width, beats, fill)
        framed = [(number + 1) % tile_beats == 0 for number in range(beats)]
        if misframed:
            framed = [bool(rng.random() < 0.5) for _ in framed]
        at = config.port("a").offset("last")
        self.beats["a"] += [word | int(last) << at
                            for word, last in zip(data, framed, strict=True)]
        weight_beats = config.rows * job.tiles if self.stationary else beats
        for name, width in (("w", config.w_element), ("w_low", config.w_low_element)):
            if name in reads:
                self.beats[name] += self._words(name, width, weight_beats, weight_fill)
        if job.start == PRELOAD:
            count = beats if self.stationary else config.bands
            self.beats["d"] += self._starts(count, fill)

    def refused(self) -> None:
        """A cfg for every code, as far as its fields can hold one."""
        config = self.config
        self.job(length=0)
        whole = config.beat_k if not self.stationary else 1
        if config.length_max + 1 < 1 << config.length_bits:
            self.job(length=config.length_max + 1)
        if whole > 1:
            self.job(length=whole + 1)
        if not self.stationary:
            self.job(length=whole * min(4, config.length_max // whole), group_len=3)
            self.job(length=whole, group_len=2 * whole if 2 * whole <= config.max_k else 3)
            self.job(tiles=2, start=KEEP)
            self.job(tiles=1, start=3)
            self.job(tiles=1, start=KEEP, group_len=whole, length=whole)
            if self.kept_k:
                self.job(tiles=1, start=KEEP, length=config.max_k)
        elif config.preload:
            self.job(start=1)
        if len(config.modes) < 1 << config.mode_bits:
            self.job(mode=len(config.modes))
        self.job(tiles=0)
        if config.nested:
            self.job(nest=3)
            for number, mode in enumerate(config.mode):
                if mode.w != 8:
                    self.job(mode=number, nest=1)

    def _words(self, name: str, width: int, beats: int, fill: str) -> list[int]:
        lanes = (self.config.rows if name == "a" else self.config.cols) * self.config.beat_k
        return pack(self._values((beats, lanes), width, fill), width)

    def _values(self, shape: tuple[int, int], width: int, fill: str) -> Array:
        rng = self.rng
        any_bits = rng.integers(0, 1 << width, shape, np.int64)
        lowest, highest = 1 << width - 1, (1 << width - 1) - 1
        if fill == "lowest":
            return np.full(shape, lowest)
        if fill == "highest":
            return np.full(shape, highest)
        if fill == "ones":
            return np.full(shape, (1 << width) - 1)
        if fill == "zero":
            return np.zeros(shape, np.int64)
        if fill == "sparse":
            small = np.where(rng.random(shape) < 0.2, rng.integers(-8, 8, shape), 0)
            return np.where(rng.random((shape[0], 1)) < 0.3, 0, small) & (1 << width) - 1
        if fill == "mixed":
            return rng.choice([lowest, highest, (1 << width) - 1, 0, 1], shape)
        return any_bits

    def _starts(self, count: int, fill: str) -> list[int]:
        width = self.config.d_width
        shape = (count, self.config.results)
        low, high = -(1 << width - 1), (1 << width - 1) - 1
        if fill in ("lowest", "highest"):
            values = np.full(shape, low if fill == "lowest" else high)
        else:
            values = self.rng.integers(low, high, shape, np.int64, endpoint=True)
        return pack(values, width)

    def _bits(self, width: int) -> int:
        return int(self.rng.integers(1 << width))


def episodes(config: BitsliceConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Directed corners, then random episodes without end."""
    makers = Makers(config, rng)
    yield from _directed(config, makers)
    while True:
        yield _random(makers)


def _directed(config: BitsliceConfig, makers: Makers) -> Iterator[Episode]:
    def jobs(count: int, **given: Any) -> dict[str, list[int]]:
        for _ in range(count):
            makers.job(**given)
        return makers.start_over()

    yield Episode("full rate", jobs(4))
    yield Episode("tiles without a bubble", jobs(2, tiles=4))
    yield Episode("shortest sums", jobs(3, length=1 if makers.stationary else config.beat_k,
                                        tiles=5))
    for fill in FILLS[1:]:
        yield Episode(f"operands: {fill}", jobs(2, fill=fill))
    for number in range(len(config.modes)):
        yield Episode(f"mode {config.modes[number]}", jobs(3, mode=number))
    yield Episode("output stalled", jobs(3, tiles=3), ready={"o": 0.15})
    yield Episode("inputs starved", jobs(3), valid=dict.fromkeys(makers.jobs.operands, 0.3))
    makers.job()
    makers.refused()
    makers.job()
    yield Episode("refused jobs", makers.start_over(), wires={"status_clear": [0, 0, 0, 0, 1]})
    yield Episode("last misplaced", jobs(3, misframed=True),
                  wires={"status_clear": [0, 0, 1]})
    if not makers.stationary and config.max_k <= 2048:
        for fill in ("lowest", "mixed"):
            yield Episode(f"longest sums: {fill}", jobs(1, fill=fill, length=config.max_k,
                                                        tiles=1))
    yield Episode("reset within a job", jobs(3, tiles=3), cycles=config.drain_delay + 7)


def _random(makers: Makers) -> Episode:
    rng = makers.rng
    for _ in range(int(rng.integers(1, 6))):
        if rng.random() < 0.1:
            makers.refused()
        makers.job(misframed=bool(rng.random() < 0.1))
    if not makers.stationary and makers.config.max_k <= _LONG and rng.random() < 0.2:
        # the upper bits of sums
        makers.job(length=makers.config.max_k, tiles=1)
    beats = makers.start_over()

    def rates(names: Sequence[str]) -> dict[str, float]:
        return {name: float(rng.choice([1.0, 0.7, 0.25])) for name in names}

    cut = int(rng.integers(5, 200)) if rng.random() < 0.15 else None
    clear = [int(rng.random() < 0.2) for _ in range(17)]
    return Episode("random", beats, valid=rates(list(beats)), ready=rates(["o"]),
                   wires={"status_clear": clear}, cycles=cut)
