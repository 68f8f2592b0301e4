"""The highest one of a word, and shifts that remember what they drop."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Value

from .stages import named


def highest_one(m: Module, value: Value, name: str) -> tuple[Value, Value]:
    """Position of the highest one of `value`, and whether there is any.

    A tree of halves. Without a one, the position is 0.
    """
    if len(value) == 1:
        return C(0, 0), value
    half = 1 << (len(value) - 1).bit_length() - 1
    low, some_low = highest_one(m, value[:half], f"{name}_l")
    high, some_high = highest_one(m, value[half:], f"{name}_h")
    position = some_high
    if half > 1:
        position = Cat(Mux(some_high, high, low)[:len(low)], some_high)
    return (named(m, f"{name}_at", position),
            named(m, f"{name}_any", some_high | some_low))


def leading_zeros(m: Module, value: Value, name: str) -> tuple[Value, Value]:
    """Number of zeros above the highest one of `value`, and whether there is a one.

    Without a one, the number is all ones.
    """
    bits = (len(value) - 1).bit_length()
    position, some = highest_one(m, Cat(C(0, (1 << bits) - len(value)), value), name)
    return ~position, some


def shift_right(m: Module, value: Value, amount: Value, width: int,
                name: str) -> tuple[Value, Value]:
    """``value >> amount`` and whether a one was dropped.

    Parameters
    ----------
    amount : Value
        Unsigned; may be more than there are bits.
    width : int
        Bits of the result; the caller knows that those above are zeros.
    """
    steps = (len(value) - 1).bit_length()
    far, near = amount[steps:], list(enumerate(amount[:steps]))
    dropped: list[Value] = []
    if len(far):
        away = named(m, f"{name}_far", far.any())
        dropped.append(away & value.any())
        value = named(m, f"{name}_near", value & (~away).replicate(len(value)))
    for number, step in reversed(near):
        distance = 1 << number
        dropped.append(step & value[:distance].any())
        shifted = Mux(step, value[distance:], value)
        value = named(m, f"{name}_{distance}", shifted[:width + distance - 1])
    dropped_any = named(m, f"{name}_dropped", Cat(dropped).any())
    return value[:width], dropped_any


def shift_left(m: Module, value: Value, amount: Value, name: str) -> Value:
    """``value << amount`` in the width of `value`; the caller knows that no one is lost."""
    for number, step in reversed(list(enumerate(amount))):
        distance = 1 << number
        shifted = Mux(step, Cat(C(0, distance), value)[:len(value)], value)
        value = named(m, f"{name}_{distance}", shifted)
    return value
