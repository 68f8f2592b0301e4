"""The commands of attention over quantized keys and values: two lists, as softmax is between.

Scores: each subspace's table is built in the sums and written to a row; then tile by tile the
indices of one subspace after another are copied to the operand buffers and looked up, and the
sums are written to a row and read. Outputs: subspace by subspace the weights of all tiles are
added to bins, the bins rounded to the operand buffers, and multiplied by the codebook's columns
of each element.

Source: AQPIM, arXiv 2604.18137.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pimlico.hdl.pim.config import PimConfig

from .attention import Coded
from .attention_layout import Blocks, Layout
from .rules import Command, Op
from .schedule import Schedule, Step

Array = npt.NDArray[Any]


class ScoreRead(NamedTuple):
    """A RD of scores: ``column_sums`` of them, from a tile's column on."""

    tile: int
    column: int
    bank: int


class OutputRead(NamedTuple):
    """An ACC_RD of an element of the output, of that one of the accumulators taken in turn."""

    element: int
    bank: int
    turn: int


def score_commands(layout: Layout, keys: Coded, query: npt.ArrayLike
                   ) -> tuple[Schedule, list[ScoreRead]]:
    """Commands that write keys and a query, and give scores.

    Parameters
    ----------
    layout : Layout
    keys : Coded
    query : integer array of shape (head_dim,)
        Codes of its elements.

    Returns
    -------
    Schedule
        Its parts: ``load``, ``query``, ``tables``, ``scores``.
    list of ScoreRead
        Of each RD, in order.
    """
    config, made = layout.config, Schedule(layout.config)
    made.part = "load"
    _write(made, layout.books, layout.books_of(keys))
    _write(made, layout.key_indices, layout.key_indices_of(keys), _groups_of_keys(layout))
    made.part = "query"
    made.run([Step(Command(Op.GB_WR, col=s), data)
              for s, data in enumerate(_subvectors(config, query))])
    made.part = "tables"
    for s in range(config.pq_m):
        _build(made, layout, s)
    made.part = "scores"
    reads: list[ScoreRead] = []
    for tile in range(layout.tiles):
        groups = layout.groups(tile)
        made.run([_zeros(layout)])
        at_once = config.operand_cols // config.token_groups
        for first in range(0, config.pq_m, at_once):
            spaces = range(first, min(first + at_once, config.pq_m))
            _fetch(made, layout.key_indices,
                   [(tile * config.pq_m + s, i * config.token_groups, groups)
                    for i, s in enumerate(spaces)])
            for i, s in enumerate(spaces):
                row, slot = layout.table(s)
                made.run([Step(Command(Op.LUT_SUM, made.every, row=i * config.token_groups,
                                       col=0, slot=slot, n=groups))], row, pim=True)
        reads += _read_scores(made, layout, tile)
    return made, reads


def output_commands(layout: Layout, values: Coded, weights: npt.ArrayLike
                    ) -> tuple[Schedule, list[OutputRead]]:
    """Commands that write values and weights, and give the banks' outputs.

    Parameters
    ----------
    layout : Layout
    values : Coded
    weights : integer array of shape (tokens,)
        Codes of elements.

    Returns
    -------
    Schedule
        Its parts: ``load``, ``weights``, ``bins``, ``products``.
    list of OutputRead
        Of each ACC_RD, in order.
    """
    config, made = layout.config, Schedule(layout.config)
    tiles = range(layout.tiles)
    made.part = "load"
    _write(made, layout.value_books, layout.value_books_of(values))
    _write(made, layout.value_indices, layout.value_indices_of(values),
           [layout.groups(tile) for _ in range(config.pq_m) for tile in tiles])
    made.part = "weights"
    _write(made, layout.weights, layout.weights_of(weights),
           [layout.groups(tile) * layout.weight_columns for tile in tiles])
    reads: list[OutputRead] = []
    for s in range(config.pq_m):
        made.part = "bins"
        _fill_bins(made, layout, s)
        made.part = "products"
        columns = layout.value_books.columns
        made.run([Step(Command(Op.PQ_CONFIG, made.every, row=0, slot=1, n=columns))])
        at_once = config.acc_slots // config.rotation
        for first in range(0, config.pq_dsub, at_once):
            elements = range(first, min(first + at_once, config.pq_dsub))
            reads += _multiply(made, layout, [s * config.pq_dsub + j for j in elements])
    return made, reads


def _groups_of_keys(layout: Layout) -> list[int]:
    return [layout.groups(tile) for tile in range(layout.tiles) for _ in range(layout.config.pq_m)]


def _write(made: Schedule, blocks: Blocks, contents: Array,
           used: Sequence[int] | None = None) -> None:
    """Write blocks, of each the first columns that are used, to one bank after another."""
    config = made.config
    banks = [group * config.group_banks + bank for bank in range(config.group_banks)
             for group in range(config.bank_groups)]
    for row, here in _by_row(blocks, range(blocks.count)):
        made.run([
            Step(Command(Op.WR, 1 << bank, col=col + i), contents[bank, block, i])
            for block, col in here
            for i in range(used[block] if used else blocks.columns) for bank in banks], row)


