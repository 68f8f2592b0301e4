"""From levels to elements."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.adder_tree import add_with_carry

from .config import KvConfig


class RestoreLane(wiring.Component):
    """``zero + round(level * scale / 2**(b + 1))`` of one element, without a register.

    The rounding is the carry into the addition of `zero`. A level of 2 bits takes an adder for
    its product; more are left to synthesis, which has a DSP block for each lane.
    """

    part_name = "restore"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({"level": In(config.quant_bits), "zero": In(signed(config.elem_width)),
                          "scale": In(config.scale_bits), "x": Out(signed(config.elem_width))})

    def elaborate(self, platform):
        m = Module()
        width, bits = self.config.elem_width, self.config.quant_bits
        product = Signal(bits + self.config.scale_bits)
        m.d.comb += product.eq(self._product())
        offset = product[bits + 1:bits + 1 + width].as_signed()
        m.d.comb += self.x.eq(add_with_carry(self.zero, offset, product[bits]))
        return m

    def _product(self) -> Value:
        if self.config.quant_bits > 2:
            return self.level * self.scale
        return Mux(self.level[0], self.scale, 0) + (Mux(self.level[1], self.scale, 0) << 1)
