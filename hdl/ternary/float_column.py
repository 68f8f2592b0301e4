"""Fetch, reduction and accumulation of one row, in floating point."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import C, Module, Mux, Signal, Value

from pimlico.hdl.common.float.add import FloatAdd
from pimlico.hdl.common.parts import place

from .column import Column
from .config import TernaryConfig
from .fetch import Fetch
from .reduction import Reduction, hold


class FloatColumn(Column):
    """A `Column` that rounds every sum to nearest even.

    The tree adds neighbours pairwise in the activations' format, an odd one out passing
    through; the accumulator has a format of its own. A tile starts from its addend, or +0.
    """

    part_name = "float_column"

    def _accumulate(self, m: Module, platform: object, fetches: list[Fetch]) -> Value:
        config = self.config
        values = [fetch.value for fetch in fetches]
        partial, _ = self._reduce(m, FloatReduction(values, config, platform))
        acc = Signal(config.acc_width, name="accumulator", reset_less=True)
        adder = FloatAdd(config.acc_float, config.act_float, config.acc_float, config.subnormals)
        m.submodules.accumulate = place(platform, adder)
        start = self.addend if config.addend else C(0, config.acc_width)
        m.d.comb += [adder.a.eq(Mux(self.clear, start, acc)), adder.b.eq(partial)]
        with m.If(self.step):
            m.d.sync += acc.eq(adder.result)
        return acc


class FloatReduction(Reduction):
    """Binary tree of floating adders."""

    def __init__(self, values: Sequence[Value], config: TernaryConfig, platform: object):
        self.values, self.config, self.platform = list(values), config, platform
        self.levels = (len(values) - 1).bit_length()

    def step(self, m: Module) -> None:
        form = self.config.act_float
        sums: list[Value] = []
        for a, b in zip(self.values[::2], self.values[1::2], strict=False):
            adder = FloatAdd(form, form, form, self.config.subnormals)
            m.submodules[f"add_{len(self.values)}_{len(sums)}"] = place(self.platform, adder)
            m.d.comb += [adder.a.eq(a), adder.b.eq(b)]
            sums.append(adder.result)
        self.values = sums + self.values[len(self.values) & ~1:]

    def register(self, m: Module, advance: Value, name: str) -> None:
        self.values = [hold(m, advance, value, f"{name}_{number}")
                       for number, value in enumerate(self.values)]

    @property
    def result(self) -> tuple[Value, Value]:
        return self.values[0], C(0, 1)
