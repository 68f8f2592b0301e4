"""The burst of fresh rows: whether it ends where the mask says."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Burst(wiring.Component):
    """Follows the ``last`` flags of fresh through a pass.

    ``load`` begins a pass, ``take`` is a beat taken for a row, ``last`` its flag; ``finished``
    comes a cycle after the pass's last beat. ``over``: the pass's burst has ended. A burst still
    open when `finished` comes is an ``excess``: its other beats are dropped (``dropping``, with
    ``offered`` a beat a cycle) until the one with ``last``, also while the next pass waits.
    """

    part_name = "burst"

    def __init__(self):
        super().__init__({
            "load": In(1), "take": In(1), "last": In(1), "offered": In(1), "finished": In(1),
            "over": Out(1), "excess": Out(1), "dropping": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        unended = Signal()
        m.d.comb += self.excess.eq(self.finished & unended)
        m.d.sync += [
            self.over.eq(~self.load & (self.over | self.take & self.last)),
            unended.eq(~self.load & Mux(self.take, ~self.last, unended)),
            self.dropping.eq(self.excess | self.dropping & ~(self.offered & self.last)),
        ]
        return m
