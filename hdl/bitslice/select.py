"""A digit's partial product: the multiple of an element that the digit's lines select."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value

from .reduce import Bit
from .shape import Kind

BOOTH, ENT, UNIT = 5, 4, 2
"""Gates to a partial product's bit."""


def partial_product(a: Value, lines: Value, kind: Kind) -> tuple[list[Bit], Value | None]:
    """The bits of a digit times `a`, the sign bit inverted, and the one to be added.

    Modulo the bits' weights it is the product plus ``2**top``, `top` the sign bit's position.

    Parameters
    ----------
    a : Value
        Two's complement.
    lines : Value
        As `encoder.SliceEncoder` gives them for a digit of this kind.

    Returns
    -------
    list of Bit
        One more than `a` has, or as many for a unit digit.
    Value or None
        A bit of weight one, high for negated multiples.
    """
    bits = list(a)
    if kind == "unit":
        return [Bit(UNIT, lines & bit) for bit in bits[:-1]] + [Bit(UNIT, ~(lines & bits[-1]))], \
            None
    wide, twice = [*bits, bits[-1]], [C(0, 1), *bits]
    if kind == "booth":
        one, two, negative = lines
        out = [(one & x | two & y) ^ negative for x, y in zip(wide, twice, strict=True)]
        arrival = BOOTH
    else:
        plus, double, negative = lines
        out = [plus & x | double & y | negative & ~x for x, y in zip(wide, twice, strict=True)]
        arrival = ENT
    return [Bit(arrival, bit) for bit in [*out[:-1], ~out[-1]]], negative


def choose(m: Module, elements: list[Value], index: Value) -> Value:
    """The element of a window with the number `index`."""
    chosen = Signal(len(elements[0]), name="chosen")
    picks = Signal(len(elements), name="picks")
    m.d.comb += [pick.eq(index == number) for number, pick in enumerate(picks)]
    total = elements[0] & picks[0].replicate(len(chosen))
    for number in range(1, len(elements)):
        total |= elements[number] & picks[number].replicate(len(chosen))
    m.d.comb += chosen.eq(total)
    return chosen


def shift(m: Module, bits: list[Value], fill: Value, position: Value) -> list[Value]:
    """`bits` times ``4**position``, `fill` coming in below, the topmost repeated above."""
    for step, by in enumerate(position):
        places = 2 << step
        low = [fill] * places + bits
        high = bits + [bits[-1]] * places
        stage = Signal(len(low), name=f"shifted_{places}")
        m.d.comb += stage.eq(Mux(by, Cat(low), Cat(high)))
        bits = list(stage)
    return bits
