"""The status port: the first error, kept until it is cleared."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import CODE_BITS, KvConfig


class Status(wiring.Component):
    """Keeps the first code since reset or ``clear``, and the row that it is about.

    ``fault`` is of the pass, at ``row`` where it is of a row (``of_row``); ``refused`` is of a
    start or a reset of the cycle before, and gives way to it. A code shows two cycles after its
    cause; one whose turn comes in the cycle of ``clear`` is kept.
    """

    part_name = "status"

    def __init__(self, config: KvConfig):
        super().__init__({
            "fault": In(CODE_BITS), "of_row": In(1), "row": In(config.row_bits),
            "refused": In(CODE_BITS), "clear": In(1),
            "code": Out(CODE_BITS), "status": Out(CODE_BITS),
            "status_row": Out(config.row_bits),
        })

    def elaborate(self, platform):
        m = Module()
        row = Signal.like(self.row, name="code_row", reset_less=True)
        of_row = Signal(name="code_of_row")
        m.d.sync += [self.code.eq(self.fault), row.eq(self.row), of_row.eq(self.of_row)]
        update = Signal()
        m.d.comb += update.eq(self.clear | (self.status == 0))
        with m.If(update):
            m.d.sync += [self.status.eq(Mux(self.code != 0, self.code, self.refused)),
                         self.status_row.eq(row)]
        with m.If(update & ~of_row):
            m.d.sync += self.status_row.eq(0)
        return m
