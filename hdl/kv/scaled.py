"""Multiples of a number by a constant."""

from __future__ import annotations

from amaranth.hdl import C, Value


def scaled(number: Value, factor: int, width: int) -> Value:
    """``number * factor``, its low `width` bits, by shifts and additions: no multiplier."""
    product: Value = C(0, width)
    for place in range(factor.bit_length()):
        if factor >> place & 1:
            product = (product + (number << place))[:width]
    return product
