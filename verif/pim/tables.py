"""Product quantization in the golden model: operand buffers, sums, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.pim.commands import Op
from pimlico.hdl.pim.config import COUNTS, PimConfig

from .. import floating
from ..bits import pack, unpack
from .arithmetic import accumulate, dots
from .rules import Command

Array = npt.NDArray[Any]


class Tables:
    """Operand buffers and sums of all banks.

    Parameters
    ----------
    config : PimConfig

    Attributes
    ----------
    operands : uint64 array of shape (banks, operand_cols, lanes)
        Elements, or indices that stand in their bits.
    sums : uint64 array of shape (banks, row_sums)
        Bits in the accumulators' format.
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.operands = np.zeros((config.banks, config.operand_cols, config.lanes), np.uint64)
        self.sums = np.zeros((config.banks, config.row_sums), np.uint64)

    def prepare(self, command: Command, banks: list[int]) -> None:
        """PQ_CONFIG."""
        config = self.config
        first, end = command.row, command.row + command.n
        span = slice(first * config.lanes, end * config.lanes)
        if command.slot == 0:
            self.sums[banks, span] = 0
            return
        rounded = floating.convert(self.sums[banks, span], config.acc_format, config.fmt_format,
                                   config.subnormals)
        self.operands[banks, first:end] = rounded.reshape(len(banks), command.n, config.lanes)

    def load(self, command: Command, bank: int, columns: Array) -> None:
        """ROW_TO_OB of elements of shape (n, lanes)."""
        self.operands[bank, command.row:command.row + command.n] = columns

    def stored(self, command: Command, bank: int) -> list[int]:
        """The columns that SUMS_TO_ROW writes."""
        config = self.config
        size = config.column_sums
        sums = self.sums[bank, command.row * size:(command.row + command.n) * size]
        return pack(sums.reshape(command.n, size), config.acc_bits)

    def build(self, command: Command, bank: int, columns: Array, vector: Array) -> None:
        """LUT_BUILD with columns of a codebook, of shape (n, lanes), and one of the global
        buffer, of shape (lanes,)."""
        config = self.config
        count, size = config.column_centroids, config.segment
        lanes = np.arange(config.lanes) // size == np.arange(count)[:, None]
        alone = np.where(lanes, columns[:, None, :], 0)
        first = (command.slot * config.cols + command.col) * count
        self.sums[bank, first:first + command.n * count] = dots(config, alone, vector).reshape(-1)

    def look_up(self, command: Command, bank: int, row: Array) -> None:
        """LUT_SUM in a row of shape (cols, lanes)."""
        config = self.config
        entries = unpack(pack(row, config.fmt_bits), config.acc_bits, config.column_sums, False)
        table = entries.astype(np.uint64).reshape(-1)[command.slot * config.pq_k:]
        indices = self._indices(command, bank)
        first = command.col * config.column_indices
        span = slice(first, first + len(indices))
        self.sums[bank, span] = accumulate(config, self.sums[bank, span], table[indices])

    def bin(self, command: Command, bank: int, columns: Array) -> None:
        """BIN_ADD of elements, of shape (m, lanes)."""
        config = self.config
        elements = floating.convert(columns.reshape(-1), config.fmt_format, config.acc_format,
                                    config.subnormals)
        indices = self._indices(command, bank)
        # all bins at once: first what each is added first, then what it is added second
        order = np.argsort(indices, kind="stable")
        numbers = indices[order]
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        ranks = np.empty(len(indices), np.int64)
        ranks[order] = np.arange(len(indices)) - np.repeat(
            starts, np.diff(starts, append=len(indices)))
        for rank in range(ranks.max() + 1):
            now = ranks == rank
            bins = indices[now]
            self.sums[bank, bins] = accumulate(config, self.sums[bank, bins], elements[now])

    def _indices(self, command: Command, bank: int) -> Array:
        config = self.config
        words = pack(self.operands[bank, command.row:command.row + command.n], config.fmt_bits)
        indices = unpack(words, config.index_bits, config.column_indices, False)
        return indices.astype(np.int64).reshape(-1) % config.pq_k


def moves(config: PimConfig, command: Command, number: int) -> tuple[int, int, int]:
    """What a turn of a burst counts in each of its banks: products, additions and columns."""
    op = command.op
    if op in (Op.MAC, Op.BIN_MAC):
        return config.lanes, 0, 1
    if op == Op.LUT_BUILD:
        return config.pq_dsub, 0, int(number % config.column_centroids == 0)
    if op == Op.LUT_SUM:
        return 0, 1, 1
    if op == Op.BIN_ADD:
        return 0, 1, int(number % config.lanes == 0)
    if op == Op.SUMS_TO_ROW:
        return 0, 0, int(number % config.column_sums == config.column_sums - 1)
    return 0, 0, int(op != Op.PQ_CONFIG)


class Counts:
    """The counters of a channel."""

    def __init__(self) -> None:
        self._counts = [0] * len(COUNTS)

    def add(self, banks: int, more: tuple[int, int, int]) -> None:
        """Count what so many banks do."""
        self._counts = [(count + banks * each) % (1 << 32)
                        for count, each in zip(self._counts, more, strict=True)]

    def items(self) -> Iterator[tuple[str, int]]:
        """Names of ports and their values."""
        return zip(COUNTS, self._counts, strict=True)
