"""Values as they were some cycles ago, and balanced trees over many of them."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Signal, Value


def delays(m: Module, value: Value, count: int, name: str, control: bool = False) -> list[Value]:
    """`value` and what it was, up to ``count - 1`` cycles ago; 0 after a reset if `control`."""
    out = [value]
    for age in range(1, count):
        held = Signal(value.shape(), name=f"{name}_ago_{age}", reset_less=not control)
        m.d.sync += held.eq(out[-1])
        out.append(held)
    return out


def any_of(words: Sequence[Value]) -> Value:
    """The OR of words, as a balanced tree."""
    if len(words) == 1:
        return words[0]
    middle = len(words) // 2
    return any_of(words[:middle]) | any_of(words[middle:])
