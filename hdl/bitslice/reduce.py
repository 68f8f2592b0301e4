"""Reduction of bit columns by full and half adders, the earliest bits first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from amaranth.hdl import Module, Signal, Value

XOR = 3
"""Gates of an exclusive or."""


@dataclass(frozen=True)
class Bit:
    """A bit and the number of gates to it."""

    arrival: int
    value: Value


Columns = list[list[Bit]]


def reduce(m: Module, columns: Columns, doubles: Collection[int], name: str) -> Columns:
    """Columns of one bit, of two at most in `doubles`, with the same sum modulo their width.

    Every full adder takes the three earliest bits of its column, the latest of them where the
    way is short. A carry out of the last column falls away.

    Parameters
    ----------
    m : Module
        Where the adders are driven.
    columns : list of list of Bit
        For each weight ``2**i`` the bits to be added.
    doubles : collection of int
        The columns that may keep two bits.
    name : str
        The adders' signals begin with it.
    """
    left = [list(column) for column in columns] + [[]]
    for position in range(len(columns)):
        bits, keep = left[position], 2 if position in doubles else 1
        number = 0
        while len(bits) > keep:
            bits.sort(key=lambda bit: bit.arrival)
            size = 2 if len(bits) == keep + 1 else 3
            taken, bits = bits[:size], bits[size:]
            total, carry = add(m, taken, f"{name}_{position}_{number}")
            bits.append(total)
            left[position + 1].append(carry)
            number += 1
        left[position] = bits
    return left[:-1]


def add(m: Module, bits: list[Bit], name: str) -> tuple[Bit, Bit]:
    """Sum and carry of two or three bits, the last of them the latest.

    The carries are half of the sums' exclusive ors, written so that both share them.
    """
    half = Signal(name=f"{name}_half")
    both = Signal(name=f"{name}_both")
    a, b = bits[:2]
    arrival = max(a.arrival, b.arrival) + XOR
    m.d.comb += [both.eq(a.value & b.value), half.eq((a.value | b.value) & ~both)]
    if len(bits) == 2:
        return Bit(arrival, half), Bit(arrival - 1, both)
    c = bits[2]
    through = Signal(name=f"{name}_through")
    total = Signal(name=f"{name}_sum")
    carry = Signal(name=f"{name}_carry")
    m.d.comb += [through.eq(half & c.value), total.eq((half | c.value) & ~through),
                 carry.eq(both | through)]
    late = max(arrival, c.arrival)
    return Bit(late + XOR, total), Bit(late + XOR - 1, carry)
