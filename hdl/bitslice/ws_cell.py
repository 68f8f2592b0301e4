"""A place in the weight-stationary array: a PE, its weights and those that come next."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .multiplier import PassingMultiplier
from .pe import PeWs
from .shape import PeShape


class WsCell(Component):
    """A PE with two sets of weights: one in use, one being loaded.

    Parameters
    ----------
    shape : PeShape
    mac : int
        Bits of a weight, instead of digits: the PE is a plain multiplier. 0: digits.

    Attributes
    ----------
    a, a_next : In, Out
        Activations, and what they were a cycle ago, for the right neighbour.
    digits, digits_next : In, Out
        Weights on their way down, a row a cycle.
    load : In(1)
        The weights that come by are this row's.
    swap : In(1)
        The weights loaded are in use from the next cycle on.
    psum, total : In, Out
        Partial sums from above; with this PE's products.
    """

    def __init__(self, shape: PeShape, mac: int = 0):
        self.shape, self.mac = shape, mac
        self.part_name = f"ws_cell_{mac}_{shape.part}" if mac else f"ws_cell_{shape.part}"
        lines = mac * shape.lanes or shape.digits_width
        super().__init__({"a": In(shape.a_bits), "a_next": Out(shape.a_bits),
                          "digits": In(lines), "digits_next": Out(lines), "load": In(1),
                          "swap": In(1), "psum": In(shape.state_width),
                          "total": Out(shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pe = pe = (
            PassingMultiplier(self.shape, self.mac) if self.mac else PeWs(self.shape))
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
                     pe.a.eq(self.a), pe.digits.eq(weights), pe.psum.eq(self.psum),
                     self.total.eq(pe.total)]
        return m
