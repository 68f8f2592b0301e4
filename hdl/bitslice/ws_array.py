"""The weight-stationary array: weights stay, partial sums pass down."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .config import BitsliceConfig
from .delays import delays, staggered
from .drain import Drain
from .ws_cell import WsCell


class WsArray(Component):
    """PEs that multiply what comes from the left by their weights, and add what comes from above.

    Everything enters unskewed; what row r and column c take is delayed by ``r + c`` cycles.
    Weights go down their column with a mark for the row that is to load them, so that those of
    the next tile come in while those of this one are used: the swap follows the activations
    through the array, the weights follow the swap.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    a : In
        Signed elements of all rows.
    digits : In
        Of all columns, for one row.
    load : In
        Which row's they are, one hot.
    swap : In(1)
        The activations after this cycle meet the weights loaded.
    cases : In
        One hot: which of ``config.cases`` the job is.
    results : Out
        Of each column, unskewed results of column c after ``c`` cycles more.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        super().__init__({
            "a": In(config.rows * config.shape.a_bits),
            "digits": In(config.columns * config.column_lines), "load": In(config.rows),
            "swap": In(1), "cases": In(len(config.cases)),
            "results": Out(config.columns * config.column_results * config.result_width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.config.shape
        swap = delays(m, self.swap, config.rows + config.columns - 1, "swap", True)
        cells = [[WsCell(config, shape) for _ in range(config.columns)]
                 for _ in range(config.rows)]
        rows = staggered(m, [self.a.word_select(row, shape.a_bits) for row in range(config.rows)],
                         range(config.rows), "a")
        for row, line in enumerate(cells):
            load = delays(m, self.load[row], row + config.columns, f"load_{row}", True)
            entering: Value = rows[row]
            for col, cell in enumerate(line):
                m.submodules[f"cell_{row}_{col}"] = place(platform, cell)
                m.d.comb += [cell.load.eq(load[row + col]), cell.swap.eq(swap[row + col]),
                             cell.a.eq(entering)]
                entering = cell.a_next
        results = []
        bits = config.column_lines
        columns = staggered(m, [self.digits[col * bits:(col + 1) * bits]
                                for col in range(config.columns)], range(config.columns), "digits")
        for col in range(config.columns):
            digits: Value = columns[col]
            psum: Value = C(0, shape.state_width)
            for line in cells:
                m.d.comb += [line[col].digits.eq(digits), line[col].psum.eq(psum)]
                digits, psum = line[col].digits_next, line[col].total
            drain = Drain(config, shape)
            m.submodules[f"drain_{col}"] = place(platform, drain)
            m.d.comb += [drain.state.eq(psum), drain.cases.eq(self.cases)]
            results.append(drain.results)
        m.d.comb += self.results.eq(Cat(*results))
        return m
