"""The scale of a row from its span: a division by a constant 2**b - 1."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import KvConfig


class Scale(wiring.Component):
    """``floor(span * 2**(b + 1) / (2**b - 1))``, a span a cycle, after `stages` cycles.

    The result is n + floor(n / (2**b - 1)), with n = 2 * span. With R the number of K digits
    00...01 of b bits each, (n + 1) * R without its lowest K - 1 digits is n + 1 more than that
    quotient, for every n < 2**((K - 1) * b): R is 2**(K * b) / (2**b - 1), rounded down, and
    the 1 makes up for what is cut off. A stage doubles the digits with one addition.
    """

    def __init__(self, config: KvConfig):
        self.config = config
        self.stages = (config.pack + 1).bit_length()
        super().__init__({"span": In(config.elem_width), "scale": Out(config.scale_bits)})

    def elaborate(self, platform):
        m = Module()
        bits, width = self.config.quant_bits, self.config.scale_bits
        product: Value = Cat(1, self.span)
        for stage in range(self.stages):
            shift = bits << stage
            doubled = Signal(width + 2 * shift - bits, name=f"product_{stage}", reset_less=True)
            m.d.sync += doubled.eq(Cat(product[:shift], product[shift:] + product))
            product = doubled
        m.d.comb += self.scale.eq(product[-width:] - 1)
        return m
