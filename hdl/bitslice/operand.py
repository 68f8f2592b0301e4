"""A beat of operands, held until its digits are issued."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out


class Operand(Component):
    """The register that holds a stream's beat. Latency one cycle, one beat a cycle.

    Parameters
    ----------
    width : int
        Bits of a payload.

    Attributes
    ----------
    i : stream
    wanted : In(1)
        The job reads this stream, and goes on after the beat held.
    take : In(1)
        The beat held is done with.
    full : Out(1)
        A beat is held.
    held : Out
        That beat.
    """

    def __init__(self, width: int):
        super().__init__({"i": In(stream.Signature(width)), "wanted": In(1), "take": In(1),
                          "full": Out(1), "held": Out(width)})

    def elaborate(self, platform):
        m = Module()
        beat = Signal.like(self.held, reset_less=True)
        full = Signal()
        m.d.comb += [self.i.ready.eq(self.wanted & (~full | self.take)),
                     self.full.eq(full), self.held.eq(beat)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [full.eq(1), beat.eq(self.i.payload)]
        with m.Elif(self.take):
            m.d.sync += full.eq(0)
        return m
