"""The drain of a column: accumulators to results."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .merge import Merge
from .split_sum import SplitSum


class Drain(Component):
    """Resolves the accumulators that leave a column, and puts the slices of weights together.

    Latency two cycles to add carries and take the bias away, and two more to merge slices where
    there are several. Interval one.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    state : In
        Accumulators of one PE.
    bias : In
        What the beats of their sums added beside the products, slice by slice.
    cases : In
        One hot: which of ``config.cases`` the job is.
    results : Out
        Results of the products of the mode, the others 0.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        self.part_name = "drain"
        shape = config.shape
        super().__init__({"state": In(shape.state_width), "bias": In(sum(shape.acc_widths)),
                          "cases": In(len(config.cases)),
                          "results": Out(config.products * config.result_width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.config.shape
        values = []
        state_at = bias_at = 0
        for number, width in enumerate(shape.acc_widths):
            state = self.state[state_at:state_at + shape.state_bits(number)]
            bias = self.bias[bias_at:bias_at + width]
            values.append(self._resolve(m, number, state, bias).as_signed())
            state_at += len(state)
            bias_at += width
        if not config.merge_stages:
            m.d.comb += self.results.eq(values[0])
            return m
        m.submodules.merge = merge = Merge(config)
        m.d.comb += [merge.values.eq(Cat(*values)), merge.cases.eq(self.cases),
                     self.results.eq(merge.results)]
        return m

    def _resolve(self, m: Module, number: int, state: Value, bias: Value) -> Value:
        """Sum and carries less the bias, over two cycles."""
        shape = self.config.shape
        width = shape.acc_widths[number]
        m.submodules[f"resolve_{number}"] = total = SplitSum(width)
        sums = state[:width]
        if self.config.multiplier_bits:
            m.d.comb += total.x.eq(sums)
            return total.total
        carries: list[Value] = [C(0, 1)] * width
        for row, place in enumerate(shape.carry_positions(number)):
            carries[place] = state[width + row]
        less = Signal(width, name=f"less_{number}")
        carry = Signal(width, name=f"carries_{number}")
        m.d.comb += [
            less.eq(~bias),
            carry.eq(Cat(*carries)),
            total.x.eq(sums ^ carry ^ less),
            total.y.eq(Cat(C(1, 1), (sums & carry) | (less & (sums | carry)))),
            total.carry.eq(0),
        ]
        return total.total
