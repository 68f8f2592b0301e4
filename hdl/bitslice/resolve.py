"""Accumulators made binary: their carries added, over some cycles."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .rows import rows
from .shape import PeShape
from .split_sum import SplitSum


class PipelinedResolve(Component):
    """The values of a PE's accumulators, or what they are more than others.

    Latency `stages` cycles.

    Parameters
    ----------
    shape : PeShape
    stages : int
    less : bool
        Whether to subtract.

    Attributes
    ----------
    state : In
        As a PE gives it.
    less : In
        Subtracted, slice by slice; only if asked for.
    values : Out
        Slice by slice, modulo their width.
    """

    def __init__(self, shape: PeShape, stages: int, less: bool):
        self.shape, self.stages, self.subtracts = shape, stages, less
        width = sum(shape.acc_widths)
        super().__init__({"state": In(shape.state_width), **({"less": In(width)} if less else {}),
                          "values": Out(width)})

    def elaborate(self, platform):
        m = Module()
        values: list[Value] = []
        less_at = 0
        for number, width in enumerate(self.shape.acc_widths):
            m.submodules[f"slice_{number}"] = total = SplitSum(width, self.stages)
            sums, held = rows(self.shape, self.state, number)
            carries = Signal(width, name=f"carries_{number}")
            m.d.comb += carries.eq(held)
            if self.subtracts:
                less = Signal(width, name=f"less_{number}")
                m.d.comb += [
                    less.eq(~self.less[less_at:less_at + width]),
                    total.x.eq(sums ^ carries ^ less),
                    total.y.eq(Cat(C(1, 1), (sums & carries) | (less & (sums | carries)))),
                ]
            else:
                m.d.comb += [total.x.eq(sums), total.y.eq(carries)]
            values.append(total.total)
            less_at += width
        m.d.comb += self.values.eq(Cat(*values))
        return m
