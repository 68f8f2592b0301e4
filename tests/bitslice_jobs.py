"""Jobs for the bit-sliced array made of matrices, and their results in plain Python.

Shares nothing with the models but the configuration: operands are put into payloads, and results
computed, from the words of the contract alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from pimlico.hdl.bitslice.config import DRAFT, FULL, KEEP, PRELOAD, REFINE, ZERO, BitsliceConfig
from pimlico.verif.episode import Episode

Matrix = Any


@dataclass
class Work:
    """A job: its cfg, and its matrices as arrays of Python integers.

    ``a`` is (tiles, rows, K), ``w`` (tiles, K, columns), of stationary weights (tiles, length,
    rows * k_lanes) and (tiles, rows * k_lanes, columns); ``d`` (beats, results).
    """

    cfg: dict[str, int]
    a: Matrix
    w: Matrix
    d: Matrix = None
    beats: dict[str, list[int]] = field(default_factory=dict)
    results: list[dict[str, Any]] = field(default_factory=list)


def values_of(bits: int, signed: bool) -> tuple[int, int]:
    """Lowest and highest integer of `bits` bits."""
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def high_half(w: int) -> int:
    """An int8 weight over 16, to the nearest, ties up."""
    return (w + 8) // 16


class Bench:
    """Makes works for a configuration, one after another, and says what comes out.

    Parameters
    ----------
    config : BitsliceConfig
    rng : numpy.random.Generator
    """

    def __init__(self, config: BitsliceConfig, rng: np.random.Generator):
        self.config, self.rng = config, rng
        self.stationary = config.dataflow == "ws"
        self.kept: Matrix = None
        self.kept_k = 0
        self.works: list[Work] = []

    def columns(self, mode, nest=FULL) -> int:
        """Columns of B that a tile has in a mode."""
        config = self.config
        splits = config.arch in ("parallel", "tree") and config.multiplier == "logic"
        if not splits:
            return config.cols
        narrowest = min(mode.w for mode in config.mode)
        if config.nested:
            return config.cols * (1 if mode.w == 8 and nest == FULL else 2)
        return config.cols * (config.w_width // mode.w if narrowest < config.w_width else 1)

    def signs(self, cfg) -> tuple[bool, bool]:
        config = self.config
        return (bool(cfg.get("a_signed", config.a_signed == "signed")),
                bool(cfg.get("w_signed", config.w_signed == "signed")))

    def cfg(self, **given: int) -> dict[str, int]:
        """Fields of a cfg that is taken; those not given are drawn."""
        config, rng = self.config, self.rng
        names = [slot.name for slot in config.port("cfg").fields]
        beat_k = 1 if self.stationary else config.beat_k
        length = given.get("length", beat_k * min(int(rng.integers(1, 7)),
                                                  config.length_max // beat_k))
        cfg = dict.fromkeys(names, 0) | {
            "mode": int(rng.integers(len(config.modes))), "length": length,
            "tiles": int(rng.integers(1, 4))}
        for name in {"a_signed", "w_signed"} & set(names):
            cfg[name] = int(rng.integers(2))
        cfg |= given
        mode = config.mode[cfg["mode"]]
        if "nest" in names and "nest" not in given and mode.w == 8:
            cfg["nest"] = int(rng.integers(3))
        for name, bits, signed in zip(("a_zero", "w_zero"), (mode.a, mode.w), self.signs(cfg),
                                      strict=True):
            if name in names and name not in given:
                low, high = values_of(bits, signed)
                cfg[name] = int(rng.choice([low, high, rng.integers(low, high + 1)]))
        self._draw_start(cfg, given, names, beat_k)
        return cfg

    def _draw_start(self, cfg, given, names, beat_k) -> None:
        rng = self.rng
        if self.stationary:
            if "start" in names and "start" not in given:
                cfg["start"] = int(rng.choice([ZERO, PRELOAD]))
            return
        if given.keys() & {"start", "group_len", "tiles"}:
            return
        choice = rng.random()
        groups = [1 << bit for bit in range(12)
                  if beat_k <= 1 << bit and cfg["length"] % (1 << bit) == 0]
        if choice < 0.3 and groups:
            cfg["group_len"] = int(rng.choice(groups))
        elif choice < 0.6 and self.kept is not None \
                and self.kept_k + cfg["length"] <= self.config.max_k:
            cfg |= {"start": KEEP, "tiles": 1}
        elif choice < 0.8 and self.config.preload:
            cfg |= {"start": PRELOAD, "tiles": 1}

    def matrix(self, shape, bits: int, signed: bool, fill: str) -> Matrix:
        low, high = values_of(bits, signed)
        if fill == "lowest":
            drawn = np.full(shape, low)
        elif fill == "highest":
            drawn = np.full(shape, high)
        elif fill == "extremes":
            drawn = self.rng.choice([low, high, -1 if signed else high], shape)
        else:
            drawn = self.rng.integers(low, high + 1, shape)
        return drawn.astype(object)

    def work(self, fill: str = "random", a=None, w=None, **given: int) -> Work:
        """The next job, its payloads and its results."""
        config = self.config
        cfg = self.cfg(**given)
        mode, nest = config.mode[cfg["mode"]], cfg.get("nest", FULL)
        a_signed, w_signed = self.signs(cfg)
        tiles, length = cfg["tiles"], cfg["length"]
        depth = config.rows * config.k_lanes if self.stationary else length
        columns = self.columns(mode, nest)
        rows = length if self.stationary else config.rows
        if a is None:
            a = self.matrix((tiles, rows, depth), mode.a, a_signed, fill)
        if w is None:
            w = self.matrix((tiles, depth, columns), mode.w, w_signed, fill)
        made = Work(cfg, a, w)
        if cfg.get("start", ZERO) == PRELOAD:
            beats = tiles * length if self.stationary else config.bands
            made.d = self.matrix((beats, config.results), config.d_width, True, fill)
        self._pack(made)
        self._expect(made)
        self.works.append(made)
        return made

    def extreme(self, given: dict[str, int], a: int, w: int) -> None:
        """A longest sum of one product, from the extreme value that goes with it."""
        config = self.config
        names = {slot.name for slot in config.port("cfg").fields}
        given = given | {"length": 2 if self.stationary else config.max_k, "group_len": 0,
                         "start": PRELOAD if config.preload else ZERO}
        given = {name: value for name, value in given.items() if name in names}
        shape = self.cfg(**given)
        depth = config.rows * config.k_lanes if self.stationary else shape["length"]
        columns = self.columns(config.mode[given["mode"]], given.get("nest", FULL))
        rows = shape["length"] if self.stationary else config.rows
        up = (a - given.get("a_zero", 0)) * (w - given.get("w_zero", 0)) > 0
        self.work("highest" if up else "lowest", np.full((1, rows, depth), a, object),
                  np.full((1, depth, columns), w, object), **given)

    def _pack(self, work: Work) -> None:
        config, cfg = self.config, work.cfg
        mode, nest = config.mode[cfg["mode"]], cfg.get("nest", FULL)
        beats = work.beats = {name: [] for name in ("cfg", "a", "w", "w_low", "d")}
        beats["cfg"].append(config.port("cfg").pack(cfg))
        lanes, tiles = config.beat_k, len(work.a)
        for tile in range(tiles):
            a, w = work.a[tile], work.w[tile]
            count = len(a) if self.stationary else a.shape[1] // lanes
            for beat in range(count):
                data = a[beat] if self.stationary else \
                    a[:, beat * lanes:(beat + 1) * lanes].reshape(-1)
                beats["a"].append(config.port("a").pack({
                    "data": [self._garbage(value, mode.a, config.a_width) for value in data],
                    "last": int(beat == count - 1)}))
            for beat in range(len(w) // lanes):
                part = w[beat * lanes:(beat + 1) * lanes]
                each = part.shape[1] // config.cols
                pairs = [self._element(part[lane, col * each:(col + 1) * each], mode.w, nest)
                         for col in range(config.cols) for lane in range(lanes)]
                if not config.nested or mode.w == 4 or nest != REFINE:
                    beats["w"].append(config.port("w").pack({"data": [high for high, _ in pairs]}))
                if config.nested and mode.w == 8 and nest != DRAFT:
                    beats["w_low"].append(config.port("w_low").pack(
                        {"data": [low for _, low in pairs]}))
        if work.d is not None:
            beats["d"] = [config.port("d").pack({"data": row}) for row in work.d.tolist()]

    def _garbage(self, value: int, bits: int, width: int) -> int:
        """A value, and any bits above those that its mode has."""
        above = int(self.rng.integers(1 << width - bits)) if width > bits else 0
        return value & (1 << bits) - 1 | above << bits

    def _element(self, weights, bits: int, nest: int) -> tuple[int, int]:
        """A lane of ``w`` and of ``w_low``."""
        config = self.config
        high = low = at = 0
        for weight in weights:
            if not config.nested:
                high |= (weight & (1 << bits) - 1) << at * bits
            elif bits == 4:
                high |= ((weight & 15) << 1 | int(self.rng.integers(2))) << 5 * at
            else:
                high |= ((weight & 255) >> 3) << 5 * at
                low |= (weight & 15) << 4 * at
            at += 1
        used = at * (5 if config.nested else bits)
        high = self._garbage(high, used, config.w_element)
        if config.nested:
            low = self._garbage(low, 4 * at, config.w_low_element)
        return high, low

    def used(self, w: Matrix, cfg) -> Matrix:
        """What of the weights a job multiplies by."""
        nest = cfg.get("nest", FULL)
        if nest == FULL:
            return w
        return np.vectorize(lambda value: 16 * high_half(value) if nest == DRAFT
                            else value - 16 * high_half(value), otypes=[object])(w)

    def matmul(self, a: Matrix, w: Matrix, cfg) -> Matrix:
        """Results of one tile, or of one group of it."""
        w_zero = 0 if cfg.get("nest", FULL) == REFINE else cfg.get("w_zero", 0)
        return (a - cfg.get("a_zero", 0)) @ (self.used(w, cfg) - w_zero)

    def _expect(self, work: Work) -> None:
        config, cfg = self.config, work.cfg
        start, tiles = cfg.get("start", ZERO), len(work.a)
        if self.stationary:
            beat = 0
            for tile in range(tiles):
                for row, results in enumerate(self.matmul(work.a[tile], work.w[tile], cfg)):
                    lanes = self._spread(results.reshape(1, -1))
                    if start == PRELOAD:
                        lanes = lanes + work.d[beat]
                    beat += 1
                    work.results.append({
                        "data": lanes.tolist(), "row": row,
                        "last": int(tile == tiles - 1 and row == cfg["length"] - 1)})
            return
        length = cfg["length"]
        group = cfg["group_len"] or length
        for tile in range(tiles):
            for begin in range(0, length, group):
                part = slice(begin, begin + group)
                results = self.matmul(work.a[tile][:, part], work.w[tile][part], cfg)
                ends = begin + group == length
                rows = np.array([self._spread(results[band::config.bands])
                                 for band in range(config.bands)])
                if start == KEEP:
                    rows = rows + self.kept
                elif start == PRELOAD:
                    rows = rows + work.d
                self.kept = rows
                for band in range(config.bands):
                    work.results.append({
                        "data": rows[band].tolist(), "row": band, "partial": int(not ends),
                        "last": int(ends and tile == tiles - 1 and band == config.bands - 1)})
        self.kept_k = length + (self.kept_k if start == KEEP else 0)

    def _spread(self, results: Matrix) -> Matrix:
        """Results of a beat's rows, each PE's side by side, 0 where its mode has none."""
        config = self.config
        made = results.shape[1] // config.cols
        places = np.zeros((len(results), config.cols, config.products), object)
        places[..., :made] = results.reshape(len(results), config.cols, made)
        return places.reshape(-1)

    @property
    def beats(self) -> dict[str, list[int]]:
        """All payloads of the works, by stream of the configuration."""
        names = [port.name for port in self.config.ports
                 if port.name in ("cfg", "a", "w", "w_low", "d")]
        return {name: [word for work in self.works for word in work.beats[name]]
                for name in names}

    @property
    def results(self) -> list[int]:
        """All payloads of ``o``."""
        port = self.config.port("o")
        return [port.pack(beat) for work in self.works for beat in work.results]


def longest(config: BitsliceConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Sums of ``max_k`` products of the extremes of every operand and zero point.

    All results are as far from zero as they can be, either way; then as much is added as the
    accumulators may start from.
    """
    bench = Bench(config, rng)
    for mode, precision in enumerate(config.mode):
        for signs in range(4):
            given = {"mode": mode, "tiles": 1}
            if config.a_signed == "runtime":
                given["a_signed"] = signs & 1
            if config.w_signed == "runtime":
                given["w_signed"] = signs >> 1
            if config.nested:
                given["nest"] = signs % 3 if precision.w == 8 else FULL
            ranges = [values_of(bits, sign) for bits, sign in
                      zip((precision.a, precision.w), bench.signs(given), strict=True)]
            for a, w in product(*ranges):
                given |= extremes(config, ranges, a, w)
                bench.extreme(given, a, w)
    yield Episode("longest sums", bench.beats)


def going_on(config: BitsliceConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Jobs that go on from the results before, again and again, until they hold no more; then
    one more, which is refused."""
    for _ in range(3):
        bench = Bench(config, rng)
        given = {"length": config.beat_k, "tiles": 1, "group_len": 0}
        bench.work(start=ZERO, **given)
        while bench.kept_k + config.beat_k <= config.max_k and len(bench.works) < 6:
            bench.work(start=KEEP, **given)
        beats = bench.beats
        too_long = given | {"length": config.max_k - bench.kept_k + config.beat_k, "start": KEEP}
        beats["cfg"] = [*beats["cfg"], config.port("cfg").pack(bench.works[0].cfg | too_long),
                        beats["cfg"][0]]
        for name in ("a", "w", "w_low"):
            if name in beats:
                beats[name] = beats[name] + bench.works[0].beats[name]
        yield Episode("going on", beats, ready={"o": float(rng.choice([1, 0.5]))})


def extremes(config: BitsliceConfig, ranges, a: int, w: int) -> dict[str, int]:
    """Zero points at the other ends, if there are any."""
    if not config.zero_points:
        return {}
    return {"a_zero": sum(ranges[0]) - a, "w_zero": sum(ranges[1]) - w}
