"""The running sum in Amaranth."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .config import RunningSumConfig


class RunningSum(wiring.Component):
    """One register between the streams; takes a value a cycle."""

    def __init__(self, config: RunningSumConfig):
        self.width = config.width
        super().__init__({
            "i": In(stream.Signature(config.width + 1)),
            "o": Out(stream.Signature(config.width + 1)),
            "negate": In(1),
            "count": Out(4),
        })

    def elaborate(self, platform):
        m = Module()
        total = Signal(self.width)
        last = Signal(init=1)
        value = self.i.payload[:self.width]
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | self.o.ready),
            self.o.payload.eq(Cat(total, last)),
        ]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
        with m.If(self.i.ready & self.i.valid):
            base = Mux(last, 0, total)
            m.d.sync += [
                total.eq(Mux(self.negate, base - value, base + value)),
                last.eq(self.i.payload[self.width]),
                self.count.eq(self.count + 1),
            ]
        return m
