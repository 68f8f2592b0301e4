"""Exact-width adder trees: two-input adders with a carry in, one FPGA carry chain each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import C, Cat, Value


def signed_bits(low: int, high: int) -> int:
    """Bits of the narrowest two's complement that holds every integer from `low` to `high`."""
    return max((~low if low < 0 else low).bit_length(),
               (~high if high < 0 else high).bit_length()) + 1


def add_with_carry(a: Value, b: Value, carry: Value) -> Value:
    """``a + b + carry`` of two signed values and a bit, one bit wider than the wider.

    The carry enters below the least significant bit: written as a third operand, Yosys would
    spend a row of full adders on it.
    """
    total = Cat(C(1, 1), a).as_signed() + Cat(carry, b).as_signed()
    return total[1:].as_signed()


def add_onto(a: Value, b: Value, carry: Value) -> Value:
    """``a + b + carry`` of two signed values and a bit, one bit wider than the wider.

    A carry chain takes `a` as it is, and logic before `b` is part of the chain's LUTs. It is
    written as ``a - ~b - ~carry``, for synthesis swaps the operands of a sum.
    """
    difference = Cat(C(0, 1), a).as_signed() - Cat(~carry, ~b).as_signed()
    return difference[1:].as_signed()


@dataclass(frozen=True)
class Term:
    """A signed value with its bounds."""

    value: Value
    low: int
    high: int

    @classmethod
    def of(cls, value: Value) -> Term:
        """A term that may take every value of its width."""
        return cls(value, -(1 << len(value) - 1), (1 << len(value) - 1) - 1)


def add_level(terms: Sequence[Term], carries: Sequence[Value]) -> tuple[list[Term], list[Value]]:
    """One level of the tree: neighbours added pairwise, a carry into each adder.

    Parameters
    ----------
    terms : sequence of Term
        The operands; an odd one out passes through.
    carries : sequence of Value
        Bits of weight one still to be added.

    Returns
    -------
    list of Term, list of Value
        The sums, each exactly as wide as its bounds ask, and the carries left over.
    """
    left = list(carries)
    sums = []
    for a, b in zip(terms[::2], terms[1::2], strict=False):
        carry = left.pop(0) if left else C(0, 1)
        low, high = a.low + b.low, a.high + b.high + 1
        total = add_with_carry(a.value, b.value, carry)
        sums.append(Term(total[:signed_bits(low, high)].as_signed(), low, high))
    if len(terms) % 2:
        sums.append(terms[-1])
    return sums, left
