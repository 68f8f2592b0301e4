"""The statement that a PE multiplies and accumulates: for a solver, from any state."""

from __future__ import annotations

from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Cat, Elaboratable, Module, Mux, Signal, Value, signed

from .encoder import SliceEncoder
from .pe import Pe, Resolve
from .shape import PeShape


def exact_pe(shape: PeShape) -> Elaboratable:
    """A PE with free operands beside sums in plain integers, and the assertion that they agree.

    By induction over one cycle: from any accumulators that stand for the sums, any element, any
    weight and `first` or not lead to such accumulators again.

    Parameters
    ----------
    shape : PeShape
        One lane, no pipeline, no window, no shifts, negation in the PE, restart by loading.

    Raises
    ------
    ValueError
        On another shape.
    """
    if shape.lanes > 1 or shape.pipeline or shape.one_digit or shape.unsigned \
            or shape.negation == "column" or shape.restart == "clear":
        raise ValueError(f"shape must be a plain PE of one lane, not {shape.part}")
    return _ExactPe(shape)


class _ExactPe(Elaboratable):
    def __init__(self, shape: PeShape):
        self.shape = shape

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        m.submodules.pe = pe = Pe(shape)
        m.submodules.resolve = resolve = Resolve(shape)
        a = Signal(signed(shape.a_width))
        weight = Signal(2 * sum(shape.slices))
        first = Signal()
        m.d.comb += [a.eq(AnySeq(len(a))), weight.eq(AnySeq(len(weight))), first.eq(AnySeq(1)),
                     pe.a.eq(a), pe.first.eq(first), resolve.state.eq(pe.state)]
        begun = Signal()
        with m.If(first):
            m.d.sync += begun.eq(1)
        lines: list[Value] = []
        start = bits = 0
        for number, width in enumerate(shape.acc_widths):
            length = 2 * shape.slices[number]
            value, carry = weight[bits:bits + length], weight[bits - 1] if bits else 0
            bits += length
            encoder = SliceEncoder(shape, number)
            m.submodules[f"encoder_{number}"] = encoder
            m.d.comb += [encoder.value.eq(value), encoder.carry.eq(carry)]
            lines.append(encoder.lines)
            total = Signal(width, name=f"total_{number}", reset_less=True)
            product = a * (value.as_signed() + Cat(carry))
            m.d.sync += total.eq(Mux(first, 0, total) + product + shape.bias(number))
            m.d.comb += Assert(~begun | (resolve.values[start:start + width] == total),
                               f"slice {number} holds the sum")
            start += width
        m.d.comb += pe.digits.eq(Cat(lines))
        return m
