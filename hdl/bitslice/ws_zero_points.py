"""The correction of what passes by stationary weights for their zero point."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .correction import Correction
from .delays import staggered
from .job import job_layout
from .recode import Recode, element_digits
from .weights import Weights
from .ws_column import WsColumn
from .zero_element import ZeroElement


class WsZeroPoints(Component):
    """A column beside the array that holds the zero point in every row.

    What passes it is ``w_zero * sum(a - a_zero)``, goes to the right with the wave of results,
    and is subtracted from them. Latency ``sum_stages`` cycles. The zero point of activations is
    subtracted where they enter.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    sums : In
        Of the activations of each row, with the position of the digit in use.
    job : In
    go : In(1)
        A row of weights is issued, a cycle before it comes to the columns.
    load, swap : In
        As `ws_column.WsColumn` takes them.
    results, corrected : In, Out
        As `ws_columns.WsColumns` gives them.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        self.column = WsColumn(config, config.zero_shape)
        super().__init__({"sums": In(len(self.column.a)), "job": In(job_layout(config)),
                          "go": In(1), "load": In(config.rows), "swap": In(1),
                          "results": In(config.results * config.drained_width),
                          "corrected": Out(config.results * config.result_width)})

    def elaborate(self, platform):
        m = Module()
        config, column = self.config, self.column
        m.submodules.column = column
        m.submodules.element = element = ZeroElement(config)
        m.submodules.correction = correction = Correction(config)
        bits = config.row_bits_of(config.zero_shape)
        rows = [self.sums.word_select(row, bits) for row in range(config.rows)]
        m.d.comb += [
            element.job.eq(self.job), column.digits.eq(self._digits(m, element)),
            column.a.eq(Cat(*staggered(m, rows, range(config.rows), "a"))),
            column.load.eq(self.load), column.swap.eq(self.swap),
            column.cases.eq(element.whole.cases), correction.job.eq(self.job),
            correction.own.eq(column.results[:config.drained_width]),
            correction.results.eq(self.results), self.corrected.eq(correction.corrected),
        ]
        return m

    def _digits(self, m: Module, element: ZeroElement) -> Value:
        config = self.config
        if not config.timed:
            m.submodules.weights = weights = Weights(config, config.zero_shape, 1)
            m.d.comb += [weights.job.eq(element.whole), weights.go.eq(self.go),
                         weights.w.eq(element.w)]
            if config.nested:
                m.d.comb += weights.w_low.eq(element.w_low)
            return weights.digits
        m.submodules.recode = recode = Recode(config, 1)
        m.d.comb += [recode.data.eq(element.w), recode.job.eq(element.whole)]
        edge = Signal(len(recode.lines), reset_less=True)
        m.d.sync += edge.eq(Cat(*element_digits(config, 0, recode.lines, None, self.job)))
        return edge
