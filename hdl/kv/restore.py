"""From levels to elements."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Array, C, Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.adder_tree import add_with_carry
from pimlico.hdl.common.parts import place

from .config import KvConfig


class Restorer(wiring.Component):
    """``zero + round(level * scale / 2**(b + 1))`` for each level of a beat, without a register.

    With levels of 2 bits the four elements they stand for are found once, and each lane picks
    one; with more, each lane multiplies, in a DSP block where there are any.
    """

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({"levels": In(config.quant_bits * config.beat_elems),
                          "zero": In(signed(config.elem_width)), "scale": In(config.scale_bits),
                          "data": Out(config.beat_bits)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        levels = [self.levels.word_select(number, config.quant_bits)
                  for number in range(config.beat_elems)]
        if config.quant_bits == 2:
            elements = self._pick(m, levels)
        else:
            elements = []
            for number, level in enumerate(levels):
                lane = RestoreLane(config)
                m.submodules[f"lane_{number}"] = place(platform, lane)
                m.d.comb += [lane.level.eq(level), lane.zero.eq(self.zero),
                             lane.scale.eq(self.scale)]
                elements.append(lane.x)
        m.d.comb += self.data.eq(Cat(*elements))
        return m

    def _pick(self, m: Module, levels: Sequence[Value]) -> list[Value]:
        scale = self.scale
        elements = [self.zero.as_unsigned()]
        for number, product in enumerate((scale, scale << 1, scale + (scale << 1)), start=1):
            element = Signal(self.config.elem_width, name=f"element_{number}")
            m.d.comb += element.eq(_restore(m, product, self.zero, self.config))
            elements.append(element)
        return [Array(elements)[level] for level in levels]


class RestoreLane(wiring.Component):
    """``zero + round(level * scale / 2**(b + 1))`` of one level."""

    part_name = "restore"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({"level": In(config.quant_bits), "zero": In(signed(config.elem_width)),
                          "scale": In(config.scale_bits), "x": Out(signed(config.elem_width))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.x.eq(_restore(m, self.level * self.scale, self.zero, self.config))
        return m


def _restore(m: Module, product: Value, zero: Value, config: KvConfig) -> Value:
    """`zero` and the integer part of the product; its first fractional bit is the carry in."""
    scaled = Signal(product.shape(), name="product")
    m.d.comb += scaled.eq(product)
    point = config.quant_bits + 1
    return add_with_carry(zero, Cat(scaled[point:], C(0, 1)), scaled[point - 1])
