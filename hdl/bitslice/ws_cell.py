"""A place in the weight-stationary array: a PE, its weights and those that come next."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .delays import any_of
from .pes import make_passing_pe, part_of
from .shape import PeShape


class WsCell(Component):
    """A PE with two sets of weights: one in use, one being loaded.

    Parameters
    ----------
    config : BitsliceConfig
    shape : PeShape

    Attributes
    ----------
    a, a_next : In, Out
        Activations, and what they were a cycle ago, for the right neighbour. Where digits come
        one by one, the position of the one to use is above them.
    digits, digits_next : In, Out
        Weights on their way down, a row a cycle.
    load : In(1)
        The weights that come by are this row's.
    swap : In(1)
        The weights loaded are in use from the next cycle on.
    psum, total : In, Out
        Partial sums from above; with this PE's products.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape):
        self.config, self.shape = config, shape
        self.part_name = f"ws_cell_{part_of(config, shape)}"
        lines = config.lines_of(shape)
        row = config.row_bits_of(shape)
        super().__init__({"a": In(row), "a_next": Out(row),
                          "digits": In(lines), "digits_next": Out(lines), "load": In(1),
                          "swap": In(1), "psum": In(shape.state_width),
                          "total": Out(shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pe = pe = make_passing_pe(self.config, self.shape)
        a_handed = Signal.like(self.a, reset_less=True)
        digits_handed = Signal.like(self.digits, reset_less=True)
        coming = Signal.like(self.digits, reset_less=True)
        weights = Signal.like(self.digits, reset_less=True)
        m.d.sync += [a_handed.eq(self.a), digits_handed.eq(self.digits)]
        with m.If(self.load):
            m.d.sync += coming.eq(self.digits)
        with m.If(self.swap):
            m.d.sync += weights.eq(coming)
        m.d.comb += [self.a_next.eq(a_handed), self.digits_next.eq(digits_handed),
                     pe.a.eq(self.a[:self.shape.a_bits]), pe.psum.eq(self.psum),
                     self.total.eq(pe.total)]
        if not self.shape.position_bits:
            m.d.comb += pe.digits.eq(weights)
            return m
        position = self.a[self.shape.a_bits:]
        lines = self.shape.lane_lines
        now = Signal(self.config.positions)
        m.d.comb += [here.eq(position == number) for number, here in enumerate(now)]
        lanes = []
        for lane in range(self.shape.lanes):
            at = lane * self.config.positions
            lanes.append(any_of([weights.word_select(at + number, lines) & here.replicate(lines)
                                 for number, here in enumerate(now)]))
        m.d.comb += [pe.position.eq(position), pe.digits.eq(Cat(*lanes))]
        return m
