"""Rounding to nearest even, and the bits of the result."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Value

from .config import FloatFormat, Subnormals
from .stages import named


def pack(m: Module, out: FloatFormat, subnormals: Subnormals, *, sign: Value, base: Value,
         significand: Value, guard: Value, sticky: Value, nan: Value, infinite: Value) -> Value:
    """The number nearest to a significand with a guard bit and a sticky bit below it.

    The leading one is added to the exponent field, where it tells a normal number from a
    subnormal one, and the carry of rounding runs on into the same field.

    Parameters
    ----------
    sign : Value
    base : Value
        Signed: the exponent field less one; of a subnormal result that is kept, 0.
    significand : Value
        ``out.precision`` bits. Normalised if the result is normal or subnormals are flushed.
    guard, sticky : Value
    nan, infinite : Value
        The operands call for NaN, or for infinity; what is rounded does not count then.
    """
    fraction_bits = out.fraction_bits
    up = named(m, "round_up", guard & (sticky | significand[0]))
    addend = Cat(up, C(0, fraction_bits - 1), significand[-1], C(0, 1)).as_signed()
    rounded = named(m, "rounded", Cat(significand[:-1], base).as_signed() + addend)
    # Where rounding carries, the fraction is zero and the exponent field right, whether the
    # number becomes the smallest normal one or infinity: all else is told without the carry.
    exponent = named(m, "exponent", base.as_signed() + significand[-1])
    over = exponent >= out.exponent_max
    if subnormals == "flush":
        over &= significand[-1]
    huge = named(m, "huge", infinite | nan | over)
    field = rounded[fraction_bits:][:out.exponent_bits]
    clear = huge
    if subnormals == "flush":
        below = named(m, "below", ~significand[-1] | (exponent < 0))
        field &= (~below).replicate(out.exponent_bits)
        clear = huge | below | ~exponent.any()
    clear = named(m, "clear", clear)
    fraction = rounded[:fraction_bits] & (~clear).replicate(fraction_bits)
    return Cat(fraction[:-1], fraction[-1] | nan,
               (field | huge.replicate(out.exponent_bits))[:out.exponent_bits],
               sign & ~nan)
