"""Floating-point arithmetic on arrays of bit patterns, bit-exact, by the rules of the formats.

The exact result is held in float64, or rounded there to odd: the last bit is set if anything was
cut off. Any later rounding to 51 bits or fewer is then that of the exact result (Boldo and
Melquiond, "Emulation of FMA and correctly rounded sums", 2008). No result comes near the ends
of float64's range.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pimlico.hdl.common.float.config import FloatFormat, Subnormals, check_subnormals

_FRACTION = 52
_BIAS = 1023


def add(a_bits: ArrayLike, b_bits: ArrayLike, a: FloatFormat, b: FloatFormat, out: FloatFormat,
        subnormals: Subnormals = "keep") -> np.ndarray:
    """Bits of ``a + b``, rounded once to `out`, uint64.

    Parameters
    ----------
    a_bits, b_bits : array_like of int
        Bit patterns, of one shape or broadcast.
    a, b : FloatFormat
        Their formats.
    out : FloatFormat
    subnormals : str
    """
    x, y = values(a_bits, a, subnormals), values(b_bits, b, subnormals)
    with np.errstate(invalid="ignore"):
        total = x + y
        # the two-sum of Knuth: what rounding the sum to float64 has cut off
        part = total - x
        error = (x - (total - part)) + (y - part)
    return nearest(_to_odd(total, error), out, subnormals)


def multiply(a_bits: ArrayLike, b_bits: ArrayLike, a: FloatFormat, b: FloatFormat,
             out: FloatFormat, subnormals: Subnormals = "keep") -> np.ndarray:
    """Bits of ``a * b``, rounded once to `out`, uint64. Parameters as of `add`.

    Significands of up to 26 bits, whose product is exact in float64.
    """
    if a.precision + b.precision > _FRACTION + 1:
        raise ValueError(f"products of {a.name} and {b.name} are not exact in float64")
    with np.errstate(invalid="ignore"):
        product = values(a_bits, a, subnormals) * values(b_bits, b, subnormals)
    return nearest(product, out, subnormals)


def convert(bits: ArrayLike, source: FloatFormat, out: FloatFormat,
            subnormals: Subnormals = "keep") -> np.ndarray:
    """Bits in `out` of numbers in `source`, uint64."""
    return nearest(values(bits, source, subnormals), out, subnormals)


def from_int(integers: ArrayLike, out: FloatFormat) -> np.ndarray:
    """Bits in `out` of signed integers of up to 64 bits, uint64."""
    given = np.asarray(integers, np.int64)
    magnitude = np.where(given < 0, -given.view(np.uint64), given.view(np.uint64))
    wide = magnitude >> np.uint64(_FRACTION + 1) != 0
    low = (magnitude & np.uint64(0x7FF)) != 0
    cut = (magnitude >> np.uint64(11) | low).astype(np.float64) * 2048.0
    value = np.where(wide, cut, magnitude.astype(np.float64))
    return nearest(np.where(given < 0, -value, value), out, "keep")


def nearest(numbers: ArrayLike, out: FloatFormat,
            subnormals: Subnormals = "keep") -> np.ndarray:
    """Bits in `out` nearest to float64 numbers, which are exact, uint64."""
    check_subnormals(subnormals)
    bits = np.asarray(numbers, np.float64).view(np.uint64)
    sign = bits >> np.uint64(63) << np.uint64(out.width - 1)
    magnitude = bits & np.uint64((1 << 63) - 1)
    exponent = (magnitude >> np.uint64(_FRACTION)).astype(np.int64) - (_BIAS - out.bias)
    significand = magnitude & np.uint64((1 << _FRACTION) - 1) | np.uint64(1 << _FRACTION)
    base = exponent - 1
    drop = _FRACTION - out.fraction_bits + np.zeros_like(base)
    if subnormals == "keep":
        drop = np.minimum(drop + np.maximum(-base, 0), _FRACTION + 2)
        base = np.maximum(base, 0)
    shift = drop.astype(np.uint64)
    kept = significand >> shift
    rest = significand - (kept << shift)
    half = np.uint64(1) << shift - np.uint64(1)
    kept = kept + ((rest > half) | ((rest == half) & (kept & np.uint64(1) != 0)))
    packed = (base << out.fraction_bits) + kept.view(np.int64)
    if subnormals == "flush":
        packed = np.where(packed < 1 << out.fraction_bits, 0, packed)
    packed = np.where(magnitude == 0, 0, np.minimum(packed, out.infinity))
    result = packed.view(np.uint64) | sign
    special = magnitude >= np.uint64(0x7FF << _FRACTION)
    nan = magnitude > np.uint64(0x7FF << _FRACTION)
    result = np.where(special, sign | np.uint64(out.infinity), result)
    return np.where(nan, np.uint64(out.nan), result)


def negate(bits: ArrayLike, kind: FloatFormat) -> np.ndarray:
    """Bits with the sign turned, of NaNs too, uint64."""
    return np.asarray(bits).astype(np.uint64) ^ np.uint64(1 << kind.width - 1)


def is_nan(bits: ArrayLike, kind: FloatFormat) -> np.ndarray:
    """Where the bits are any NaN."""
    magnitude = np.asarray(bits).astype(np.uint64) & np.uint64((1 << kind.width - 1) - 1)
    return magnitude > np.uint64(kind.infinity)


def canonical(bits: ArrayLike, kind: FloatFormat) -> np.ndarray:
    """Bits with every NaN made the canonical one, uint64."""
    given = np.asarray(bits).astype(np.uint64)
    return np.where(is_nan(given, kind), np.uint64(kind.nan), given)


def values(bits: ArrayLike, kind: FloatFormat, subnormals: Subnormals = "keep") -> np.ndarray:
    """Bit patterns as float64, exactly; subnormals as zeros of their sign if flushed."""
    check_subnormals(subnormals)
    given = np.asarray(bits).astype(np.uint64)
    sign = given >> np.uint64(kind.width - 1) << np.uint64(63)
    magnitude = given & np.uint64((1 << kind.width - 1) - 1)
    if subnormals == "flush":
        magnitude = np.where(magnitude < np.uint64(1 << kind.fraction_bits), np.uint64(0),
                             magnitude)
    # As the bits of float64 the fields are in place, but for the bias, which a product mends:
    # of subnormals too, as the power of two takes them to where they are normal.
    wide = (magnitude << np.uint64(_FRACTION - kind.fraction_bits)).view(np.float64)
    result = wide * 2.0 ** (_BIAS - kind.bias)
    result = np.where(magnitude == np.uint64(kind.infinity), np.inf, result)
    result = np.where(magnitude > np.uint64(kind.infinity), np.nan, result)
    return (result.view(np.uint64) | sign).view(np.float64)


def _to_odd(total: np.ndarray, error: np.ndarray) -> np.ndarray:
    """``total + error`` rounded to odd, where `total` is the nearest and `error` the rest."""
    bits = total.view(np.int64)
    inexact = np.isfinite(total) & (error != 0) & (bits & 1 == 0)
    outward = (error > 0) == (total > 0)
    return np.where(inexact, np.where(outward, bits + 1, bits - 1), bits).view(np.float64)
