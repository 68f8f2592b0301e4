"""Matrix products of any size cut into tiles for the bit-sliced array: beats, cycles, results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.bitslice.config import (
    DRAFT,
    FULL,
    HIGH_BITS,
    KEEP,
    LOW_BITS,
    REFINE,
    TILE_BITS,
    ZERO,
    BitsliceConfig,
    Mode,
)
from pimlico.hdl.common.config import ConfigError
from pimlico.verif.bits import pack, unpack
from pimlico.verif.bitslice.golden import Job, steps

Array = npt.NDArray[Any]
Beats = dict[str, list[int]]

_TO_ISSUE = 4
"""Cycles from a job's cfg to its first step: judged in three, the first beat held in one."""


@dataclass(frozen=True)
class Operation:
    """How a product is computed.

    Parameters
    ----------
    mode : int
        Precision, an index of ``config.mode``.
    nests : tuple of int
        What of nested weights is used: one of ``FULL``, ``DRAFT`` and ``REFINE``; or
        ``(DRAFT, REFINE)``, where the second job of each tile goes on from the results of the
        first.
    group_len : int
        Products of a partial result; 0: no groups.
    a_zero, w_zero : int
        Zero points.
    a_signed, w_signed : bool
        Forms of the operands, where ``cfg`` says.
    """

    mode: int = 0
    nests: tuple[int, ...] = (FULL,)
    group_len: int = 0
    a_zero: int = 0
    w_zero: int = 0
    a_signed: bool = True
    w_signed: bool = True

    def products(self, config: BitsliceConfig) -> int:
        """Results of one PE."""
        return config.products_of(config.mode[self.mode].w, self.nests[0])


@dataclass(frozen=True)
class Tile:
    """Where a tile's operands begin in the matrices."""

    row: int
    k: int
    column: int


@dataclass(frozen=True)
class Cut:
    """A product cut for a configuration: the shape of a tile and the tiles of each job."""

    rows: int
    depth: int
    columns: int
    jobs: list[list[Tile]]


