"""The arithmetic of the PIM banks on arrays of bit patterns, bit-exact.

Columns hold the products' one operand, vectors the other. Where a sum of floating-point products
is *aligned*, it is this:

- A product is the exact product of two significands, under the sum of their exponent fields as
  exponent. The significand of a subnormal number has no hidden bit, under the exponent of the
  lowest normal number; if subnormals are flushed, it is zero.
- The word of a product has ``align_bits`` bits. The top bit of the product of two significands
  of ``precision`` bits, bit ``2 * precision - 1``, is the top bit of the word; if the word is
  longer, there are zeros below; if it is shorter, what does not fit is cut off.
- All words are shifted to the right, to the largest exponent among products that are not zero,
  and what leaves them is cut off: magnitudes are truncated.
- Words are not kept to more bits than a subnormal result has any use of. Let the sum of all
  words have ``align_bits + log2(lanes)`` bits, and at least two more than the significand of the
  accumulator. Where subnormal numbers are kept, and the largest exponent would give the top bit
  of that sum less weight than the smallest normal number of the accumulator has, words are
  shifted further, until it has that weight.
- The words are summed under their signs, exactly; the sum is rounded once, to nearest even, to
  the accumulator's format. A sum that is zero is +0, whatever the signs of its products.
- A NaN operand, infinity times zero, or infinities of both signs give the canonical NaN; else an
  infinity gives that infinity.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.float.config import FORMATS, Subnormals
from pimlico.hdl.pim.config import PimConfig

from .. import floating

Array = npt.NDArray[Any]


def dots(config: PimConfig, columns: npt.ArrayLike, vectors: npt.ArrayLike) -> Array:
    """What columns and vectors add to accumulators.

    Parameters
    ----------
    config : PimConfig
    columns, vectors : integer arrays of shape (..., lanes)
        Codes of the elements, non-negative, broadcast.

    Returns
    -------
    uint64 array of shape (..., acc_lanes)
        Bits in the accumulators' format. ``exact``: the sum of the products. ``ieee_tree``:
        products rounded to that format, then the sum of neighbours, and of neighbouring sums, in
        a tree, each rounded. ``aligned``: as said above. ``lane_mac``: products rounded to that
        format, those of integers exact.
    """
    x, y = np.asarray(columns, np.uint64), np.asarray(vectors, np.uint64)
    if not config.floating:
        products = _signed(x) * _signed(y)
        if config.arith == "exact":
            products = products.sum(axis=-1, keepdims=True)
        return products.view(np.uint64) & np.uint64(0xFFFF_FFFF)
    if config.arith == "aligned":
        return _aligned(config, x, y)
    element, out = config.fmt_format, config.acc_format
    sums = floating.multiply(x, y, element, element, out, config.subnormals)
    while config.arith == "ieee_tree" and sums.shape[-1] > 1:
        sums = floating.add(sums[..., ::2], sums[..., 1::2], out, out, out, config.subnormals)
    return sums


def accumulate(config: PimConfig, acc: npt.ArrayLike, addend: npt.ArrayLike) -> Array:
    """Accumulators after an addend each, rounded once; int32 ones wrap.

    Parameters
    ----------
    config : PimConfig
    acc, addend : integer arrays
        Bits in the accumulators' format, non-negative, broadcast.

    Returns
    -------
    uint64 array
    """
    if not config.floating:
        total = np.asarray(acc, np.uint64) + np.asarray(addend, np.uint64)
        return total & np.uint64(0xFFFF_FFFF)
    kind = config.acc_format
    return floating.add(acc, addend, kind, kind, kind, config.subnormals)


def flags(config: PimConfig, accs: npt.ArrayLike) -> Array:
    """Which special values are among accumulators.

    Parameters
    ----------
    config : PimConfig
    accs : integer array of shape (..., n)
        Bits in the accumulators' format.

    Returns
    -------
    uint64 array of shape (...)
        Bit 0: a NaN; bit 1: an infinity. 0 for int32.
    """
    given = np.asarray(accs, np.uint64)
    if not config.floating:
        return np.zeros(given.shape[:-1], np.uint64)
    kind = config.acc_format
    magnitude = given & np.uint64((1 << kind.width - 1) - 1)
    nan = (magnitude > np.uint64(kind.infinity)).any(axis=-1)
    infinite = (magnitude == np.uint64(kind.infinity)).any(axis=-1)
    return nan.astype(np.uint64) | infinite.astype(np.uint64) << np.uint64(1)


def _signed(codes: Array) -> Array:
    """Codes of int8 as signed integers."""
    return codes.astype(np.uint8).view(np.int8).astype(np.int64)


@cache
def _tables(name: str, subnormals: Subnormals) -> tuple[Array, Array, Array]:
    """Signed significand, exponent and value of every code of a format.

    The significand is 0 for infinities and NaNs; the value has all there is to know of them.
    """
    kind = FORMATS[name]
    code = np.arange(1 << kind.width)
    field = code >> kind.fraction_bits & kind.exponent_max
    magnitude = code & (1 << kind.fraction_bits) - 1
    magnitude = np.where(field == 0, magnitude if subnormals == "keep" else 0,
                         magnitude | 1 << kind.fraction_bits)
    magnitude[field == kind.exponent_max] = 0
    significand = np.where(code >> kind.width - 1, -magnitude, magnitude)
    return significand, np.maximum(field, 1), floating.values(code, kind, subnormals)


def _aligned(config: PimConfig, x: Array, y: Array) -> Array:
    element, out = config.fmt_format, config.acc_format
    significands, exponents, values = _tables(config.fmt, config.subnormals)
    product = significands[x] * significands[y]
    # exponents of two of the last bits of products
    weight = exponents[x] + exponents[y] + 2 * element.quantum_exponent - 2
    least = np.iinfo(np.int64).min
    largest = np.max(weight, axis=-1, keepdims=True, where=product != 0, initial=least)
    # and of the words
    unit = largest + 2 * element.precision - config.align_bits
    if config.subnormals == "keep":
        bits = max(config.align_bits + config.tree_levels, out.precision + 2)
        unit = np.maximum(unit, 1 - out.bias - (bits - 1))
    unit = np.where(largest == least, 0, unit)
    up = weight - unit
    magnitude = np.abs(product) << np.clip(up, 0, 63) >> np.clip(-up, 0, 63)
    total = np.sum(np.where(product < 0, -magnitude, magnitude), axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        special = np.sum(values[x] * values[y], axis=-1, keepdims=True)
    exact = np.where(np.isfinite(special), np.ldexp(total.astype(np.float64), unit), special)
    return floating.nearest(exact, out, config.subnormals)
