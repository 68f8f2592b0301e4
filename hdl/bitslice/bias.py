"""What beats add beside their products, counted once for the whole array."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .array import delays
from .config import BitsliceConfig


class Bias(Component):
    """The bias inside the accumulators that leave, for every band and column.

    A PE takes the sign bits of its partial products inverted, and adds the same constant each
    cycle, be there a beat or none. All PEs of the array add alike, so that a counter at its
    corner does for all: its value goes along with the wave of results.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    first, last : In(1)
        As `array.Array` takes them.
    bias : Out
        Slice by slice for each band and column, with the accumulators in ``Array.due``.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        self.width = sum(config.shape.acc_widths)
        super().__init__({"first": In(1), "last": In(1),
                          "bias": Out(config.drain_adders * config.cols * self.width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.config.shape
        first = delays(m, self.first, config.pipeline + 1, "first")[config.pipeline]
        rows = (config.drain_adders - 1) * config.bands + 1
        take = delays(m, self.last, config.pipeline + 1 + rows, "last", True)[config.pipeline + 1:]
        totals: list[Value] = []
        for number, width in enumerate(shape.acc_widths):
            total = Signal(width, name=f"bias_{number}", reset_less=True)
            m.d.sync += total.eq(Mux(first, 0, total) + shape.bias(number))
            totals.append(total)
        entering: Value = Cat(*totals)
        out: list[Value] = []
        for band in range(config.drain_adders):
            held = Signal(self.width, name=f"leaving_{band}", reset_less=True)
            with m.If(take[band * config.bands]):
                m.d.sync += held.eq(entering)
            entering = held
            out += delays(m, held, config.cols, f"leaving_{band}")
        m.d.comb += self.bias.eq(Cat(*out))
        return m