def cut(config: BitsliceConfig, operation: Operation, m: int, k: int, n: int) -> Cut:
    """Tiles that cover a product, those of a job one after another."""
    stationary = config.dataflow == "ws"
    whole = max(1 if stationary else config.beat_k, operation.group_len)
    if stationary:
        rows, depth = min(m, config.length_max), config.rows * config.k_lanes
        if operation.group_len or len(operation.nests) > 1:
            raise ConfigError("dataflow", "ws", "be os for groups, and to go on from results")
    else:
        # a draft and its refinement count as one sum
        rows, most = config.rows, config.max_k // len(operation.nests) // whole * whole
        if not most:
            raise ConfigError("max_k", config.max_k, f"hold {whole * len(operation.nests)}")
        pieces = -(-k // most)
        depth = -(-k // (pieces * whole)) * whole
    columns = config.cols * operation.products(config)
    tiles = [Tile(*at) for at in product(range(0, m, rows), range(0, k, depth),
                                         range(0, n, columns))]
    together = (1 << TILE_BITS) - 1 if len(operation.nests) == 1 else 1
    return Cut(rows, depth, columns, [tiles[at:at + together]
                                        for at in range(0, len(tiles), together)])


def beats(config: BitsliceConfig, operation: Operation, cut: Cut, a: Array, w: Array) \
        -> tuple[Beats, int, int]:
    """The payloads of all jobs; the cycles that they issue digits, and all their cycles."""
    names = ("cfg", "a", "w", "w_low") if config.nested else ("cfg", "a", "w")
    made: Beats = {name: [] for name in names}
    issuing = total = 0
    mode = config.mode[operation.mode]
    for tiles in cut.jobs:
        parts = [(_part(a, tile.row, tile.k, cut.rows, cut.depth, operation.a_zero),
                  _part(w, tile.k, tile.column, cut.depth, cut.columns, 0)) for tile in tiles]
        for number, nest in enumerate(operation.nests):
            reads = _reads(config, mode, nest)
            made["cfg"].append(_cfg(config, operation, cut, len(tiles), nest,
                                    KEEP if number else ZERO))
            words: Beats = {name: [] for name in reads}
            for a_part, w_part in parts:
                words["a"] += _a_beats(config, a_part)
                for name, read in _w_beats(config, mode, nest, w_part).items():
                    if name in words:
                        words[name] += read
            for name, read in words.items():
                made[name] += read
            issued, cycles = job_cycles(config, operation, nest, cut, len(tiles), words)
            issuing += issued
            total += cycles
    return made, issuing, total


def _part(matrix: Array, row: int, column: int, rows: int, columns: int, fill: int) -> Array:
    """A block of a matrix, beyond whose edges there is `fill`."""
    block = matrix[row:row + rows, column:column + columns].astype(np.int64)
    return np.pad(block, ((0, rows - block.shape[0]), (0, columns - block.shape[1])),
                  constant_values=fill)


def _reads(config: BitsliceConfig, mode: Mode, nest: int) -> tuple[str, ...]:
    if not config.nested or mode.w == LOW_BITS or nest == DRAFT:
        return ("a", "w")
    return ("a", "w_low") if nest == REFINE else ("a", "w", "w_low")


def _cfg(config: BitsliceConfig, operation: Operation, cut: Cut, tiles: int, nest: int,
         start: int) -> int:
    values = {"mode": operation.mode, "tiles": tiles, "nest": nest, "start": start,
              "length": cut.rows if config.dataflow == "ws" else cut.depth,
              "group_len": operation.group_len, "a_zero": operation.a_zero,
              "w_zero": operation.w_zero, "a_signed": int(operation.a_signed),
              "w_signed": int(operation.w_signed)}
    port = config.port("cfg")
    bits = {field.name: (1 << field.width) - 1 for field in port.fields}
    return port.pack({name: values[name] & mask for name, mask in bits.items()})


def _a_beats(config: BitsliceConfig, part: Array) -> list[int]:
    """Activations of a tile: beats along K, or a row each where weights are stationary."""
    if config.dataflow == "os":
        part = part.reshape(config.rows, -1, config.beat_k).transpose(1, 0, 2)
    words = pack(part.reshape(len(part), -1), config.a_width)
    words[-1] |= 1 << config.port("a").offset("last")
    return words


def _w_beats(config: BitsliceConfig, mode: Mode, nest: int, part: Array) -> Beats:
    """Weights of a tile: beats along K."""
    products = config.products_of(mode.w, nest)
    places = part.reshape(-1, config.beat_k, config.cols, products)
    lanes = places.transpose(0, 2, 1, 3).reshape(len(places), -1, products)
    if not config.nested:
        return {"w": pack(_joined(lanes, mode.w), config.w_element)}
    if mode.w == LOW_BITS:
        return {"w": pack(_joined(lanes << 1, HIGH_BITS), config.w_element)}
    return {"w": pack(_joined(lanes >> 3, HIGH_BITS), config.w_element),
            "w_low": pack(_joined(lanes, LOW_BITS), config.w_low_element)}


def _joined(values: Array, bits: int) -> Array:
    """The low `bits` of the values along the last axis, side by side."""
    return ((values & (1 << bits) - 1) << bits * np.arange(values.shape[-1])).sum(axis=-1)


def job_cycles(config: BitsliceConfig, operation: Operation, nest: int, cut: Cut, tiles: int,
               words: Beats) -> tuple[int, int]:
    """Cycles in which a job issues digits, and those from its cfg to its last result."""
    digits = config.digits_of(config.mode[operation.mode].w, nest) if config.timed else 1
    if config.dataflow == "ws":
        passing = cut.rows * digits
        loaded = (tiles - 1) * max(passing, config.rows)
        return (passing * tiles,
                _TO_ISSUE + config.rows + loaded + passing + config.drain_delay + 1)
    beats = (operation.group_len or cut.depth) // config.beat_k
    each = _beat_steps(config, operation, nest, words, cut)
    groups = each.reshape(-1, beats).sum(axis=1)
    # results of one group leave before those of the next come
    spaced = int(groups[0] + np.maximum(groups[1:], config.bands).sum())
    return int(each.sum()), _TO_ISSUE - 1 + spaced + config.drain_delay + config.bands


def _beat_steps(config: BitsliceConfig, operation: Operation, nest: int, words: Beats,
                cut: Cut) -> Array:
    """Cycles of each beat's digits."""
    count = len(words["a"])
    if config.arch != "skip":
        mode = config.mode[operation.mode]
        return np.full(count, config.digits_of(mode.w, nest) if config.timed else 1)
    job = Job(config.mode[operation.mode], cut.depth, nest=nest, w_signed=operation.w_signed,
              w_zero=operation.w_zero)
    none = [0] * count
    return np.array([sum(cycles for cycles, _ in steps(config, job, high, low)) for high, low
                     in zip(words.get("w", none), words.get("w_low", none), strict=True)])


def results_of(config: BitsliceConfig, operation: Operation, cut: Cut) -> int:
    """Beats of ``o`` that a product gives."""
    groups = cut.depth // operation.group_len if operation.group_len else 1
    height = config.bands if config.dataflow == "os" else cut.rows
    return sum(map(len, cut.jobs)) * groups * height * len(operation.nests)


def results(config: BitsliceConfig, operation: Operation, cut: Cut, shape: Sequence[int],
             n: int, payloads: Sequence[int]) -> tuple[Array, str | None]:
    """The matrix that payloads of ``o`` make, and what is wrong with their number."""
    m, k = shape
    groups = cut.depth // operation.group_len if operation.group_len else 1
    parts = -(-k // operation.group_len) if operation.group_len else 1
    # of each group the bands of a tile, or of stationary weights a row each
    height = config.bands if config.dataflow == "os" else cut.rows
    tiles = [tile for job in cut.jobs for tile in job]
    whole = np.zeros((-(-k // cut.depth) * groups if operation.group_len else 1,
                      m + cut.rows, n + cut.columns), np.int64)
    taken = groups * height
    expected = results_of(config, operation, cut)
    failure = None
    if len(payloads) != expected:
        failure = f"{len(payloads)} beats of results came out instead of {expected}"
    lanes = unpack(payloads[:len(payloads) // taken * taken], config.result_width, config.results)
    blocks = lanes.reshape(-1, groups, height, config.results)[len(operation.nests) - 1::
                                                               len(operation.nests)]
    for tile, block in zip(tiles, blocks, strict=False):
        first = tile.k // operation.group_len if operation.group_len else 0
        whole[first:first + groups, tile.row:tile.row + cut.rows,
              tile.column:tile.column + cut.columns] += _tile(config, operation, block)
    whole = whole[:parts, :m, :n]
    return (whole if operation.group_len else whole[0]), failure


def _tile(config: BitsliceConfig, operation: Operation, block: Array) -> Array:
    """Results of a tile by row and column; a beat has those of every ``bands``-th row."""
    groups, height, _ = block.shape
    products = operation.products(config)
    places = block.reshape(groups, height, config.drain_adders, config.cols, config.products)
    return places[..., :products].transpose(0, 2, 1, 3, 4).reshape(
        groups, height * config.drain_adders, config.cols * products)

