"""A PE of plain multipliers: what the others are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import Component, In, Out

from .shape import PeShape


class MultiplierPe(Component):
    """Output-stationary PE without digits: products of whole weights, a binary accumulator.

    Takes the place of `pe.Pe`: the same ports but for ``digits``, which are the weights.

    Parameters
    ----------
    shape : PeShape
        Its lanes, widths and pipeline.
    w_bits : int
        Bits of a signed weight.
    """

    def __init__(self, shape: PeShape, w_bits: int):
        self.shape, self.w_bits = shape, w_bits
        self.part_name = f"multiplier_{w_bits}_{shape.part}"
        super().__init__({"a": In(shape.a_bits), "digits": In(shape.lanes * w_bits),
                          "first": In(1), "state": Out(shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        products = [self.a.word_select(lane, shape.a_width).as_signed()
                    * self.digits.word_select(lane, self.w_bits).as_signed()
                    for lane in range(shape.lanes)]
        terms, first = products, self.first
        for stage in range(shape.pipeline):
            held = [Signal.like(term, name=f"product_{stage}_{lane}", reset_less=True)
                    for lane, term in enumerate(terms)]
            held_first = Signal(name=f"first_{stage}", reset_less=True)
            m.d.sync += [register.eq(term) for register, term in zip(held, terms, strict=True)]
            m.d.sync += held_first.eq(first)
            terms, first = held, held_first
            if stage == 0 and shape.pipeline == 2:
                terms = [balanced_sum(terms)]
        accumulator = Signal(signed(len(self.state)), reset_less=True)
        m.d.sync += accumulator.eq(balanced_sum([Mux(first, 0, accumulator), *terms]))
        m.d.comb += self.state.eq(accumulator)
        return m


def balanced_sum(terms: Sequence[Value]) -> Value:
    """The sum of terms, as a balanced tree."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return balanced_sum(terms[:middle]) + balanced_sum(terms[middle:])
