"""Radix-4 digits of weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..bits import Array


def digits_of(values: npt.ArrayLike, width: int, encoding: str = "booth4", signed: bool = True,
              extra: bool = False, carry: npt.ArrayLike = 0) -> Array:
    """The digits of integers: ``sum(digit[i] * 4**i)`` is the value, and the carry.

    Parameters
    ----------
    values : int array
        Any shape, of `width` bits.
    width : int
        Bits, an even number.
    encoding : str
        ``booth4``: -2..2; ``ent``: -1..2, the topmost also -2; ``sparse``: -2..2, of signed
        values as few that are not 0 as can be.
    signed : bool
        Whether values are two's complement.
    extra : bool
        A digit of 0 or 1 on top, which unsigned values need.
    carry : int array
        Added to the values: the bit below them, when they are part of a longer weight.

    Returns
    -------
    int64 array
        One more dimension than `values`, the digits, lowest first.
    """
    values = np.asarray(values, np.int64)
    below: Array = np.broadcast_to(np.asarray(carry, np.int64), values.shape)
    pairs = width // 2
    digits = np.zeros((*values.shape, pairs + extra), np.int64)
    for number in range(pairs):
        pair = values >> 2 * number & 3
        if encoding == "booth4" or number == pairs - 1:
            digits[..., number] = pair + below - 4 * (pair >> 1)
            below = pair >> 1
        else:
            above = pair + below > 2
            if encoding == "sparse":  # 2 below an odd pair, which becomes even
                above |= (pair + below == 2) & (values >> 2 * number + 2 & 1 == 1)
            digits[..., number] = pair + below - 4 * above
            below = above.astype(np.int64)
    if not signed and extra:
        digits[..., pairs] = below
    return digits
