"""The weight-stationary array: columns side by side."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .config import BitsliceConfig
from .delays import staggered
from .ws_column import WsColumn


class WsColumns(Component):
    """Columns that hand activations and commands to the right, a cycle later each.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    a, load, swap, digits, cases : In
        As `ws_column.WsColumn` takes them, the digits of all columns side by side; unskewed.
    results : Out
        Of each column, those of column c after c cycles more.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        self.columns = [WsColumn(config, config.shape) for _ in range(config.columns)]
        one = self.columns[0]
        super().__init__({"a": In(len(one.a)), "load": In(config.rows), "swap": In(1),
                          "digits": In(config.columns * config.column_lines),
                          "cases": In(len(config.cases)),
                          "results": Out(config.columns * len(one.results))})

    def elaborate(self, platform):
        m = Module()
        config, bits = self.config, self.config.column_lines
        row_bits = config.row_bits_of(config.shape)
        rows = [self.a.word_select(row, row_bits) for row in range(config.rows)]
        a: Value = Cat(*staggered(m, rows, range(config.rows), "a"))
        load: Value = self.load
        swap: Value = self.swap
        weights = staggered(m, [self.digits[col * bits:(col + 1) * bits]
                                for col in range(config.columns)], range(config.columns), "digits")
        for number, column in enumerate(self.columns):
            m.submodules[f"column_{number}"] = place(platform, column)
            m.d.comb += [column.a.eq(a), column.load.eq(load), column.swap.eq(swap),
                         column.digits.eq(weights[number]), column.cases.eq(self.cases)]
            a, load, swap = column.a_next, column.load_next, column.swap_next
        m.d.comb += self.results.eq(Cat(*(column.results for column in self.columns)))
        return m
