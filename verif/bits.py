"""Packed payloads to integer arrays and back, many beats at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .words import Words

Array = npt.NDArray[Any]

_BYTES = {8: 1, 16: 2, 32: 4, 64: 8}


def pack(values: npt.ArrayLike, width: int) -> list[int]:
    """Pack lanes into one integer a beat.

    Parameters
    ----------
    values : integer array of shape (beats, lanes)
        Lane 0 goes to the least significant bits. Negative values become two's complement;
        bits above `width` are dropped.
    width : int
        Bits of a lane, 1 to 64.

    Returns
    -------
    list of int
        One non-negative word a beat, of ``lanes * width`` bits.
    """
    return list(pack_words(values, width))


def pack_words(values: npt.ArrayLike, width: int) -> Words:
    """As `pack`, for what goes on with NumPy."""
    values = np.ascontiguousarray(values)
    beats, lanes = values.shape
    storage = _storage(width)
    lane_bytes = values.astype(f"<u{storage}", copy=False)
    if width == 8 * storage:
        rows = lane_bytes.reshape(beats, lanes)
    elif 8 % width == 0:
        rows = _packed_octets(lane_bytes, width)
    else:
        flat = lane_bytes.view(np.uint8).reshape(beats, lanes, storage)
        lane_bits = np.unpackbits(flat, axis=2, count=width, bitorder="little")
        rows = np.packbits(lane_bits.reshape(beats, lanes * width), axis=1, bitorder="little")
    return Words(rows.view(np.uint8))


def unpack(words: Sequence[int], width: int, lanes: int, signed: bool = True) -> Array:
    """Unpack the lanes of every word; the inverse of `pack`.

    Parameters
    ----------
    words : sequence of int
        One word a beat. Bits above ``lanes * width`` are ignored, so that a payload may be
        given whole when its lanes come first.
    width : int
        Bits of a lane, 1 to 64.
    lanes : int
        Lanes of a word.
    signed : bool
        Whether lanes are two's complement.

    Returns
    -------
    int64 array of shape (beats, lanes)
        ``uint64`` when lanes are unsigned and 64 bits wide.
    """
    beats, storage = len(words), _storage(width)
    raw = unpack_bytes(words, width * lanes)
    if width == 8 * storage:
        values = raw.view(f"<{'i' if signed else 'u'}{storage}")
        return values if storage == 8 else values.astype(np.int64)
    lane_bits = np.unpackbits(raw, axis=1, count=width * lanes, bitorder="little")
    lane_bytes = np.packbits(lane_bits.reshape(beats, lanes, width), axis=2, bitorder="little")
    if lane_bytes.shape[2] != storage:
        padded = np.zeros((beats, lanes, storage), np.uint8)
        padded[:, :, :lane_bytes.shape[2]] = lane_bytes
        lane_bytes = padded
    values = lane_bytes.view(f"<u{storage}").reshape(beats, lanes).astype(np.int64)
    if signed:
        sign = 1 << (width - 1)
        values ^= sign
        values -= sign
    return values


def unpack_bytes(words: Sequence[int], bits: int) -> Array:
    """The low `bits` of every word as little-endian bytes.

    Returns
    -------
    uint8 array of shape (beats, ceil(bits/8))
        Read only; bits above `bits` are 0.
    """
    step, mask = -(-bits // 8), (1 << bits) - 1
    if isinstance(words, Words):
        rows = words.octets[:, :step]
        return rows if mask >> 8 * step - 1 & 1 else rows & np.frombuffer(
            mask.to_bytes(step, "little"), np.uint8)
    data = b"".join([(word & mask).to_bytes(step, "little") for word in words])
    return np.frombuffer(data, np.uint8).reshape(len(words), step)


def _packed_octets(lanes: Array, width: int) -> Array:
    """Octets of lanes (beats, lanes) of which a whole number makes up an octet."""
    each = 8 // width
    lanes = np.pad(lanes & ((1 << width) - 1), ((0, 0), (0, -lanes.shape[1] % each)))
    octets = lanes[:, ::each].copy()
    for lane in range(1, each):
        octets |= lanes[:, lane::each] << lane * width
    return octets


def _storage(width: int) -> int:
    """Bytes of the smallest machine integer that holds a lane."""
    if not 1 <= width <= 64:
        raise ValueError(f"width must be 1 to 64, not {width}")
    return next(size for bits, size in _BYTES.items() if width <= bits)
