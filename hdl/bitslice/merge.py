"""Slices of weights put together: precision is chosen here, outside of the PEs."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.compressor import dadda_heights, dadda_stage, signed_columns

from .config import DRAFT, FULL, BitsliceConfig
from .split_sum import SplitSum


class Merge(Component):
    """``result = sum(slice << unit * place)`` over the slices of a result's weight.

    In narrow modes a PE has several results, each of fewer slices. Latency ``sum_stages`` cycles,
    interval one.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    values : In
        Sums of slices, binary, signed.
    cases : In
        One hot: which of ``config.cases`` the job is.
    results : Out
        As of `drain.Drain`.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        super().__init__({"values": In(sum(config.slice_widths)), "cases": In(len(config.cases)),
                          "results": Out(config.products * config.result_width)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        values, start = [], 0
        for width in config.slice_widths:
            values.append(self.values[start:start + width].as_signed())
            start += width
        results = []
        for product in range(config.products):
            terms = self._terms(m, product, values)
            m.submodules[f"product_{product}"] = total = SplitSum(
                config.result_width, config.sum_stages)
            columns = signed_columns(terms, [], config.result_width)
            for stage, height in enumerate(dadda_heights(max(map(len, columns)))):
                columns = dadda_stage(m, columns, height, f"product_{product}_{stage}")
            rows = [Cat(*(column[row] if row < len(column) else Const(0, 1)
                          for column in columns)) for row in range(2)]
            m.d.comb += [total.x.eq(rows[0]), total.y.eq(rows[1])]
            results.append(total.total)
        m.d.comb += self.results.eq(Cat(*results))
        return m

    def _terms(self, m: Module, product: int, values: list[Value]) -> list[Value]:
        """The slices of a result's weight at their places, whatever the case."""
        config = self.config
        chosen: dict[int, list[tuple[int, int]]] = {}
        for case, (w, nest) in enumerate(config.cases):
            each = 1 if nest != FULL else w // config.unit
            if product >= config.slices // each:
                continue
            for place in range(each):
                shift = config.unit * place + (config.slice_bits if nest == DRAFT else 0)
                chosen.setdefault(shift, []).append((product * each + place, case))
        terms = []
        for shift, options in chosen.items():
            width = max(len(values[slice_]) for slice_, _ in options)
            term = Signal(width + shift, name=f"term_{product}_{shift}")
            picked = [Cat(Const(0, shift), Cat(values[slice_], values[slice_][-1].replicate(
                width - len(values[slice_]))) & self.cases[case].replicate(width))
                for slice_, case in options]
            m.d.comb += term.eq(reduce(or_, picked))
            terms.append(term[:config.result_width])
        return terms
