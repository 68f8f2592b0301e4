"""The zero point of weights in the form of a weight."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .config import FULL, REFINE, BitsliceConfig
from .job import job_layout


class ZeroElement(Component):
    """A lane of the weight streams that holds the zero point. Combinational.

    Whatever half of each weight a job uses, the zero point is whole; in refine it is 0.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    job : In
    whole : Out
        The job with whole weights.
    w, w_low : Out
        Elements of one weight; ``w_low`` only if nested.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        low = {"w_low": Out(config.w_low_element)} if config.nested else {}
        super().__init__({"job": In(job_layout(config)), "whole": Out(job_layout(config)),
                          "w": Out(config.w_element), **low})

    def elaborate(self, platform):
        m = Module()
        config, job = self.config, self.job
        zero = Signal(config.w_width)
        for number, (w, nest) in enumerate(config.cases):
            if nest != REFINE:
                with m.If(job.cases[number]):
                    m.d.comb += zero.eq(job.w_zero[:w])
        m.d.comb += [self.whole.eq(job), self.whole.cases.eq(self._whole_cases())]
        if not config.nested:
            m.d.comb += self.w.eq(zero)
            return m
        narrow = job.cases[config.cases.index((4, FULL))] if (4, FULL) in config.cases else C(0, 1)
        upper = Cat(*((zero[bit] & narrow) | (zero[bit + 4] & ~narrow) for bit in range(4)))
        m.d.comb += [self.w.eq(Cat(zero[3] & ~narrow, upper)), self.w_low.eq(zero[:4])]
        return m

    def _whole_cases(self) -> Value:
        cases: list[Value] = [self.job.cases[number] for number in range(len(self.config.cases))]
        if self.config.nested:
            full = self.config.cases.index((8, FULL))
            cases = [*cases[:full], Cat(*cases[full:]).any(), C(0, 1), C(0, 1)]
        return Cat(*cases)
