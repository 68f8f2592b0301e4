"""Compressor trees: bits of equal weight summed by full adders, carry-save, Dadda's schedule.

A sum of signed operands costs one full adder for every bit that disappears: no sign is
extended, the sign bits are inverted and their weight is given back by a constant.
"""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import C, Cat, Const, Value

Columns = list[list[Value]]


def signed_columns(operands: Sequence[Value], carries: Sequence[Value], width: int) -> Columns:
    """Bit columns whose sum modulo ``2**width`` is that of signed operands and single bits.

    Parameters
    ----------
    operands : sequence of Value
        Two's complement, any widths.
    carries : sequence of Value
        Bits of weight one.
    width : int
        Width of the result.

    Returns
    -------
    list of list of Value
        For each weight ``2**i``, ``i < width``, the bits to be added.
    """
    columns: Columns = [[] for _ in range(width)]
    bias = 0
    for operand in operands:
        top = len(operand) - 1
        for position in range(top):
            columns[position].append(operand[position])
        columns[top].append(~operand[top])
        bias += 1 << top
    columns[0] += list(carries)
    for position in range(width):
        if (-bias >> position) & 1:
            columns[position].append(C(1, 1))
    return columns


def _is_one(bit: Value) -> bool:
    return isinstance(bit, Const)


def _full_adder(bits: list[Value]) -> tuple[Value, Value]:
    """Sum and carry of three bits; the constant one makes it a cheaper cell."""
    bits = sorted(bits, key=_is_one)
    a, b, c = bits
    if _is_one(c):
        return ~(a ^ b), a | b
    half = a ^ b
    return half ^ c, (a & b) | (c & half)


def dadda_heights(height: int) -> list[int]:
    """The heights that successive stages reach, from just below `height` down to 2."""
    heights = [2]
    while heights[-1] * 3 // 2 < height:
        heights.append(heights[-1] * 3 // 2)
    return heights[::-1] if height > 2 else []


def dadda_stage(columns: Columns, height: int) -> Columns:
    """One carry-save stage that leaves no column higher than `height`.

    Carries out of the last column fall away, as in arithmetic modulo ``2**len(columns)``.
    """
    out: Columns = [[] for _ in range(len(columns) + 1)]
    for position, column in enumerate(columns):
        bits = list(column)
        while len(bits) + len(out[position]) > height:
            if len(bits) + len(out[position]) == height + 1:
                total, carry = bits[0] ^ bits[1], bits[0] & bits[1]
                if _is_one(bits[1]) or _is_one(bits[0]):
                    other = bits[0] if _is_one(bits[1]) else bits[1]
                    total, carry = ~other, other
                bits = bits[2:]
            else:
                total, carry = _full_adder(bits[:3])
                bits = bits[3:]
            out[position].append(total)
            out[position + 1].append(carry)
        out[position] += bits
    return out[:-1]


def carry_propagate(columns: Columns) -> Value:
    """The sum of columns of at most two bits, one column of the lowest may hold three.

    Returns
    -------
    Value
        Signed, as wide as there are columns.
    """
    width = len(columns)
    rows = [Cat(*(column[row] if row < len(column) else C(0, 1) for column in columns))
            for row in range(2)]
    return (rows[0] + rows[1])[:width].as_signed()
