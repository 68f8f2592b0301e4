"""Operands of any form made signed and as wide as the hardware."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value


def extend(m: Module, whole: Value, widths: Sequence[int], chosen: Value, signed: Value | int,
           bits: int, name: str) -> Signal:
    """An element's low bits, with sign or zeros above.

    Parameters
    ----------
    m : Module
    whole : Value
        The element.
    widths : sequence of int
        Widths that it may have.
    chosen : Value
        Which, one hot.
    signed : Value
        Whether it is two's complement.
    bits : int
        Of the result.
    name : str
        Of the result.
    """
    element = Signal(bits, name=name)
    for number, width in enumerate(widths):
        with m.If(chosen[number]):
            m.d.comb += element.eq(Cat(whole[:width],
                                       (whole[width - 1] & signed).replicate(bits - width)))
    return element
