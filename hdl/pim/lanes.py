"""The products of a column, each rounded by itself."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.float.multiply import FloatMultiply
from pimlico.hdl.common.parts import place

from .config import PimConfig
from .pipeline import held


class Lanes(Component):
    """Products in the accumulators' format, lane by lane: rounded, or exact ones of integers.

    Latency two cycles, one of integers.

    Parameters
    ----------
    config : PimConfig
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.part_name = (f"lanes_{config.fmt}_{config.lanes}_{config.acc}_{config.subnormals}")
        super().__init__({"column": In(config.column_bits), "vector": In(config.column_bits),
                          "result": Out(config.lanes * config.acc_bits)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        for lane in range(config.lanes):
            x = self.column.word_select(lane, config.fmt_bits)
            y = self.vector.word_select(lane, config.fmt_bits)
            result = self.result.word_select(lane, config.acc_bits)
            if not config.floating:
                product = held(m, x.as_signed() * y.as_signed(), f"product_{lane}")
                m.d.comb += result.eq(product)
                continue
            element = config.fmt_format
            multiply = FloatMultiply(element, element, config.acc_format, config.subnormals, 1)
            m.submodules[f"multiply_{lane}"] = place(platform, multiply)
            m.d.comb += [multiply.a.eq(x), multiply.b.eq(y), multiply.advance.eq(1),
                         result.eq(held(m, multiply.result, f"product_{lane}"))]
        return m
