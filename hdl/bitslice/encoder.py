"""Weights to radix-4 digits, and digits to the lines that select multiples in a PE."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out

from .shape import PeShape


class SliceEncoder(Component):
    """The digit lines of one slice of a weight. Combinational.

    Lines of a digit, the first the least significant bit: ``booth`` one, two, negative (a digit of
    zero is never negative); ``ent`` plus one, plus two, minus one; ``unit`` one.

    Parameters
    ----------
    shape : PeShape
        Only its slices and encoding matter.
    slice_ : int
        Which slice.

    Attributes
    ----------
    value : In
        The slice's bits, two a digit without the unsigned one, two's complement or unsigned.
    carry : In(1)
        Added to the value: the bit below the slice.
    unsigned : In(1)
        The value is unsigned; only there if the shape has the digit for it.
    lines : Out
    """

    def __init__(self, shape: PeShape, slice_: int = 0):
        self.kinds = shape.kinds(slice_)
        self.bits = 2 * (shape.slices[slice_] - shape.unsigned)
        self.part_name = f"encode_{shape.encoding}_{len(self.kinds)}" \
            + ("u" if shape.unsigned else "")
        super().__init__({"value": In(self.bits), "carry": In(1), "lines":
                          Out(shape.slice_lines(slice_)),
                          **({"unsigned": In(1)} if shape.unsigned else {})})

    def elaborate(self, platform):
        m = Module()
        lines: list[Value] = []
        carry: Value = self.carry
        for digit, kind in enumerate(self.kinds):
            if kind == "unit":
                lines.append(self.value[-1] & self.unsigned)
                break
            low, high = self.value[2 * digit:2 * digit + 2]
            if kind == "booth":
                lines += booth_lines(low, high, carry)
                carry = high
            else:
                lines += ent_lines(low, high, carry)
                carry = high & (low | carry)
        m.d.comb += self.lines.eq(Cat(lines))
        return m


def booth_lines(low: Value, high: Value, carry: Value) -> list[Value]:
    """One, two and negative of ``low + carry - 2 * high``."""
    odd = low ^ carry
    return [odd, ~odd & (high ^ low), high & ~(low & carry)]


def ent_lines(low: Value, high: Value, carry: Value) -> list[Value]:
    """Plus one, plus two and minus one of ``low + 2 * high + carry``, less 4 if above 2."""
    odd = low ^ carry
    return [~high & odd, high & ~(low | carry) | ~high & low & carry, high & odd]


def split(weight: Value, slices: int) -> list[tuple[Value, Value]]:
    """The slices of a signed weight with the carry of each: the top bit of the one below.

    Their sum, each with its carry and all but the topmost signed, is the weight.
    """
    bits = len(weight) // slices
    return [(weight[start:start + bits], weight[start - 1] if start else C(0, 1))
            for start in range(0, len(weight), bits)]
