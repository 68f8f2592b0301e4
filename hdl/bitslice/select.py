"""A digit's partial product: the multiple of an element that the digit's lines select."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value

from .reduce import Bit
from .shape import Kind

BOOTH, ENT, UNIT = 5, 4, 2
"""Gates to a partial product's bit."""


def partial_product(a: Value, lines: Value, kind: Kind, offset: bool) \
        -> tuple[list[Bit], Value | None]:
    """The bits of a digit times `a`, and the one to be added.

    Modulo the bits' weights it is the product plus ``2**top``, `top` the sign bit's position; or
    with `offset` the digit's size times ``a + 2**(len(a) - 1)``, times ``~a`` and so on if the
    digit is negative.

    Parameters
    ----------
    a : Value
        Two's complement, with `offset` its sign bit inverted.
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
        out = [lines & bit for bit in bits]
        return [Bit(UNIT, bit) for bit in (out if offset else [*out[:-1], ~out[-1]])], None
    wide, twice = [*bits, C(0, 1) if offset else bits[-1]], [C(0, 1), *bits]
    if kind == "booth":
        one, two, negative = lines
        if offset:
            return select(turned(bits, negative), one, two), negative
        out = [(one & x | two & y) ^ negative for x, y in zip(wide, twice, strict=True)]
        arrival = BOOTH
    else:
        plus, double, negative = lines
        inverted = [*(~bit for bit in bits), C(0, 1) if offset else ~bits[-1]]
        out = [plus & x | double & y | negative & z
               for x, y, z in zip(wide, twice, inverted, strict=True)]
        arrival = ENT
    if not offset:
        out[-1] = ~out[-1]
    return [Bit(arrival, bit) for bit in out], negative


def turned(bits: Iterable[Value], negative: Value) -> list[Value]:
    """`bits`, all inverted if `negative`."""
    return [bit ^ negative for bit in bits]


def select(bits: Sequence[Value], one: Value, two: Value) -> list[Bit]:
    """Once, twice or none of an unsigned value."""
    return [Bit(BOOTH, one & x | two & y)
            for x, y in zip([*bits, C(0, 1)], [C(0, 1), *bits], strict=True)]


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


def shift(m: Module, bits: list[Value], position: Value, below: Value, extend: bool, name: str) \
        -> list[Value]:
    """`bits` times ``4**position``, `below` coming in; with `extend` the topmost repeated above."""
    for step, by in enumerate(position):
        places = 2 << step
        low = [below] * places + bits
        high = bits + [bits[-1] if extend else C(0, 1)] * places
        stage = Signal(len(low), name=f"{name}_{places}")
        m.d.comb += stage.eq(Mux(by, Cat(low), Cat(high)))
        bits = list(stage)
    return bits
