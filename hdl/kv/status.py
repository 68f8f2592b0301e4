"""The status port: the first error, kept until it is cleared."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import CODE_BITS, TOKEN_BITS


class Status(wiring.Component):
    """Keeps the first code since reset or ``clear``, and the row that it is about.

    A code that comes in the cycle of ``clear`` is kept.
    """

    part_name = "status"

    def __init__(self):
        super().__init__({
            "code": In(CODE_BITS), "row": In(TOKEN_BITS), "clear": In(1),
            "status": Out(CODE_BITS), "status_row": Out(TOKEN_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        with m.If(self.clear | (self.status == 0)):
            m.d.sync += [self.status.eq(self.code), self.status_row.eq(self.row)]
        return m
