"""A matrix in the banks: where its elements lie, and what it gives, bit for bit.

Row ``i`` of the matrix belongs to bank ``i % banks``; there it is line ``i // banks``, ``lanes``
elements a column. Lines are multiplied one after another, or, if a vector is longer than the
global buffer, as many together as there are accumulators, piece by piece: each piece of the
vector goes with the same piece of all of them. In this order columns lie in the rows of the
DRAM, without gaps; ``load_rows`` rows at a time are in the array.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.config import PimConfig

from .. import floating
from .arithmetic import accumulate, dots
from .row_times import longest

Array = npt.NDArray[Any]


class Burst(NamedTuple):
    """Columns that one MAC multiplies, in all banks.

    ``row`` counts the DRAM rows of all loads; ``column`` counts the columns of the line.
    """

    row: int
    col: int
    n: int
    line: int
    column: int


@dataclass(frozen=True)
class Plan:
    """How a matrix of m rows of k elements is laid out.

    Attributes
    ----------
    config : PimConfig
    m, k : int
    load_rows : int
        DRAM rows that are in the array at a time.
    """

    config: PimConfig
    m: int
    k: int
    load_rows: int

    @property
    def lines(self) -> int:
        """Rows of the matrix that a bank has, zeros at the end included."""
        return -(-self.m // self.config.banks)

    @property
    def columns(self) -> int:
        """Columns of a line."""
        return -(-self.k // self.config.lanes)

    @property
    def pieces(self) -> int:
        """Pieces of the vector."""
        return -(-self.columns // self.config.gb_cols)

    @property
    def piece(self) -> int:
        """Columns of a piece; of the last one, at most."""
        return -(-self.columns // self.pieces)

    @property
    def sets(self) -> int:
        """Lines that have accumulators at a time."""
        return self.config.acc_slots // self.config.rotation

    @property
    def rows(self) -> int:
        """DRAM rows of all loads."""
        return -(-self.lines * self.columns // self.config.cols)

    @property
    def loads(self) -> int:
        """Times that the array is filled."""
        return -(-self.rows // self.load_rows)

    def place(self, row: int) -> int:
        """Where in the array a DRAM row is; two row buffers take turns at its halves."""
        load, here = divmod(row, self.load_rows)
        return here + self.load_rows * (load % 2 if self.config.dual_row_buffer else 0)

    def slot(self, line: int) -> int:
        """First accumulator of a line."""
        return line % self.sets * self.config.rotation

    @cached_property
    def order(self) -> tuple[Array, Array]:
        """Line and column by position in the rows, int64 arrays of shape (lines * columns,)."""
        if self.pieces == 1:
            line, column = np.divmod(np.arange(self.lines * self.columns), self.columns)
            return line, column
        lines, columns = [], []
        for first in range(0, self.lines, self.sets):
            group = np.arange(first, min(first + self.sets, self.lines))
            for start in range(0, self.columns, self.piece):
                part = np.arange(start, min(start + self.piece, self.columns))
                lines.append(np.repeat(group, len(part)))
                columns.append(np.tile(part, len(group)))
        return np.concatenate(lines), np.concatenate(columns)

    @cached_property
    def bursts(self) -> list[Burst]:
        """All bursts, in order."""
        line, column = self.order
        at = np.arange(len(line))
        begins = at % self.config.cols % longest(self.config) == 0
        begins |= column % self.piece == 0
        begins |= np.diff(line, prepend=-1) != 0
        starts = np.flatnonzero(begins)
        lengths = np.diff(starts, append=len(line))
        row, col = np.divmod(starts, self.config.cols)
        return [Burst(*each) for each in zip(
            row.tolist(), col.tolist(), lengths.tolist(), line[starts].tolist(),
            column[starts].tolist(), strict=True)]

    @cached_property
    def turns(self) -> Array:
        """Which of a line's accumulators a column is added to, shape (lines, columns)."""
        turns = np.empty((self.lines, self.columns), np.int64)
        for burst in self.bursts:
            turns[burst.line, burst.column:burst.column + burst.n] = \
                np.arange(burst.n) % self.config.rotation
        return turns

    def columns_of(self, codes: npt.ArrayLike) -> Array:
        """The matrix, or vectors, as columns.

        Parameters
        ----------
        codes : integer array of shape (rows, k)

        Returns
        -------
        uint64 array of shape (rows, columns, lanes)
            Zeros at the end of each row.
        """
        given = np.asarray(codes, np.uint64)
        whole = np.zeros((len(given), self.columns * self.config.lanes), np.uint64)
        whole[:, :self.k] = given
        return whole.reshape(len(given), self.columns, self.config.lanes)


