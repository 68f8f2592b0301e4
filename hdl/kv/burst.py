"""The burst of fresh rows: whether it ends where the mask says."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Burst(wiring.Component):
    """Follows the ``last`` flags of fresh through a pass.

    ``load`` begins a pass, ``take`` is a beat taken for a row, ``last`` its flag, ``finish``
    the pass's last beat. ``over``: the pass's burst has ended. A burst still open after `finish`
    is an ``excess``, a cycle later: its other beats are dropped (``dropping``, with ``offered``
    a beat a cycle) until the one with ``last``, also while the next pass waits.
    """

    part_name = "burst"

    def __init__(self):
        super().__init__({
            "load": In(1), "take": In(1), "last": In(1), "offered": In(1), "finish": In(1),
            "over": Out(1), "excess": Out(1), "dropping": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        unended = Signal()
        finished = Signal()
        m.d.sync += finished.eq(self.finish)
        m.d.comb += self.excess.eq(finished & unended)
        with m.If(self.load):
            m.d.sync += [self.over.eq(0), unended.eq(0)]
        with m.Elif(self.take):
            m.d.sync += [self.over.eq(self.last), unended.eq(~self.last)]
        with m.If(self.excess):
            m.d.sync += self.dropping.eq(1)
        with m.Elif(self.offered & self.last):
            m.d.sync += self.dropping.eq(0)
        return m
