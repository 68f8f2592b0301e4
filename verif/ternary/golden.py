"""What the ternary GEMM core computes, in plain NumPy and free of time."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import KEY_BITS

Array = npt.NDArray[Any]

_EXACT_FLOAT = 1 << 53
_CHUNK = 1 << 21


def gemv(weights: Array, x: Array, addend: Array | None = None,
         acc_width: int | None = None) -> Array:
    """``weights @ x + addend``, exact.

    Parameters
    ----------
    weights : int8 array of shape (M, N)
    x : integer array of shape (N,)
    addend : integer array of shape (M,), optional
    acc_width : int, optional
        Wrap the result to so many bits, as an accumulator of that width does.

    Returns
    -------
    int64 array of shape (M,)
    """
    x = np.asarray(x, np.int64)
    m, n = weights.shape
    if int(np.abs(x).sum()) * 128 < _EXACT_FLOAT:
        # every partial sum is an integer a double holds, and doubles have a fast product
        vector, step = x.astype(np.float64), max(1, _CHUNK // max(1, n))
        acc = np.empty(m, np.int64)
        for row in range(0, m, step):
            acc[row:row + step] = weights[row:row + step].astype(np.float64) @ vector
    else:
        acc = weights.astype(np.int64) @ x
    if addend is not None:
        acc += np.asarray(addend, np.int64)
    return acc if acc_width is None else wrap(acc, acc_width)


def wrap(values: npt.ArrayLike, width: int) -> Array:
    """Two's complement of `width` bits, 1 to 64: what is left when the bits above are dropped."""
    spare = 64 - width
    return np.asarray(values, np.int64) << spare >> spare


def table(x: Array, mu: int) -> Array:
    """Mirror-halved tables of sums of activations.

    Parameters
    ----------
    x : integer array of shape (..., L*mu)
        The activations of a beat.
    mu : int
        Activations a table, 1 to 5.

    Returns
    -------
    int64 array of shape (..., L, (3**mu - 1)/2 + 1)
        Entry k is the sum that index k stands for; entry 0, which takes no storage, is 0.
    """
    x = np.asarray(x, np.int64)
    groups = x.reshape(*x.shape[:-1], -1, mu)
    return groups @ index_trits(mu).astype(np.int64).T


def keys_from_trits(trits: Array) -> Array:
    """Keys of groups of µ weights.

    Parameters
    ----------
    trits : int8 array of shape (..., mu)
        Weights in {-1, 0, +1}; the first is the most significant.

    Returns
    -------
    uint8 array of shape (...)
        ``v = sum(w[i] * 3**(mu-1-i))``; the index is ``|v|``, the sign bit above it ``v < 0``.
    """
    mu = trits.shape[-1]
    v = trits[..., 0].astype(np.int16)
    for digit in range(1, mu):
        v = 3 * v + trits[..., digit]
    return (np.abs(v) | ((v < 0) << (KEY_BITS[mu] - 1))).astype(np.uint8)


def trits_from_keys(keys: Array, mu: int) -> Array:
    """Weights of keys: the inverse of `keys_from_trits`.

    Parameters
    ----------
    keys : integer array of shape (...)
        An index above (3**mu - 1)/2 stands for no weights and reads as zeros; the sign of
        index 0 makes no difference.
    mu : int
        Weights a key, 1 to 5.

    Returns
    -------
    int8 array of shape (..., mu)
    """
    return key_trits(mu)[keys]


@cache
def key_trits(mu: int) -> Array:
    """The weights of every key: int8 array of shape (2**key_bits, mu), read only."""
    indices = index_trits(mu)
    half = 1 << (KEY_BITS[mu] - 1)
    trits = np.zeros((2 * half, mu), np.int8)
    trits[:len(indices)] = indices
    trits[half:half + len(indices)] = -indices
    trits.setflags(write=False)
    return trits


@cache
def index_trits(mu: int) -> Array:
    """Balanced ternary digits of 0 to (3**mu - 1)/2, most significant first."""
    most = (3**mu - 1) // 2
    powers = 3 ** np.arange(mu - 1, -1, -1)
    # adding 11…1 in base 3 turns the digits -1, 0, 1 into 0, 1, 2
    trits = ((np.arange(most + 1) + most)[:, None] // powers % 3 - 1).astype(np.int8)
    trits.setflags(write=False)
    return trits


def requant(acc: npt.ArrayLike, multiplier: Any, shift: Any) -> Array:
    """Rescaled accumulators: ``acc * multiplier / 2**shift``, to nearest even, saturated.

    Parameters
    ----------
    acc : integer array of any shape
        Up to 64 bits, signed.
    multiplier : int or integer array of a shape like it
        0 to 65535.
    shift : int or integer array of a shape like it
        0 to 31.

    Returns
    -------
    int8 array of the shape of `acc`
    """
    # with multiplier >= 1 and shift <= 31 anything beyond 2**46 saturates; the product fits
    product = np.clip(np.asarray(acc, np.int64), -1 << 46, 1 << 46) * multiplier
    floor = product >> shift
    twice, one = (product - (floor << shift)) * 2, 1 << shift
    rounded = floor + ((twice > one) | ((twice == one) & (floor & 1 == 1)))
    return np.clip(rounded, -128, 127).astype(np.int8)


def quantize_activations(x: Array, bits: int = 8) -> tuple[Array, Array]:
    """BitNet's absmax quantization, a scale for each vector (b1.58, section 2).

    Parameters
    ----------
    x : float array of shape (..., N)
    bits : int
        Bits of an activation, 2 to 16.

    Returns
    -------
    q : integer array of the shape of `x`
        ``clip(round_half_even(x * s))`` to the range of `bits`; int8 up to 8 bits, else int16.
    s : float array of shape (..., 1)
        ``(2**(bits-1) - 1) / max(|x|, 1e-5)``, in the type of `x`; x is about q / s.
    """
    most = (1 << (bits - 1)) - 1
    x = np.asarray(x)
    s = x.dtype.type(most) / np.maximum(np.abs(x).max(axis=-1, keepdims=True), x.dtype.type(1e-5))
    q = np.clip(np.rint(x * s), -most - 1, most)
    return q.astype(np.int8 if bits <= 8 else np.int16), s


def quantize_weights(w: Array) -> tuple[Array, float]:
    """BitNet's absmean quantization, one scale for the whole matrix.

    Parameters
    ----------
    w : float array of any shape

    Returns
    -------
    trits : int8 array of the shape of `w`
        ``clip(round_half_even(w * s), -1, 1)``.
    s : float
        ``1 / max(mean(|w|), 1e-5)``; w is about trits / s.
    """
    w = np.asarray(w)
    s = w.dtype.type(1) / np.maximum(np.abs(w).mean(), w.dtype.type(1e-5))
    return np.clip(np.rint(w * s), -1, 1).astype(np.int8), float(s)


def output_divided(acc: Array, s_w: npt.ArrayLike, s_a: npt.ArrayLike) -> Array:
    """Real outputs ``acc / (s_w * s_a)``, for a weight scale as `quantize_weights` gives it
    (BitNet's reference code: w is about trits / s_w)."""
    return acc / (np.asarray(s_w) * np.asarray(s_a))


def output_multiplied(acc: Array, s_w: npt.ArrayLike, s_a: npt.ArrayLike) -> Array:
    """Real outputs ``acc * s_w / s_a``, for a weight scale as checkpoints store it
    (GGUF's ``d``: w is trits * s_w)."""
    return acc * np.asarray(s_w) / np.asarray(s_a)
