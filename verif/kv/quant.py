"""Rows in few bits: a level an element, a zero and a scale a row, all in integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def quantize(rows: npt.ArrayLike, bits: int) -> tuple[Array, Array, Array]:
    """The nearest of ``2**bits`` evenly spaced levels for every element.

    The lowest level is the row's least element, the highest its greatest; an element half way
    between two levels takes the upper one.

    Parameters
    ----------
    rows : integer array of shape (n, E)
        Elements of at most 32 bits.
    bits : int
        Of a level, 2 to 8.

    Returns
    -------
    q : int64 array of shape (n, E)
        Levels, 0 to ``2**bits - 1``; all 0 in a row of equal elements, where any level
        restores the same.
    zero : int64 array of shape (n,)
        The least element.
    scale : int64 array of shape (n,)
        The step between levels, rounded down, in units of ``2**-(bits + 1)``: two bits wider
        than an element.
    """
    rows = np.asarray(rows, np.int64)
    top = (1 << bits) - 1
    zero = rows.min(axis=-1)
    span = rows.max(axis=-1) - zero
    offset, step = rows - zero[..., None], span[..., None]
    q = (2 * offset * top + step) // np.maximum(2 * step, 1)
    return q, zero, (span << bits + 1) // top


def restore(q: npt.ArrayLike, zero: npt.ArrayLike, scale: npt.ArrayLike, bits: int) -> Array:
    """Elements from their levels; the row's least and greatest come back exactly.

    No element leaves the row's range, and none is off by more than `worst_error`.

    Parameters
    ----------
    q : integer array of shape (n, E)
    zero, scale : integer array of shape (n,)
    bits : int
        As in `quantize`.

    Returns
    -------
    int64 array of shape (n, E)
    """
    q, zero, scale = (np.asarray(values, np.int64) for values in (q, zero, scale))
    return zero[..., None] + (q * scale[..., None] + (1 << bits) >> bits + 1)


def worst_error(span: npt.ArrayLike, bits: int) -> Array:
    """Most by which an element may come back wrong in a row of the given span.

    Half a step, rounded up to an integer: the nearest level is half a step away at most, and
    the level restored lies less than 1 below its true place and at most 1/2 above it.

    Parameters
    ----------
    span : integer array
        Greatest less least element.
    bits : int

    Returns
    -------
    int64 array, of the shape of `span`
    """
    return -(-np.asarray(span, np.int64) // (2 * ((1 << bits) - 1)))
