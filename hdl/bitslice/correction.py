"""What goes along with the wave of results, and is subtracted from all of a row."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .delays import delays
from .job import job_layout
from .split_sum import SplitSum


class Correction(Component):
    """Subtracts the results of the zero points' column. Latency ``sum_stages`` cycles.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    job : In
    own : In
        Results of that column, a band after another, with those of column 0.
    results, corrected : In, Out
        Of each band and column, a column a cycle after the one before.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        narrow = config.drained_width
        super().__init__({"job": In(job_layout(config)), "own": In(config.drain_adders * narrow),
                          "results": In(config.results * narrow),
                          "corrected": Out(config.results * config.result_width)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        width, narrow, products = config.result_width, config.drained_width, config.products
        # products that the job's mode does not make stay 0
        made = [Cat(*(self.job.cases[case] for case, (w, nest) in enumerate(config.cases)
                      if product < config.products_of(w, nest))).any()
                for product in range(products)]
        corrected = []
        for band in range(config.drain_adders):
            passing = delays(m, self.own.word_select(band, narrow), config.cols, f"own_{band}")
            for col in range(config.cols):
                for product in range(products):
                    number = (band * config.cols + col) * products + product
                    less = Signal(width, name=f"less_{number}")
                    m.d.comb += less.eq(~Mux(made[product], passing[col].as_signed(), 0))
                    m.submodules[f"correct_{number}"] = total = SplitSum(width, config.sum_stages)
                    m.d.comb += [total.x.eq(
                        self.results.word_select(number, narrow).as_signed()),
                                 total.y.eq(less), total.carry.eq(1)]
                    corrected.append(total.total)
        m.d.comb += self.corrected.eq(Cat(*corrected))
        return m
