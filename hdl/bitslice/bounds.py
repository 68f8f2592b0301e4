"""Interval arithmetic: how wide a sum of products must be."""

from __future__ import annotations

from typing import NamedTuple


class Range(NamedTuple):
    """All integers from `low` to `high`."""

    low: int
    high: int

    def minus(self, other: Range) -> Range:
        """What a difference can be."""
        return Range(self.low - other.high, self.high - other.low)

    def times(self, count: int) -> Range:
        """What the sum of up to `count` values can be."""
        return Range(min(0, self.low * count), max(0, self.high * count))


def operand(bits: int, sign: str) -> Range:
    """Values of an operand that is ``signed``, ``unsigned``, or either at ``runtime``."""
    low = 0 if sign == "unsigned" else -(1 << bits - 1)
    high = (1 << bits - 1) - 1 if sign == "signed" else (1 << bits) - 1
    return Range(low, high)


def product(a: Range, b: Range) -> Range:
    """What a product can be."""
    corners = [x * y for x in a for y in b]
    return Range(min(corners), max(corners))


def width(values: Range) -> int:
    """Bits of the narrowest two's complement that holds all of a range."""
    return max(values.high.bit_length(), (-values.low - 1).bit_length() if values.low else 0) + 1
