"""Columns of PEs with what makes their accumulators results."""

from __future__ import annotations

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .array import Array
from .config import BitsliceConfig
from .delays import delays, staggered
from .drain import Drain
from .reference import Reference
from .shape import PeShape


class Columns(Component):
    """An array, a reference above each column, a drain below for each of its bands.

    Parameters
    ----------
    config : BitsliceConfig
    shape : PeShape
    cols : int

    Attributes
    ----------
    a, digits, index, position, first, last : In
        As `array.Array` takes them, but unskewed.
    constant : In
        Subtracted from activations; only with zero points.
    cases : In
        One hot: which of ``config.cases`` the job is.
    results : Out
        Of each band and column, column c and row r of a band ``c + r`` cycles after the first.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape, cols: int):
        self.config, self.shape, self.cols = config, shape, cols
        self.array = Array(config, shape, cols)
        super().__init__({
            "a": In(len(self.array.a)),
            **{name: In(cols * bits) for name, bits in self.array.columns.items()},
            "first": In(1), "last": In(1), "cases": In(len(config.cases)),
            **({"constant": In(shape.a_width)} if config.zero_points else {}),
            "results": Out(
                config.drain_adders * cols * config.column_results * config.result_width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.shape
        m.submodules.array = array = self.array
        for name in ("a", "first", "last"):
            m.d.comb += getattr(array, name).eq(getattr(self, name))
        for name, bits in array.columns.items():
            whole = getattr(self, name)
            skewed = staggered(m, [whole[col * bits:(col + 1) * bits] for col in range(self.cols)],
                               range(self.cols), name)
            m.d.comb += getattr(array, name).eq(Cat(*skewed))
        references = self._references(m, platform) if config.reference else []
        results = []
        for band in range(config.drain_adders):
            for col in range(self.cols):
                number = band * self.cols + col
                drain = Drain(config, shape)
                m.submodules[f"drain_{band}_{col}"] = place(platform, drain)
                m.d.comb += [drain.state.eq(array.due.word_select(number, shape.state_width)),
                             drain.cases.eq(self.cases)]
                if config.reference:
                    m.d.comb += drain.reference.eq(references[col].values.word_select(
                        band, references[col].width))
                results.append(drain.results)
        m.d.comb += self.results.eq(Cat(*results))
        return m

    def _references(self, m: Module, platform: object) -> list[Reference]:
        config, array = self.config, self.array
        wait = config.pipeline + 1
        rows = (config.drain_adders - 1) * config.bands + self.cols
        first = delays(m, self.first, self.cols, "first")
        due = delays(m, self.last, wait + rows, "last", True)[wait:]
        references = []
        for col in range(self.cols):
            reference = Reference(config, self.shape)
            m.submodules[f"reference_{col}"] = place(platform, reference)
            for name, bits in array.columns.items():
                m.d.comb += getattr(reference, name).eq(
                    getattr(array, name)[col * bits:(col + 1) * bits])
            m.d.comb += [reference.first.eq(first[col]), reference.bands.eq(Cat(*(
                due[col + band * config.bands] for band in range(config.drain_adders))))]
            if config.zero_points:
                m.d.comb += reference.constant.eq(self.constant)
            references.append(reference)
        return references
