"""Compressor trees: bits of equal weight summed by full adders, carry-save, Dadda's schedule.

A sum of signed operands costs one full adder for every bit that disappears: no sign is
extended, the sign bits are inverted and their weight is given back by a constant.
"""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import C, Cat, Const, Module, Signal, Value

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


def dadda_heights(height: int) -> list[int]:
    """The heights that successive stages reach, from just below `height` down to 2."""
    heights = [2]
    while heights[-1] * 3 // 2 < height:
        heights.append(heights[-1] * 3 // 2)
    return heights[::-1] if height > 2 else []


def dadda_stage(m: Module, columns: Columns, height: int, name: str) -> Columns:
    """One carry-save stage that leaves no column higher than `height`.

    Carries out of the last column fall away, as in arithmetic modulo ``2**len(columns)``.

    Parameters
    ----------
    m : Module
        Where the adders are driven.
    columns : list of list of Value
        Signals' bits, and constant ones.
    height : int
        As `dadda_heights` gives it.
    name : str
        The adders' sums and carries become bits of the signals ``<name>_sums`` and
        ``<name>_carries``.
    """
    groups: list[tuple[int, list[Value]]] = []
    left: Columns = []
    arrived = 0
    for position, column in enumerate(columns):
        bits, made = list(column), 0
        while (excess := len(bits) + made + arrived - height) > 0:
            size = 2 if excess == 1 else 3
            groups.append((position, sorted(bits[:size], key=_is_one)))
            bits, made = bits[size:], made + 1
        left.append(bits)
        arrived = made
    adders = sum(not _is_bare(bits) for _, bits in groups)
    sums = Signal(len(groups), name=f"{name}_sums")
    carries, halves = (Signal(adders, name=f"{name}_{kind}") for kind in ("carries", "halves"))
    out: Columns = [[] for _ in range(len(columns) + 1)]
    used = 0
    for number, (position, bits) in enumerate(groups):
        out[position].append(sums[number])
        if _is_bare(bits):
            # in `carries` the bit would have two names, which Verilator may take for a loop
            m.d.comb += sums[number].eq(~bits[0])
            out[position + 1].append(bits[0])
            continue
        total, carry, half = _add(bits, halves[used])
        m.d.comb += [sums[number].eq(total), carries[used].eq(carry), halves[used].eq(half)]
        out[position + 1].append(carries[used])
        used += 1
    return [new + old for new, old in zip(out, left, strict=False)]


def _is_one(bit: Value) -> bool:
    return isinstance(bit, Const)


def _is_bare(bits: list[Value]) -> bool:
    """Whether bits are one and a constant one, whose carry is that bit."""
    return len(bits) == 2 and _is_one(bits[1])


def _add(bits: list[Value], half: Value) -> tuple[Value, Value, Value]:
    """Sum, carry and half sum of two or three bits; a constant one is the last of three."""
    a, b = bits[:2]
    if len(bits) == 2:
        return half, a & b, a ^ b
    if _is_one(bits[2]):
        return ~half, a | b, a ^ b
    return half ^ bits[2], (a & b) | (bits[2] & half), a ^ b


def carry_propagate(columns: Columns) -> Value:
    """The sum of columns of at most two bits.

    Returns
    -------
    Value
        Signed, as wide as there are columns.
    """
    width = len(columns)
    rows = [Cat(*(column[row] if row < len(column) else C(0, 1) for column in columns))
            for row in range(2)]
    return (rows[0] + rows[1])[:width].as_signed()