def _by_row(blocks: Blocks, numbers: Iterable[int]) -> Iterable[tuple[int, list[tuple[int, int]]]]:
    """Rows, and for each the blocks in it and the columns that they begin at."""
    for row, here in groupby(numbers, key=lambda block: blocks.place(block)[0]):
        yield row, [(block, blocks.place(block)[1]) for block in here]


def _fetch(made: Schedule, blocks: Blocks, wanted: Sequence[tuple[int, int, int]]) -> None:
    """Copy columns of blocks to the operand buffers: block, column there, and how many."""
    where = {block: (at, n) for block, at, n in wanted}
    for row, here in _by_row(blocks, where):
        made.run([Step(Command(Op.ROW_TO_OB, made.every, where[block][0], col,
                               n=where[block][1])) for block, col in here], row)


def _zeros(layout: Layout, columns: int | None = None) -> Step:
    """Set sums to zeros: those of so many operand columns, by default all."""
    n = layout.config.operand_cols if columns is None else columns
    return Step(Command(Op.PQ_CONFIG, (1 << layout.config.banks) - 1, row=0, slot=0, n=n))


def _subvectors(config: PimConfig, query: npt.ArrayLike) -> Array:
    """Columns of the global buffer: for each subspace its part in all segments, as octets."""
    parts = np.zeros((config.pq_m, config.column_centroids, config.segment), np.uint64)
    parts[:, :, :config.pq_dsub] = np.asarray(query, np.uint64).reshape(config.pq_m, 1, -1)
    return np.ascontiguousarray(parts.reshape(config.pq_m, -1).astype(
        f"<u{config.fmt_bits // 8}")).view(np.uint8)


def _build(made: Schedule, layout: Layout, space: int) -> None:
    """Build a table, and write it to its row."""
    books, config = layout.books, layout.config
    for part in range(config.codebook_rows):
        row, _ = books.place(space * config.codebook_rows + part)
        made.run([Step(Command(Op.LUT_BUILD, made.every, row=space, col=0, slot=part,
                               n=books.columns))], row, pim=True)
    row, col = layout.tables.place(space)
    made.run([Step(Command(Op.SUMS_TO_ROW, made.every, row=0, col=col,
                           n=layout.tables.columns))], row)


def _read_scores(made: Schedule, layout: Layout, tile: int) -> list[ScoreRead]:
    """Write the scores of a tile to its row, and read them."""
    config = layout.config
    row, _ = layout.scores.place(tile)
    tokens = layout.groups(tile) * config.column_indices
    columns = -(-tokens // config.column_sums)
    reads = [ScoreRead(tile, column, bank)
             for column, bank in product(range(columns), range(config.banks))]
    made.run([Step(Command(Op.SUMS_TO_ROW, made.every, row=0, col=0, n=columns)), *(
        Step(Command(Op.RD, 1 << read.bank, col=read.column, tag=read.column % 256))
        for read in reads)], row)
    return reads


def _fill_bins(made: Schedule, layout: Layout, space: int) -> None:
    """Add the weights of all tokens to the bins of a subspace."""
    config = layout.config
    made.run([_zeros(layout, layout.value_books.columns)])
    at_once = config.operand_cols // config.token_groups
    for first in range(0, layout.tiles, at_once):
        tiles = range(first, min(first + at_once, layout.tiles))
        _fetch(made, layout.value_indices,
               [(space * layout.tiles + tile, i * config.token_groups, layout.groups(tile))
                for i, tile in enumerate(tiles)])
        for row, here in _by_row(layout.weights, tiles):
            made.run([Step(Command(
                Op.BIN_ADD, made.every, row=(tile - first) * config.token_groups, col=col,
                n=layout.groups(tile))) for tile, col in here], row, pim=True)


def _multiply(made: Schedule, layout: Layout, elements: Sequence[int]) -> list[OutputRead]:
    """Multiply bins by the codebooks of elements, each into accumulators of its own, and read
    those."""
    config, blocks = layout.config, layout.value_books
    turns = range(config.rotation)
    slots = {element: number * config.rotation for number, element in enumerate(elements)}
    made.run([Step(Command(Op.ACC_WR, made.every, slot=slot + turn))
              for slot, turn in product(slots.values(), turns)])
    for row, here in _by_row(blocks, elements):
        made.run([Step(Command(Op.BIN_MAC, made.every, row=0, col=col, slot=slots[element],
                               n=blocks.columns)) for element, col in here], row, pim=True)
    reads = [OutputRead(element, bank, turn)
             for element, bank, turn in product(elements, range(config.banks), turns)]
    made.run([Step(Command(Op.ACC_RD, 1 << read.bank, slot=slots[read.element] + read.turn,
                           tag=read.element % 256)) for read in reads])
    return reads
