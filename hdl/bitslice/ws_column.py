"""A column of the weight-stationary array: partial sums pass down, and are drained."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .config import BitsliceConfig
from .delays import delays
from .drain import Drain
from .pes import part_of
from .shape import PeShape
from .ws_cell import WsCell


class WsColumn(Component):
    """PEs that multiply what comes from the left by their weights, and add what comes from above.

    Weights go down with a mark for the row that is to load them, so that those of the next tile
    come in while those of this one are used: the swap follows the activations through the
    column, the weights follow the swap.

    Parameters
    ----------
    config : BitsliceConfig
    shape : PeShape

    Attributes
    ----------
    a, a_next : In, Out
        Activations of all rows, row r's for the beat r cycles ago; for the right neighbour a
        cycle later, as are:
    load, load_next : In, Out
        Which row's weights come at the top, one hot.
    swap, swap_next : In(1), Out(1)
        The activations after this cycle meet the weights loaded.
    digits : In
        Weights of one row.
    cases : In
        One hot: which of ``config.cases`` the job is.
    results : Out
        ``rows + pipeline + drain_stages`` cycles after the activations of row 0.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape):
        self.config, self.shape = config, shape
        self.part_name = f"ws_column_{part_of(config, shape)}"
        rows = config.rows * config.row_bits_of(shape)
        super().__init__({
            "a": In(rows), "a_next": Out(rows),
            "load": In(config.rows), "load_next": Out(config.rows),
            "swap": In(1), "swap_next": Out(1), "digits": In(config.lines_of(shape)),
            "cases": In(len(config.cases)),
            "results": Out(config.column_results * config.drained_width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.shape
        bits = config.row_bits_of(shape)
        swap = delays(m, self.swap, config.rows, "swap", True)
        m.d.sync += [self.load_next.eq(self.load), self.swap_next.eq(self.swap)]
        digits: Value = self.digits
        psum: Value = C(0, shape.state_width)
        handed = []
        for row in range(config.rows):
            cell = WsCell(config, shape)
            m.submodules[f"cell_{row}"] = place(platform, cell)
            load = delays(m, self.load[row], row + 1, f"load_{row}", True)[row]
            m.d.comb += [cell.load.eq(load), cell.swap.eq(swap[row]), cell.psum.eq(psum),
                         cell.a.eq(self.a.word_select(row, bits)),
                         cell.digits.eq(digits)]
            digits, psum = cell.digits_next, cell.total
            handed.append(cell.a_next)
        m.submodules.drain = drain = Drain(config, shape)
        m.d.comb += [self.a_next.eq(Cat(*handed)), drain.state.eq(psum),
                     drain.cases.eq(self.cases), self.results.eq(drain.results)]
        return m
