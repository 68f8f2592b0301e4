"""The statement that a PE multiplies and accumulates: for a solver, from any state."""

from __future__ import annotations

from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Cat, Elaboratable, Module, Mux, Signal, Value, signed

from .encoder import SliceEncoder, split
from .pe import Pe, Resolve
from .shape import PeShape


def exact_pe(shape: PeShape) -> Elaboratable:
    """A PE with free operands beside sums in plain integers, and the assertion that they agree.

    By induction over one cycle: from any accumulators that stand for the sums, any element, any
    weight and `first` or not lead to such accumulators again. Where a column keeps what its PEs
    have alike, a PE with an element of 0 beside it holds that, and is subtracted.

    Parameters
    ----------
    shape : PeShape
        One lane, no pipeline, no window, no shifts, slices of equal length.

    Raises
    ------
    ValueError
        On another shape.
    """
    if shape.lanes > 1 or shape.pipeline or shape.one_digit or shape.unsigned:
        raise ValueError(f"shape must be a plain PE of one lane, not {shape.part}")
    return _ExactPe(shape)


class _ExactPe(Elaboratable):
    def __init__(self, shape: PeShape):
        self.shape = shape

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        a = Signal(signed(shape.a_width))
        weight = Signal(2 * sum(shape.slices))
        first = Signal()
        m.d.comb += [a.eq(AnySeq(len(a))), weight.eq(AnySeq(len(weight))), first.eq(AnySeq(1))]
        begun = Signal()
        with m.If(first):
            m.d.sync += begun.eq(1)
        slices = split(weight, len(shape.slices))
        lines = []
        for number, (value, carry) in enumerate(slices):
            m.submodules[f"encoder_{number}"] = encoder = SliceEncoder(shape, number)
            m.d.comb += [encoder.value.eq(value), encoder.carry.eq(carry)]
            lines.append(encoder.lines)
        digits = Signal(shape.digits_width)
        m.d.comb += digits.eq(Cat(lines))
        held = self._held(m, "pe", a, digits, first)
        beside = self._held(m, "beside", Signal(signed(shape.a_width), name="nothing"), digits,
                            first) if shape.negation == "column" else None
        start = 0
        for number, (width, (value, carry)) in enumerate(
                zip(shape.acc_widths, slices, strict=True)):
            total = Signal(width, name=f"total_{number}", reset_less=True)
            product = a * (value.as_signed() + Cat(carry))
            m.d.sync += total.eq(Mux(first, 0, total) + product + shape.bias(number))
            right: Value = total
            if beside is not None:
                right = (total + beside[start:start + width])[:width]
            m.d.comb += Assert(~begun | (held[start:start + width] == right),
                               f"slice {number} holds the sum")
            start += width
        return m

    def _held(self, m: Module, name: str, a: Value, digits: Value, first: Value) -> Value:
        """What a PE's accumulators stand for."""
        m.submodules[name] = pe = Pe(self.shape)
        m.submodules[f"resolve_{name}"] = resolve = Resolve(self.shape)
        m.d.comb += [pe.a.eq(a), pe.digits.eq(digits), pe.first.eq(first),
                     resolve.state.eq(pe.state)]
        return resolve.values
