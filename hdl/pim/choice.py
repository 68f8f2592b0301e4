"""One of several values, by its number."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Mux, Value


def chosen(values: Sequence[Value], number: Value) -> Value:
    """The one of that number, by a tree of multiplexers; any other past the last."""
    if len(values) == 1:
        return values[0]
    half = 1 << (len(values) - 1).bit_length() - 1
    low, high = chosen(values[:half], number), chosen(values[half:], number)
    return Mux(number[half.bit_length() - 1], high, low)


def word_of(words: Value, width: int, number: Value) -> Value:
    """The word of that number among those of `width` bits that stand side by side."""
    return chosen([words[at:at + width] for at in range(0, len(words), width)], number)
