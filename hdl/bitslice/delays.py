"""Values as they were some cycles ago, and balanced trees over many of them."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value


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


def staggered(m: Module, words: Sequence[Value], waits: Sequence[int], name: str) -> list[Value]:
    """Each word as it was its number of cycles ago; one register a cycle for all that wait."""
    out = list(words)
    for age in range(1, max(waits) + 1):
        waiting = [number for number, wait in enumerate(waits) if wait >= age]
        held = Signal(sum(len(out[number]) for number in waiting), name=f"{name}_ago_{age}",
                      reset_less=True)
        m.d.sync += held.eq(Cat(*(out[number] for number in waiting)))
        at = 0
        for number in waiting:
            out[number] = held[at:at + len(out[number])]
            at += len(out[number])
    return out
