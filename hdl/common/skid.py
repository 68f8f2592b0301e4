"""A stage that registers valid, payload and ready of a stream."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class SkidBuffer(wiring.Component):
    """Cuts every combinational path through a stream, at full throughput.

    Two beats deep: the second register takes the beat that is on its way when the sink stalls.
    Latency one cycle, initiation interval one.

    Parameters
    ----------
    shape : ShapeLike
        Of the payload.
    """

    part_name = "skid"

    def __init__(self, shape: ShapeLike):
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})
        self.shape = shape

    def elaborate(self, platform):
        m = Module()
        spare = Signal(self.shape, reset_less=True)
        spare_full = Signal()
        m.d.comb += self.i.ready.eq(~spare_full)
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += [self.o.valid.eq(self.i.valid | spare_full),
                         self.o.payload.eq(Mux(spare_full, spare, self.i.payload)),
                         spare_full.eq(0)]
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += [spare.eq(self.i.payload), spare_full.eq(1)]
        return m
