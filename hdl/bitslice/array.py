"""The output-stationary array: PEs, skew, and the buses on which results leave."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .cell import Cell
from .config import BitsliceConfig
from .delays import any_of, delays, staggered
from .shape import PeShape


class Array(Component):
    """Rows and columns of PEs that sum a tile while the one before leaves.

    Rows enter unskewed and are delayed here, row r by r cycles; columns enter skewed. In the cycle
    in which the accumulators of PE (r, c) are complete they go out on the bus of column c, one
    row of a band a cycle, so that the next tile may begin there in the same cycle.

    Parameters
    ----------
    config : BitsliceConfig
        Its rows, bands and pipeline.
    shape : PeShape
    cols : int

    Attributes
    ----------
    a : In
        Signed elements, rows side by side.
    digits, index, position : In
        Of all columns, those of column c for the beat c cycles ago; see `pe.Pe`.
    first, last : In(1)
        This beat begins a sum; ends it.
    due : Out
        Accumulators of each band and column, 0 when none are due. Those of PE (0, 0) come
        ``1 + pipeline`` cycles after ``last``, those of (r, c) ``r + c`` later; registered
        they are there a cycle later.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape, cols: int):
        self.config, self.shape, self.cols = config, shape, cols
        self.columns = {"digits": config.lines_of(shape)}
        if shape.index_bits:
            self.columns["index"] = shape.index_bits
        if shape.position_bits:
            self.columns["position"] = shape.position_bits
        super().__init__({
            "a": In(config.rows * shape.a_bits),
            **{name: In(cols * bits) for name, bits in self.columns.items()},
            "first": In(1), "last": In(1),
            "due": Out(config.drain_adders * cols * shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.shape
        wave = config.rows + self.cols - 1
        first = delays(m, self.first, wave, "first")
        take = delays(m, self.last, wave + config.pipeline + 1, "last", True)
        take = take[config.pipeline + 1:]
        cells = [[Cell(config, shape) for _ in range(self.cols)]
                 for _ in range(config.rows)]
        for row, line in enumerate(cells):
            for col, cell in enumerate(line):
                m.submodules[f"cell_{row}_{col}"] = place(platform, cell)
                m.d.comb += [cell.first.eq(first[row + col]), cell.take.eq(take[row + col])]
        rows = [self.a.word_select(row, shape.a_bits) for row in range(config.rows)]
        entering: Value
        for line, entering in zip(cells, staggered(m, rows, range(config.rows), "a"), strict=True):
            for cell in line:
                m.d.comb += cell.a.eq(entering)
                entering = cell.a_next
        for col in range(self.cols):
            for name, bits in self.columns.items():
                whole = getattr(self, name)
                entering = whole[col * bits:(col + 1) * bits]
                for line in cells:
                    m.d.comb += getattr(line[col], name).eq(entering)
                    entering = getattr(line[col], f"{name}_next")
        buses = []
        for band in range(config.drain_adders):
            sharing = cells[band * config.bands:(band + 1) * config.bands]
            for col in range(self.cols):
                bus = Signal(shape.state_width, name=f"due_{band}_{col}", reset_less=True)
                m.d.sync += bus.eq(any_of([line[col].due for line in sharing]))
                buses.append(bus)
        m.d.comb += self.due.eq(Cat(*buses))
        return m
