"""PEs of plain multipliers: what the others are compared with."""

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
        first: Value = self.first
        for stage in range(self.shape.pipeline):
            held = Signal(name=f"first_{stage}", reset_less=True)
            m.d.sync += held.eq(first)
            first = held
        accumulator = Signal(signed(len(self.state)), reset_less=True)
        terms = _products(m, self.shape, self.w_bits, self.a, self.digits)
        m.d.sync += accumulator.eq(balanced_sum([Mux(first, 0, accumulator), *terms]))
        m.d.comb += self.state.eq(accumulator)
        return m


class PassingMultiplier(Component):
    """Weight-stationary PE without digits, in the place of `pe.PeWs`.

    Parameters
    ----------
    shape : PeShape
    w_bits : int
    """

    def __init__(self, shape: PeShape, w_bits: int):
        self.shape, self.w_bits = shape, w_bits
        self.part_name = f"passing_{w_bits}_{shape.part}"
        super().__init__({"a": In(shape.a_bits), "digits": In(shape.lanes * w_bits),
                          "psum": In(shape.state_width), "total": Out(shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        total = Signal(signed(len(self.total)), reset_less=True)
        terms = _products(m, self.shape, self.w_bits, self.a, self.digits)
        m.d.sync += total.eq(balanced_sum([self.psum.as_signed(), *terms]))
        m.d.comb += self.total.eq(total)
        return m


def _products(m: Module, shape: PeShape, w_bits: int, a: Value, weights: Value) -> list[Value]:
    """The products of a beat, after the pipeline; their sum where it has two stages."""
    terms: list[Value] = [a.word_select(lane, shape.a_width).as_signed()
                          * weights.word_select(lane, w_bits).as_signed()
                          for lane in range(shape.lanes)]
    for stage in range(shape.pipeline):
        if stage:
            terms = [balanced_sum(terms)]
        held = [Signal.like(term, name=f"product_{stage}_{lane}", reset_less=True)
                for lane, term in enumerate(terms)]
        m.d.sync += [register.eq(term) for register, term in zip(held, terms, strict=True)]
        terms = list(held)
    return terms


def balanced_sum(terms: Sequence[Value]) -> Value:
    """The sum of terms, as a balanced tree."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return balanced_sum(terms[:middle]) + balanced_sum(terms[middle:])
