"""The exact sum of a column's products of integers."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.adder_tree import Term, add_level

from .config import PimConfig
from .pipeline import all_held, held


class DotExact(Component):
    """Sum of products of signed integers, in two's complement.

    Registers after the products and after every second level of the adder tree.

    Parameters
    ----------
    config : PimConfig
        Of integers; latency ``dot_latency``.
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.part_name = f"dot_exact_{config.fmt}_{config.lanes}"
        super().__init__({"column": In(config.column_bits), "vector": In(config.column_bits),
                          "result": Out(config.acc_bits)})

    def elaborate(self, platform):
        m = Module()
        bits, low = self.config.fmt_bits, -1 << self.config.fmt_bits - 1
        terms = []
        for lane in range(self.config.lanes):
            product = (self.column.word_select(lane, bits).as_signed()
                       * self.vector.word_select(lane, bits).as_signed())
            terms.append(Term(held(m, product, f"product_{lane}"), low * (-low - 1), low * low))
        for level in range(self.config.tree_levels):
            terms, _ = add_level(terms, [])
            if level % 2 or level == self.config.tree_levels - 1:
                sums = all_held(m, [term.value for term in terms], f"sum_{level}")
                terms = [Term(value.as_signed(), term.low, term.high)
                         for value, term in zip(sums, terms, strict=True)]
        m.d.comb += self.result.eq(terms[0].value)
        return m
