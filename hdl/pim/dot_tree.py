"""The sum of a column's floating-point products, in a tree that rounds at every node."""

from __future__ import annotations

from amaranth.hdl import Module, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.float.add import FloatAdd
from pimlico.hdl.common.parts import place

from .config import PimConfig
from .lanes import Lanes
from .pipeline import held


class DotTree(Component):
    """Products rounded to the accumulators' format; then sums of neighbours, rounded, to one.

    A level of the tree takes two cycles.

    Parameters
    ----------
    config : PimConfig
        Of floating-point elements; latency ``dot_latency``.
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.part_name = (f"dot_tree_{config.fmt}_{config.lanes}_{config.acc_format.name}_"
                          f"{config.subnormals}")
        super().__init__({"column": In(config.column_bits), "vector": In(config.column_bits),
                          "result": Out(config.acc_bits)})

    def elaborate(self, platform):
        m = Module()
        kind = self.config.acc_format
        lanes = Lanes(self.config)
        m.submodules.lanes = place(platform, lanes)
        m.d.comb += [lanes.column.eq(self.column), lanes.vector.eq(self.vector)]
        terms: list[Value] = [lanes.result.word_select(lane, kind.width)
                              for lane in range(self.config.lanes)]
        while len(terms) > 1:
            sums: list[Value] = []
            for a, b in zip(terms[::2], terms[1::2], strict=True):
                name = f"{len(terms)}_{len(sums)}"
                adder = FloatAdd(kind, kind, kind, self.config.subnormals, 1)
                m.submodules[f"add_{name}"] = place(platform, adder)
                m.d.comb += [adder.a.eq(a), adder.b.eq(b), adder.advance.eq(1)]
                sums.append(held(m, adder.result, f"sum_{name}"))
            terms = sums
        m.d.comb += self.result.eq(terms[0])
        return m
