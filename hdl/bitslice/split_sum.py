"""An addition over several cycles, so that no carry runs through a whole word in one."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out


class SplitSum(Component):
    """``total = x + y + carry`` modulo ``2**width``, a segment of the word a cycle.

    Latency `stages` cycles, interval one.

    Parameters
    ----------
    width : int
    stages : int
        Segments; at most `width`.
    """

    def __init__(self, width: int, stages: int):
        self.width, self.stages = width, stages
        super().__init__({"x": In(width), "y": In(width), "carry": In(1), "total": Out(width)})

    def elaborate(self, platform):
        m = Module()
        segment = -(-self.width // self.stages)
        x: Value = self.x
        y: Value = self.y
        carry: Value = self.carry
        settled: Value = C(0, 0)
        for stage in range(self.stages):
            bits = min(segment, len(x))
            total = Signal(bits + 1, name=f"total_{stage}", reset_less=True)
            below = Signal(len(settled), name=f"below_{stage}", reset_less=True)
            x_above = Signal(len(x) - bits, name=f"x_above_{stage}", reset_less=True)
            y_above = Signal(len(y) - bits, name=f"y_above_{stage}", reset_less=True)
            m.d.sync += [total.eq(x[:bits] + y[:bits] + carry), below.eq(settled),
                         x_above.eq(x[bits:]), y_above.eq(y[bits:])]
            settled, carry = Cat(below, total[:bits]), total[bits]
            x, y = x_above, y_above
        m.d.comb += self.total.eq(settled)
        return m
