"""Rounding and saturation of integers."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed


def shift_round_half_even(m: Module, value: Value, shift: Value) -> Value:
    """``value / 2**shift`` rounded to the nearest integer, ties to the even one.

    Parameters
    ----------
    m : Module
        Where the intermediate signals are driven.
    value : Value
        Signed.
    shift : Value
        Unsigned run-time shift.

    Returns
    -------
    Value
        Signed, one bit wider than `value`.
    """
    doubled = Cat(Const(0, 1), value).as_signed()
    shifted = Signal(signed(len(doubled)), name="shifted")
    dropped = Signal(len(doubled), name="dropped")
    m.d.comb += [shifted.eq(doubled >> shift),
                 dropped.eq(doubled & ~(Const(-1, len(doubled)) << shift))]
    quotient, guard = shifted[1:].as_signed(), shifted[0]
    round_up = guard & (dropped.any() | quotient[0])
    rounded = Signal(signed(len(quotient) + 1), name="rounded")
    m.d.comb += rounded.eq(quotient + Cat(round_up, Const(0, 1)).as_signed())
    return rounded


def saturate(value: Value, width: int) -> Value:
    """Signed `value` clipped to `width` bits, both ends included."""
    if len(value) <= width:
        return value
    high = value[width - 1:]
    fits = ~high.any() | high.all()
    limit = Cat((~value[-1]).replicate(width - 1), value[-1])
    return Mux(fits, value[:width], limit).as_signed()
