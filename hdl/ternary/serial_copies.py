"""Who uses which of the two copies of serially built tables."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Copies(wiring.Component):
    """Lets activations in for one copy of the tables while the other is used.

    A copy is `load`ed with what it is to be built from, `build`t in the cycles that follow, up
    to the one with `last`, and used until `leave`. `ready` says that a load may come in this
    cycle: nothing is being built or this is its last cycle, and a copy is free or leaves.

    Attributes
    ----------
    target : Signal
        The copy that a load in this cycle is for.
    fill : Signal
        The copy that is being built.
    use : Signal
        The copy that is next to be used, or is being used.
    built : Signal
        Whether that one is complete.
    """

    part_name = "copies"

    def __init__(self) -> None:
        super().__init__({
            "load": In(1), "last": In(1), "leave": In(1),
            "ready": Out(1), "build": Out(1), "target": Out(1), "fill": Out(1), "use": Out(1),
            "built": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        complete = Signal(2)
        ends = Signal()
        m.d.comb += [
            ends.eq(self.build & self.last),
            self.target.eq(self.fill ^ self.build),
            self.built.eq((complete[0] & ~self.use) | (complete[1] & self.use)),
            self.ready.eq((~self.build | self.last) & (
                self.leave | ~(complete.all() | (self.build & complete.any())))),
        ]
        with m.If(self.load):
            m.d.sync += self.build.eq(1)
        with m.Elif(ends):
            m.d.sync += self.build.eq(0)
        with m.If(ends):
            m.d.sync += self.fill.eq(~self.fill)
        with m.If(self.leave):
            m.d.sync += self.use.eq(~self.use)
        for copy in range(2):
            with m.If(ends & (self.fill == copy)):
                m.d.sync += complete[copy].eq(1)
            with m.Elif(self.leave & (self.use == copy)):
                m.d.sync += complete[copy].eq(0)
        return m
