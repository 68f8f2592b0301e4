"""Codings of ternary weights as files store them, bit for bit.

``encode_*`` and ``decode_*`` come in pairs and work over the last axis, but for Hugging Face's
format, which packs along the rows. Decoding refuses a code that stands for no weight.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import BLOCK, KEY_BITS

from .golden import key_trits, keys_from_trits

Array = npt.NDArray[Any]

TQ1_0_BYTES = 54
TQ2_0_BYTES = 66

CODE_TRITS = np.array([-1, 0, 1, 0], np.int8)
"""The weight of every 2-bit code, 0 for the one that has none."""

_POWERS = np.array([81, 27, 9, 3, 1], np.uint8)


class FormatError(ValueError):
    """A code that stands for no weight.

    Parameters
    ----------
    offset : int
        Byte (for keys: key) of the flattened input, from 0.
    reason : str
    """

    def __init__(self, offset: int, reason: str):
        self.offset, self.reason = offset, reason
        super().__init__(f"at offset {offset}: {reason}")


def encode_keys(trits: Array, mu: int) -> Array:
    """Keys of consecutive groups of `mu` weights: (..., N) to uint8 (..., N/mu)."""
    return keys_from_trits(trits.reshape(*trits.shape[:-1], -1, mu))


def decode_keys(keys: Array, mu: int) -> Array:
    """Weights of keys: (..., N/mu) to int8 (..., N).

    Raises
    ------
    FormatError
        At the first key whose index is above (3**mu - 1)/2.
    """
    _refuse(key_invalid(mu)[keys], keys, f"key {{}} has an index above {(3**mu - 1) // 2}")
    return key_trits(mu)[keys].reshape(*keys.shape[:-1], -1)


def encode_base3x5(trits: Array) -> Array:
    """Five weights a byte, in base 3 with digits w + 1, the first weight most significant:
    (..., N) to uint8 (..., N/5), bytes 0 to 242."""
    digits = (trits + 1).astype(np.uint8)
    return digits.reshape(*trits.shape[:-1], -1, 5) @ _POWERS


def decode_base3x5(data: Array) -> Array:
    """Weights of base-3 bytes: (..., N/5) to int8 (..., N).

    Raises
    ------
    FormatError
        At the first byte above 242.
    """
    _refuse(data > 242, data, "base-3 byte {} is above 242")
    return base3_trits()[data].reshape(*data.shape[:-1], -1)


def encode_two_bit(trits: Array) -> Array:
    """Four 2-bit codes w + 1 a byte, the first weight in the low bits:
    (..., N) to uint8 (..., N/4)."""
    codes = (trits + 1).astype(np.uint8).reshape(*trits.shape[:-1], -1, 4)
    return np.bitwise_or.reduce(codes << np.array([0, 2, 4, 6], np.uint8), axis=-1)


def decode_two_bit(data: Array) -> Array:
    """Weights of 2-bit codes: (..., N/4) to int8 (..., N).

    Raises
    ------
    FormatError
        At the first byte that holds the code 3.
    """
    codes = data[..., None] >> np.array([0, 2, 4, 6], np.uint8) & 3
    _refuse((codes == 3).any(axis=-1), data, "byte {} holds the 2-bit code 3")
    return CODE_TRITS[codes].reshape(*data.shape[:-1], -1)


def encode_tq1_0(trits: Array, d: npt.ArrayLike) -> Array:
    """GGUF TQ1_0: 256 weights in ``qs[48], qh[4], d`` of 54 bytes.

    Parameters
    ----------
    trits : int8 array of shape (..., N)
        N a multiple of 256.
    d : float, or array of shape (..., N/256)
        Scale of each block, stored as float16.

    Returns
    -------
    uint8 array of shape (..., N/256*54)
    """
    digits = np.zeros((*trits.shape[:-1], trits.shape[-1] // BLOCK, BLOCK + 1), np.uint8)
    digits[..., :BLOCK] = trits.reshape(*digits.shape[:-1], BLOCK) + 1
    return _with_scale(to_fraction(digits[..., tq1_0_slots()] @ _POWERS), d)


def decode_tq1_0(data: Array) -> tuple[Array, Array]:
    """Weights of GGUF TQ1_0; every byte is legal.

    Parameters
    ----------
    data : uint8 array of shape (..., N/256*54)

    Returns
    -------
    trits : int8 array of shape (..., N)
    d : float32 array of shape (..., N/256)
    """
    payload, d = _without_scale(data, TQ1_0_BYTES)
    slots = tq1_0_trits()[payload].reshape(*payload.shape[:-1], -1)
    return slots[..., _inverse(tq1_0_slots())].reshape(*data.shape[:-1], -1), d


def encode_tq2_0(trits: Array, d: npt.ArrayLike) -> Array:
    """GGUF TQ2_0: 256 weights in ``qs[64], d`` of 66 bytes; arguments as `encode_tq1_0`."""
    blocks = trits.reshape(*trits.shape[:-1], -1, BLOCK)[..., tq2_0_slots().ravel()]
    return _with_scale(encode_two_bit(blocks), d)


def decode_tq2_0(data: Array) -> tuple[Array, Array]:
    """Weights of GGUF TQ2_0; results as `decode_tq1_0`.

    Raises
    ------
    FormatError
        At the first byte that holds the code 3, counted with the scales.
    """
    payload, d = _without_scale(data, TQ2_0_BYTES)
    try:
        slots = decode_two_bit(payload)
    except FormatError as error:
        block, byte = divmod(error.offset, TQ2_0_BYTES - 2)
        raise FormatError(block * TQ2_0_BYTES + byte, error.reason) from None
    return slots[..., _inverse(tq2_0_slots())].reshape(*data.shape[:-1], -1), d


def encode_hf_bitnet(trits: Array) -> Array:
    """Hugging Face BitNet: row r of ``ceil(M/4)`` holds the weights of rows r, r + ceil(M/4), …
    from the low bits up, 2-bit codes w + 1: (M, N) to uint8 (ceil(M/4), N).

    Codes of rows past M are 0, as in that library.
    """
    m, n = trits.shape
    codes = np.zeros((4, -(-m // 4), n), np.uint8)
    codes.reshape(-1, n)[:m] = trits + 1
    return codes[0] | codes[1] << 2 | codes[2] << 4 | codes[3] << 6


def decode_hf_bitnet(data: Array, m: int | None = None) -> Array:
    """Weights of Hugging Face BitNet: uint8 (R, N) to int8 (M, N).

    Parameters
    ----------
    data : uint8 array of shape (R, N)
    m : int, optional
        Rows to keep, 4R where absent: the format does not say.

    Raises
    ------
    FormatError
        At the first byte that holds the code 3.
    """
    codes = data >> np.array([0, 2, 4, 6], np.uint8)[:, None, None] & 3
    _refuse((codes == 3).any(axis=0), data, "byte {} holds the 2-bit code 3")
    return CODE_TRITS[codes].reshape(-1, data.shape[1])[:m]


@cache
def key_invalid(mu: int) -> Array:
    """Whether each key has an index above (3**mu - 1)/2: bool (2**key_bits,)."""
    return (np.arange(1 << KEY_BITS[mu]) & (1 << KEY_BITS[mu] - 1) - 1) > (3**mu - 1) // 2


@cache
def base3_trits() -> Array:
    """The five weights of every base-3 byte, zeros above 242: int8 (256, 5)."""
    value = np.arange(256)[:, None]
    return np.where(value > 242, 0, value // _POWERS % 3 - 1).astype(np.int8)


@cache
def tq1_0_trits() -> Array:
    """The five weights of every TQ1_0 byte: int8 (256, 5).

    A byte is a fraction of 256; multiplied by 3, what carries out of it is the next digit.
    """
    fraction = np.arange(256)[:, None] * _POWERS[::-1] & 255
    return ((fraction * 3 >> 8) - 1).astype(np.int8)


def to_fraction(base3: Array) -> Array:
    """Base-3 bytes v as the fractions that TQ1_0 stores: ceil(v * 256 / 243)."""
    return ((base3.astype(np.uint16) * 256 + 242) // 243).astype(np.uint8)


@cache
def tq1_0_slots() -> Array:
    """Weight of the block in each digit of ``qs`` and ``qh``, -1 where none: (52, 5)."""
    qs0 = np.arange(160).reshape(5, 32).T
    qs1 = np.arange(160, 240).reshape(5, 16).T
    qh = np.vstack([np.arange(240, 256).reshape(4, 4), np.full(4, -1)]).T
    return np.vstack([qs0, qs1, qh])


@cache
def tq2_0_slots() -> Array:
    """Weight of the block in each 2-bit code of ``qs``: (64, 4)."""
    return np.arange(256).reshape(2, 4, 32).transpose(0, 2, 1).reshape(64, 4)


def _inverse(slots: Array) -> Array:
    """The slot of each weight of a block: (256,)."""
    order = np.argsort(slots.ravel(), kind="stable")
    return order[-BLOCK:]


def _with_scale(payload: Array, d: npt.ArrayLike) -> Array:
    scale = np.broadcast_to(np.asarray(d, "<f2"), payload.shape[:-1])[..., None]
    whole = np.concatenate([payload, np.ascontiguousarray(scale).view(np.uint8)], axis=-1)
    return whole.reshape(*payload.shape[:-2], -1)


def _without_scale(data: Array, size: int) -> tuple[Array, Array]:
    whole = data.reshape(*data.shape[:-1], -1, size)
    scale = np.ascontiguousarray(whole[..., -2:]).view("<f2")[..., 0]
    return whole[..., :-2], scale.astype(np.float32)


def _refuse(invalid: Array, data: Array, reason: str) -> None:
    """Raise at the first invalid item; ``{}`` in `reason` is its value."""
    if invalid.any():
        offset = int(np.argmax(invalid))
        raise FormatError(offset, reason.format(data.flat[offset]))
