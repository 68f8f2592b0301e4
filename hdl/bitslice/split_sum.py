"""An addition in two cycles, so that no carry runs through a whole word in one."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component, In, Out

STAGES = 2


class SplitSum(Component):
    """``total = x + y + carry`` modulo ``2**width``. Latency two cycles, interval one.

    Parameters
    ----------
    width : int
    """

    def __init__(self, width: int):
        self.width = width
        self.part_name = f"split_sum_{width}"
        super().__init__({"x": In(width), "y": In(width), "carry": In(1), "total": Out(width)})

    def elaborate(self, platform):
        m = Module()
        half = (self.width + 1) // 2
        low = Signal(half + 1, reset_less=True)
        upper_x = Signal(self.width - half, reset_less=True)
        upper_y = Signal(self.width - half, reset_less=True)
        settled = Signal(half, reset_less=True)
        high = Signal(self.width - half, reset_less=True)
        m.d.sync += [
            low.eq(self.x[:half] + self.y[:half] + self.carry),
            upper_x.eq(self.x[half:]),
            upper_y.eq(self.y[half:]),
            settled.eq(low[:half]),
            high.eq(upper_x + upper_y + low[half]),
        ]
        m.d.comb += self.total.eq(Cat(settled, high))
        return m
