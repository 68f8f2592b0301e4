"""A column of the output-stationary array: PEs, the bus on which they leave, and its drain."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .cell import Cell
from .config import BitsliceConfig
from .delays import any_of, delays
from .drain import Drain
from .pes import part_of
from .reference import Reference
from .shape import PeShape


class Column(Component):
    """PEs one below another that sum a tile while the one before leaves.

    What comes from the column's top reaches row r after r cycles, as activations of row r must.
    In the cycle in which the accumulators of a PE are complete they go out on the bus of its
    band, one row of a band a cycle, so that the next tile may begin there in the same cycle.

    Parameters
    ----------
    config : BitsliceConfig
        Its rows, bands and pipeline.
    shape : PeShape

    Attributes
    ----------
    a, a_next : In, Out
        Activations of all rows, row r's for the beat r cycles ago; for the right neighbour a
        cycle later, as are:
    first, last, first_next, last_next : In(1), Out(1)
        The digits begin a sum; end it.
    digits, index, position : In
        See `pe.Pe`.
    constant : In
        Subtracted from activations; only with zero points.
    cases : In
        One hot: which of ``config.cases`` the job is.
    results : Out
        Of each band. Those of its first row come ``2 + pipeline + drain_stages`` cycles after
        ``last``, and the rows of the band before; then a row a cycle.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape):
        self.config, self.shape = config, shape
        self.part_name = f"column_{part_of(config, shape)}"
        self.feeds = {"digits": config.lines_of(shape)}
        if shape.index_bits:
            self.feeds["index"] = shape.index_bits
        if shape.position_bits:
            self.feeds["position"] = shape.position_bits
        rows = config.rows * shape.a_width * shape.lanes * shape.window
        super().__init__({
            "a": In(rows), "a_next": Out(rows),
            "first": In(1), "first_next": Out(1), "last": In(1), "last_next": Out(1),
            **{name: In(bits) for name, bits in self.feeds.items()},
            **({"constant": In(shape.a_width)} if config.zero_points else {}),
            "cases": In(len(config.cases)),
            "results": Out(
                config.drain_adders * config.column_results * config.drained_width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.shape
        first = delays(m, self.first, config.rows, "first")
        wait = config.pipeline + 1
        take = delays(m, self.last, config.rows + wait, "last", True)
        m.d.sync += [self.first_next.eq(self.first), self.last_next.eq(self.last)]
        cells = [Cell(config, shape) for _ in range(config.rows)]
        feeds: dict[str, Value] = {name: getattr(self, name) for name in self.feeds}
        handed = []
        for row, cell in enumerate(cells):
            m.submodules[f"cell_{row}"] = place(platform, cell)
            m.d.comb += [cell.first.eq(first[row]), cell.take.eq(take[row + wait]),
                         cell.a.eq(self.a.word_select(row, shape.a_bits))]
            for name, value in feeds.items():
                m.d.comb += getattr(cell, name).eq(value)
                feeds[name] = getattr(cell, f"{name}_next")
            handed.append(cell.a_next)
        m.d.comb += self.a_next.eq(Cat(*handed))

        reference = self._reference(m, take[wait:]) if config.reference else None
        results = []
        for band in range(config.drain_adders):
            sharing = cells[band * config.bands:(band + 1) * config.bands]
            bus = Signal(shape.state_width, name=f"due_{band}", reset_less=True)
            m.submodules[f"drain_{band}"] = drain = Drain(config, shape)
            m.d.sync += bus.eq(any_of([cell.due for cell in sharing]))
            m.d.comb += [drain.state.eq(bus), drain.cases.eq(self.cases)]
            if reference is not None:
                m.d.comb += drain.reference.eq(
                    reference.values.word_select(band, reference.width))
            results.append(drain.results)
        m.d.comb += self.results.eq(Cat(*results))
        return m

    def _reference(self, m: Module, take: list[Value]) -> Reference:
        m.submodules.reference = reference = Reference(self.config, self.shape)
        for name in (*self.feeds, "first"):
            m.d.comb += getattr(reference, name).eq(getattr(self, name))
        m.d.comb += reference.bands.eq(Cat(*take[::self.config.bands]))
        if self.config.zero_points:
            m.d.comb += reference.constant.eq(self.constant)
        return reference
