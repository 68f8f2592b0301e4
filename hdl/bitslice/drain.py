"""The drain of a column: accumulators to results."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .delays import delays
from .merge import Merge
from .resolve import PipelinedResolve
from .shape import PeShape


class Drain(Component):
    """Resolves the accumulators that leave a column, and puts the slices of weights together.

    Latency ``config.drain_stages``: until the reference is there, to resolve, and to merge slices
    where there are several. Interval one.

    Parameters
    ----------
    config : BitsliceConfig
    shape : PeShape
        Of the column's PEs.

    Attributes
    ----------
    state : In
        Accumulators of one PE.
    reference : In
        What they hold beside the products; only where a reference finds it. Sums that pass by
        stationary weights hold a constant.
    cases : In
        One hot: which of ``config.cases`` the job is.
    results : Out
        Results of the products of the mode, the others 0.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape):
        self.config, self.shape = config, shape
        reference = {"reference": In(sum(shape.acc_widths))} if config.reference else {}
        super().__init__({"state": In(shape.state_width), **reference,
                          "cases": In(len(config.cases)),
                          "results": Out(config.column_results * config.drained_width)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.resolve = resolve = PipelinedResolve(
            self.shape, config.sum_stages, config.reference or not config.multiplier_bits)
        if config.reference:
            m.d.comb += [resolve.less.eq(self.reference),
                         resolve.state.eq(delays(
                             m, self.state, config.sum_stages + 1, "state")[config.sum_stages])]
        else:
            m.d.comb += resolve.state.eq(self.state)
            if not config.multiplier_bits:
                m.d.comb += resolve.less.eq(self._bias())
        if config.merge_stages:
            m.submodules.merge = merge = Merge(config)
            m.d.comb += [merge.values.eq(resolve.values), merge.cases.eq(self.cases),
                         self.results.eq(merge.results)]
        else:
            m.d.comb += self.results.eq(resolve.values)
        return m

    def _bias(self) -> Value:
        """What the PEs of a column add beside the products of a beat."""
        widths = self.shape.acc_widths
        return Cat(*(C(self.config.rows * self.shape.bias(number) % (1 << width), width)
                     for number, width in enumerate(widths)))
