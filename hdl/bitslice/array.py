"""The output-stationary array: PEs, skew, and the buses on which results leave."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .cell import Cell
from .config import BitsliceConfig


class Array(Component):
    """Rows and columns of PEs that sum a tile while the one before leaves.

    Operands enter unskewed; row r's and column c's are delayed by r and c cycles. In the cycle
    in which the accumulators of PE (r, c) are complete they go out on the bus of column c, one
    row of a band a cycle, so that the next tile may begin there in the same cycle.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    a : In
        Signed elements, rows side by side.
    digits, index, position : In
        Of all columns; see `pe.Pe`.
    first, last : In(1)
        This beat begins a sum; ends it.
    due : Out
        Accumulators of each band and column, 0 when none are due. Those of PE (0, 0) come
        ``1 + pipeline`` cycles after ``last``, those of (r, c) ``r + c`` later; registered
        they are there a cycle later.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        shape = config.shape
        columns = {"digits": config.column_lines}
        if shape.index_bits:
            columns["index"] = shape.index_bits
        if shape.position_bits:
            columns["position"] = shape.position_bits
        self.columns = columns
        super().__init__({
            "a": In(config.rows * shape.a_bits),
            **{name: In(config.cols * bits) for name, bits in columns.items()},
            "first": In(1), "last": In(1),
            "due": Out(config.drain_adders * config.cols * shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.config.shape
        wave = config.rows + config.cols - 1
        first = delays(m, self.first, wave, "first")
        take = delays(m, self.last, wave + config.pipeline + 1, "last", True)[config.pipeline + 1:]
        cells = [[Cell(shape, config.multiplier_bits) for _ in range(config.cols)]
                 for _ in range(config.rows)]
        for row, line in enumerate(cells):
            for col, cell in enumerate(line):
                m.submodules[f"cell_{row}_{col}"] = place(platform, cell)
                m.d.comb += [cell.first.eq(first[row + col]), cell.take.eq(take[row + col])]
        for row, line in enumerate(cells):
            entering: Value = delays(m, self.a.word_select(row, shape.a_bits), row + 1,
                                     f"a_{row}")[row]
            for cell in line:
                m.d.comb += cell.a.eq(entering)
                entering = cell.a_next
        for col in range(config.cols):
            for name, bits in self.columns.items():
                whole = getattr(self, name)
                entering = delays(m, whole[col * bits:(col + 1) * bits], col + 1,
                                  f"{name}_{col}")[col]
                for line in cells:
                    m.d.comb += getattr(line[col], name).eq(entering)
                    entering = getattr(line[col], f"{name}_next")
        buses = []
        for band in range(config.drain_adders):
            rows = cells[band * config.bands:(band + 1) * config.bands]
            for col in range(config.cols):
                bus = Signal(shape.state_width, name=f"due_{band}_{col}", reset_less=True)
                m.d.sync += bus.eq(any_of([line[col].due for line in rows]))
                buses.append(bus)
        m.d.comb += self.due.eq(Cat(*buses))
        return m


def delays(m: Module, value: Value, count: int, name: str, control: bool = False) -> list[Value]:
    """`value` and what it was, up to ``count - 1`` cycles ago; 0 after a reset if `control`."""
    out = [value]
    for age in range(1, count):
        held = Signal(value.shape(), name=f"{name}_ago_{age}", reset_less=not control)
        m.d.sync += held.eq(out[-1])
        out.append(held)
    return out


def any_of(words: Sequence[Value]) -> Value:
    """The OR of words, as a balanced tree."""
    if len(words) == 1:
        return words[0]
    middle = len(words) // 2
    return any_of(words[:middle]) | any_of(words[middle:])
