"""The correction of results for the zero point of weights."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module
from amaranth.lib.wiring import Component, In, Out

from .columns import Columns
from .config import BitsliceConfig
from .correction import Correction
from .job import job_layout, zero_of_a
from .recode import Recode
from .weights import Weights
from .zero_element import ZeroElement


class ZeroPoints(Component):
    """A column of PEs beside the array, whose weight is the zero point for every activation.

    Its results, ``w_zero * sum(a - a_zero)`` of a row, go to the right with the wave of results,
    and are subtracted from them. Latency ``sum_stages`` cycles. The zero point of activations is
    the business of the references above the columns.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    sums : In
        Of the activations of each row.
    job : In
    go, first, last : In(1)
        Digits are issued, a cycle before they come to the columns; they begin, end a sum there.
    digits, position : In
        Digits of the zero point, where they come one by one; instead of ``go``.
    results, corrected : In, Out
        As `Columns` gives them.
    lines : Out
        All digits of the zero point, where they come one by one.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        self.columns = Columns(config, config.zero_shape, 1)
        shape = config.zero_shape
        self.recode = Recode(config, 1) if config.timed else None
        timed = {"digits": In(config.lines_of(shape)),
                 "lines": Out(len(self.recode.lines))} if self.recode else {"go": In(1)}
        if shape.position_bits:
            timed["position"] = In(shape.position_bits)
        super().__init__({"sums": In(config.rows * shape.a_width), "job": In(job_layout(config)),
                          "first": In(1), "last": In(1), **timed,
                          "results": In(config.results * config.drained_width),
                          "corrected": Out(config.results * config.result_width)})

    def elaborate(self, platform):
        m = Module()
        config, columns = self.config, self.columns
        m.submodules.columns = columns
        m.submodules.element = element = ZeroElement(config)
        m.submodules.correction = correction = Correction(config)
        m.d.comb += element.job.eq(self.job)
        if self.recode:
            m.submodules.recode = recode = self.recode
            m.d.comb += [recode.data.eq(element.w), recode.job.eq(element.whole),
                         self.lines.eq(recode.lines), columns.digits.eq(self.digits)]
            if config.shape.position_bits:
                m.d.comb += columns.position.eq(self.position)
        else:
            m.submodules.weights = weights = Weights(config, config.zero_shape, 1)
            m.d.comb += [weights.job.eq(element.whole), weights.go.eq(self.go),
                         weights.w.eq(element.w), columns.digits.eq(weights.digits)]
            if config.nested:
                m.d.comb += weights.w_low.eq(element.w_low)
        lanes = config.beat_k.bit_length() - 1
        width = config.drained_width
        m.d.comb += [
            columns.a.eq(self.sums), columns.first.eq(self.first), columns.last.eq(self.last),
            columns.cases.eq(element.whole.cases),
            columns.constant.eq(Cat(C(0, lanes), zero_of_a(m, config, self.job))),
            correction.job.eq(self.job), correction.results.eq(self.results),
            correction.own.eq(Cat(*(
                columns.results.word_select(band, width * config.products)[:width]
                for band in range(config.drain_adders)))),
            self.corrected.eq(correction.corrected),
        ]
        return m
