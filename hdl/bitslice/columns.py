"""The output-stationary array: columns side by side."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .column import Column
from .config import BitsliceConfig
from .delays import staggered
from .shape import PeShape


class Columns(Component):
    """Columns that hand activations to the right, a cycle later each.

    Parameters
    ----------
    config : BitsliceConfig
    shape : PeShape
    cols : int

    Attributes
    ----------
    a, first, last, digits, index, position, constant, cases : In
        As `column.Column` takes them, those of all columns side by side; unskewed.
    results : Out
        Of each band and column, those of column c after c cycles more.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape, cols: int):
        self.config, self.shape, self.cols = config, shape, cols
        self.columns = [Column(config, shape) for _ in range(cols)]
        one = self.columns[0]
        self.feeds = one.feeds
        super().__init__({
            "a": In(len(one.a)), "first": In(1), "last": In(1),
            **{name: In(cols * bits) for name, bits in one.feeds.items()},
            **({"constant": In(shape.a_width)} if config.zero_points else {}),
            "cases": In(len(config.cases)), "results": Out(cols * len(one.results))})

    def elaborate(self, platform):
        m = Module()
        config, columns = self.config, self.columns
        for number, column in enumerate(columns):
            m.submodules[f"column_{number}"] = place(platform, column)
            m.d.comb += column.cases.eq(self.cases)
            if config.zero_points:
                m.d.comb += column.constant.eq(self.constant)
        rows = [self.a.word_select(row, self.shape.a_bits) for row in range(config.rows)]
        a: Value = Cat(*staggered(m, rows, range(config.rows), "a"))
        first: Value = self.first
        last: Value = self.last
        for column in columns:
            m.d.comb += [column.a.eq(a), column.first.eq(first), column.last.eq(last)]
            a, first, last = column.a_next, column.first_next, column.last_next
        for name, bits in self.feeds.items():
            whole = getattr(self, name)
            skewed = staggered(m, [whole[col * bits:(col + 1) * bits] for col in range(self.cols)],
                               range(self.cols), name)
            m.d.comb += [getattr(column, name).eq(value)
                         for column, value in zip(columns, skewed, strict=True)]
        width = config.column_results * config.drained_width
        m.d.comb += self.results.eq(Cat(*(column.results.word_select(band, width)
                                          for band in range(config.drain_adders)
                                          for column in columns)))
        return m
