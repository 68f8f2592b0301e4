"""The correction of results for the zero point of weights."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .columns import Columns
from .config import FULL, REFINE, BitsliceConfig
from .delays import delays
from .job import job_layout
from .recode import Recode
from .split_sum import SplitSum
from .weights import Weights


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
        width = config.results * config.result_width
        shape = config.zero_shape
        self.recode = Recode(config, 1) if config.timed else None
        timed = {"digits": In(config.lines_of(shape)),
                 "lines": Out(len(self.recode.lines))} if self.recode else {"go": In(1)}
        if shape.position_bits:
            timed["position"] = In(shape.position_bits)
        super().__init__({"sums": In(config.rows * shape.a_width), "job": In(job_layout(config)),
                          "first": In(1), "last": In(1), **timed, "results": In(width),
                          "corrected": Out(width)})

    def elaborate(self, platform):
        m = Module()
        config, columns = self.config, self.columns
        m.submodules.columns = columns
        job = Signal(job_layout(config))  # as of whole weights, whatever half is used
        m.d.comb += [job.eq(self.job), job.cases.eq(self._whole_cases())]
        element = Signal(config.w_width)
        for number, (w, nest) in enumerate(config.cases):
            if nest != REFINE:
                with m.If(self.job.cases[number]):
                    m.d.comb += element.eq(self.job.w_zero[:w])
        if self.recode:
            m.submodules.recode = recode = self.recode
            m.d.comb += [recode.data.eq(element), recode.job.eq(job), self.lines.eq(recode.lines),
                         columns.digits.eq(self.digits)]
            if config.shape.position_bits:
                m.d.comb += columns.position.eq(self.position)
        else:
            m.submodules.weights = weights = Weights(config, config.zero_shape, 1)
            m.d.comb += [weights.job.eq(job), weights.go.eq(self.go),
                         columns.digits.eq(weights.digits), *self._element(weights, element)]
        lanes = config.beat_k.bit_length() - 1
        m.d.comb += [
            columns.a.eq(self.sums), columns.first.eq(self.first), columns.last.eq(self.last),
            columns.cases.eq(job.cases),
            columns.constant.eq(Cat(C(0, lanes), self.job.a_zero)),
        ]
        self._subtract(m)
        return m

    def _whole_cases(self) -> Value:
        cases: list[Value] = [self.job.cases[number] for number in range(len(self.config.cases))]
        if self.config.nested:
            full = self.config.cases.index((8, FULL))
            cases = [*cases[:full], Cat(*cases[full:]).any(), C(0, 1), C(0, 1)]
        return Cat(*cases)

    def _element(self, weights: Weights, element: Value) -> list:
        """The zero point in the form of a lane of the weight streams."""
        config = self.config
        if not config.nested:
            return [weights.w.eq(element)]
        narrow = self.job.cases[config.cases.index((4, FULL))] \
            if (4, FULL) in config.cases else C(0, 1)
        high = Cat(element[3] & ~narrow,
                   *((element[bit] & narrow) | (element[bit + 4] & ~narrow) for bit in range(4)))
        return [weights.w.eq(high), weights.w_low.eq(element[:4])]

    def _subtract(self, m: Module) -> None:
        config = self.config
        width, products = config.result_width, config.products
        # products that the job's mode does not make stay 0
        made = [Cat(*(self.job.cases[case] for case, (w, nest) in enumerate(config.cases)
                      if product < config.products_of(w, nest))).any()
                for product in range(products)]
        corrected = []
        for band in range(config.drain_adders):
            own = self.columns.results.word_select(band, width * products)[:width]
            passing = delays(m, own, config.cols, f"correction_{band}")
            for col in range(config.cols):
                for product in range(products):
                    number = (band * config.cols + col) * products + product
                    less = Signal(width, name=f"less_{number}")
                    m.d.comb += less.eq(~(passing[col] & made[product].replicate(width)))
                    m.submodules[f"correct_{number}"] = total = SplitSum(width, config.sum_stages)
                    m.d.comb += [total.x.eq(self.results.word_select(number, width)),
                                 total.y.eq(less), total.carry.eq(1)]
                    corrected.append(total.total)
        m.d.comb += self.corrected.eq(Cat(*corrected))
