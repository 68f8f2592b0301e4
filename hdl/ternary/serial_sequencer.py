"""Job control of a serial build: column tiles, and the row tiles of each."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import TernaryConfig
from .sequencer import Sequencer


class ColumnTiles(Sequencer):
    """Counts a job's column tiles, each an activation beat, and names each.

    ``first`` and ``last`` of a beat are the job's. Row tiles are counted by `RowTiles`, up to
    the job's number of rows `m`.
    """

    part_name = "column_tiles"

    def __init__(self, config: TernaryConfig):
        super().__init__(config, m=Out(config.m_bits))

    def _count_rows(self, m: Module, rows: Value, accept: Value) -> None:
        held = Signal(self.config.m_bits, name="job_m", reset_less=True)
        with m.If(accept):
            m.d.sync += held.eq(rows)
        m.d.comb += [self.m.eq(held), self.beat.job_last.eq(1), self.beat.rows.eq(0)]


class RowTiles(wiring.Component):
    """Counts the row tiles of a column tile, one a `take`.

    `m` is the job's number of rows, and is read at a column tile's first row tile. `number`,
    `rows`, `first` and `last` are of the row tile that is next.
    """

    part_name = "row_tiles"

    def __init__(self, config: TernaryConfig):
        self.config = config
        super().__init__({
            "m": In(config.m_bits),
            "take": In(1),
            "number": Out(range(max(2, config.row_tiles))),
            "rows": Out(config.rows_bits),
            "first": Out(1, init=1),
            "last": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        rows_left = Signal(config.m_bits, reset_less=True)
        left = Signal(config.m_bits)
        m.d.comb += [
            left.eq(Mux(self.first, self.m, rows_left)),
            self.last.eq(left <= config.keys),
            self.rows.eq(Mux(self.last, left, config.keys)),
        ]
        with m.If(self.take):
            m.d.sync += [rows_left.eq(left - config.keys), self.first.eq(self.last),
                         self.number.eq(Mux(self.last, 0, self.number + 1))]
        return m
