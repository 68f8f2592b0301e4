"""Tables of constants."""

from __future__ import annotations

from amaranth.hdl import Array, C, Value


def constants(select: Value, values: list[int], width: int) -> Value:
    """``values[select]``; the last one past the end."""
    return Array(C(value, width) for value in values)[select]
