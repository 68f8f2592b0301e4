"""The fields of a number, and exact conversion to a wider format."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Value

from .config import FloatFormat, Subnormals
from .shift import leading_zeros, shift_left
from .stages import named


class Unpacked:
    """A number in parts.

    Attributes
    ----------
    sign, exponent, fraction : Value
        The fields as they stand.
    normal : Value
        The exponent field is not zero.
    scale : Value
        The exponent field that counts: 1 for subnormals.
    significand : Value
        The fraction under its leading bit. Zero for subnormals that are flushed.
    special, nan, zero : Value
        The number is infinity or NaN, is NaN, counts as zero.
    some : Value
        The fraction field is not zero.
    """

    def __init__(self, m: Module, value: Value, kind: FloatFormat, subnormals: Subnormals,
                 name: str):
        self.fraction = value[:kind.fraction_bits]
        self.exponent = value[kind.fraction_bits:kind.width - 1]
        self.sign = value[kind.width - 1:]
        self.normal = named(m, f"{name}_normal", self.exponent.any())
        self.special = named(m, f"{name}_special", self.exponent.all())
        self.some = named(m, f"{name}_fraction_any", self.fraction.any())
        self.nan = self.special & self.some
        self.zero = ~self.normal
        if subnormals == "keep":
            self.scale = Cat(self.exponent[0] | ~self.normal, self.exponent[1:])
            self.significand = Cat(self.fraction, self.normal)
            self.zero = ~self.normal & ~self.some
        else:
            self.scale = self.exponent
            kept = self.fraction & self.normal.replicate(kind.fraction_bits)
            self.significand = named(m, f"{name}_significand", Cat(kept, self.normal))


def widened(source: FloatFormat, *others: FloatFormat) -> FloatFormat:
    """The narrowest format with the range and precision of all."""
    formats = (source, *others)
    exponent_bits = max(kind.exponent_bits for kind in formats)
    fraction_bits = max(kind.fraction_bits for kind in formats)
    return FloatFormat(f"e{exponent_bits}m{fraction_bits}", exponent_bits, fraction_bits)


def widen(m: Module, value: Value, source: FloatFormat, out: FloatFormat,
          subnormals: Subnormals, name: str) -> Value:
    """The bits in `out`, which has at least the range and precision of `source`.

    NaNs stay NaNs, though not canonical ones. Subnormals that are flushed become zeros where
    the range grows, and stay subnormal where it does not.
    """
    low = C(0, out.fraction_bits - source.fraction_bits)
    grown = out.exponent_bits - source.exponent_bits
    if not grown:
        return Cat(low, value)
    parts = Unpacked(m, value, source, subnormals, name)
    fraction: Value = parts.fraction
    offset = out.bias - source.bias
    exponent = named(m, f"{name}_rebiased", (parts.exponent + offset)[:out.exponent_bits])
    if subnormals == "keep":
        zeros, some = leading_zeros(m, parts.fraction, f"{name}_leading")
        zeros = named(m, f"{name}_zeros", zeros)
        shifted = shift_left(m, parts.fraction, zeros, f"{name}_shift")
        fraction = Mux(parts.normal, fraction, Cat(C(0, 1), shifted)[:len(shifted)])
        below = Mux(some, offset - zeros, 0)[:out.exponent_bits]
    else:
        fraction = parts.significand[:-1]
        below = C(0, out.exponent_bits)
    exponent = Mux(parts.normal, exponent, below) | parts.special.replicate(out.exponent_bits)
    return named(m, f"{name}_wide", Cat(low, fraction, exponent, parts.sign))