def plan(config: PimConfig, shape: tuple[int, int], load_rows: int | None = None) -> Plan:
    """Lay out a matrix.

    Parameters
    ----------
    config : PimConfig
    shape : (m, k)
    load_rows : int, optional
        DRAM rows that a load takes. By default all that are needed, if the array has them; else
        all of the array, or half of it with two row buffers: one half is written while the other
        is multiplied.

    Raises
    ------
    ConfigError
        If an accumulator would be added to more often than ``mac_columns``, or a load has no
        room.
    """
    m, k = shape
    if m < 1 or k < 1:
        raise ConfigError("shape", f"{m} x {k}", "have a row and a column at least")
    whole = Plan(config, m, k, config.rows)
    if whole.columns > config.mac_columns:
        raise ConfigError("k", k, f"be at most {config.mac_columns * config.lanes}, the elements "
                          f"of {config.mac_columns} columns", "raise mac_columns, or cut the sum")
    room = config.rows // 2 if config.dual_row_buffer else config.rows
    if load_rows is None:
        load_rows = whole.rows if whole.rows <= config.rows else room
    made = Plan(config, m, k, load_rows)
    if load_rows < 1 or load_rows > (config.rows if made.loads == 1 else room):
        raise ConfigError("load_rows", load_rows, f"be 1 to {room}", "an array has to have room "
                          "for a load, or for two with two row buffers")
    return made


def accumulators(made: Plan, matrix: npt.ArrayLike, vectors: npt.ArrayLike) -> Array:
    """What the accumulators hold in the end: columns added in ascending order.

    Parameters
    ----------
    made : Plan
    matrix : integer array of shape (m, k)
        Codes of the elements, non-negative.
    vectors : integer array of shape (v, k)

    Returns
    -------
    uint64 array of shape (m, v, rotation, acc_lanes)
        Bits in the accumulators' format.
    """
    config = made.config
    columns, vector = made.columns_of(matrix), made.columns_of(vectors)
    rows = np.arange(made.m)
    accs = np.zeros((made.m, len(vector), config.rotation, config.acc_lanes), np.uint64)
    for column in range(made.columns):
        sums = dots(config, columns[:, None, column], vector[None, :, column])
        turn = made.turns[rows // config.banks, column]
        accs[rows, :, turn] = accumulate(config, accs[rows, :, turn], sums)
    return accs


def combine(config: PimConfig, accs: npt.ArrayLike) -> Array:
    """What is left to the host: the sum of a line's accumulators.

    Those taken in turn are added in ascending order, lane by lane; then lanes, if each has its
    own: neighbours, and neighbouring sums, in a tree. Each sum is rounded to the accumulators'
    format.

    Parameters
    ----------
    config : PimConfig
    accs : integer array of shape (..., rotation, acc_lanes)
        Bits in that format.

    Returns
    -------
    uint64 array of shape (...)
    """
    given = np.asarray(accs, np.uint64)
    total = given[..., 0, :]
    for turn in range(1, config.rotation):
        total = accumulate(config, total, given[..., turn, :])
    while total.shape[-1] > 1:
        total = accumulate(config, total[..., ::2], total[..., 1::2])
    return total[..., 0]


def expected(made: Plan, matrix: npt.ArrayLike, vectors: npt.ArrayLike) -> Array:
    """The golden product, in the order of operations of banks and host.

    Parameters as of `accumulators`.

    Returns
    -------
    uint64 array of shape (m, v)
        Bits in the accumulators' format.
    """
    return combine(made.config, accumulators(made, matrix, vectors))


def encode(config: PimConfig, numbers: npt.ArrayLike) -> Array:
    """Codes of the elements nearest to numbers; integers must fit int8."""
    given = np.asarray(numbers)
    if config.floating:
        return floating.nearest(given.astype(np.float64), config.fmt_format)
    if not np.issubdtype(given.dtype, np.integer) or ((given < -128) | (given > 127)).any():
        raise ConfigError("fmt", config.fmt, "have integers from -128 to 127 as elements")
    return given.astype(np.int8).view(np.uint8).astype(np.uint64)


def decode(config: PimConfig, codes: npt.ArrayLike) -> Array:
    """Elements as numbers: float64, or int64."""
    given = np.asarray(codes, np.uint64)
    if config.floating:
        return floating.values(given, config.fmt_format)
    return given.astype(np.uint8).view(np.int8).astype(np.int64)


def numbers(config: PimConfig, bits: npt.ArrayLike) -> Array:
    """Accumulators as numbers: float64, or int64."""
    given = np.asarray(bits, np.uint64)
    if config.floating:
        return floating.values(given, config.acc_format)
    return given.astype(np.uint32).view(np.int32).astype(np.int64)
