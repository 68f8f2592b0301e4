"""Codings of ternary weights, bit for bit: as files store them and as the core's ports do.

The coders of stored formats come in pairs over the last axis, ``encode_*`` and ``decode_*``, and
decoding is strict. The streams have `beats`, `activation_beats` and `decode_beats`; the last reads
a code that stands for no weight as the core does, as zeros with a flag.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import BLOCK, KEY_BITS, TernaryConfig

from ..bits import pack, unpack, unpack_bytes
from .golden import key_trits, keys_from_trits

Array = npt.NDArray[Any]

TQ1_0_BYTES = 54
TQ2_0_BYTES = 66

_POWERS = np.array([81, 27, 9, 3, 1], np.uint8)
_CODES = np.array([-1, 0, 1, 0], np.int8)
_CHUNK = 1 << 20


class FormatError(ValueError):
    """A code that stands for no weight.

    Parameters
    ----------
    offset : int
        Byte (for keys: key) of the flattened input, from 0.
    reason : str
    """

    def __init__(self, offset: int, reason: str):
        self.offset = offset
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
    _refuse(_key_invalid(mu)[keys], keys, f"key {{}} has an index above {(3**mu - 1) // 2}")
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
    return _base3_trits()[data].reshape(*data.shape[:-1], -1)


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
    return _CODES[codes].reshape(*data.shape[:-1], -1)


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
    return _with_scale(_scale_up(digits[..., _tq1_0_slots()] @ _POWERS), d)


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
    slots = _tq1_0_trits()[payload].reshape(*payload.shape[:-1], -1)
    return slots[..., _inverse(_tq1_0_slots())].reshape(*data.shape[:-1], -1), d


def encode_tq2_0(trits: Array, d: npt.ArrayLike) -> Array:
    """GGUF TQ2_0: 256 weights in ``qs[64], d`` of 66 bytes; arguments as `encode_tq1_0`."""
    blocks = trits.reshape(*trits.shape[:-1], -1, BLOCK)[..., _tq2_0_slots().ravel()]
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
        raise FormatError(block * TQ2_0_BYTES + byte,
                          f"byte {payload.flat[error.offset]} holds the 2-bit code 3") from None
    return slots[..., _inverse(_tq2_0_slots())].reshape(*data.shape[:-1], -1), d


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
    return _CODES[codes].reshape(-1, data.shape[1])[:m]


@lru_cache(maxsize=64)
def activation_order(config: TernaryConfig, n: int) -> Array:
    """Which activation each column of a row tile's beats multiplies.

    Parameters
    ----------
    config : TernaryConfig
    n : int
        Row length N; a multiple of 256 for the block formats.

    Returns
    -------
    int64 array of shape (tile_beats * columns,)
        Index into x, or -1 for a slot that carries no weight. Read only.
    """
    size = config.tile_beats(n) * config.columns
    if not config.block_format:
        order = np.full(size, -1)
        order[:n] = np.arange(n)
    else:
        if n % BLOCK:
            raise ValueError(f"n must be a multiple of {BLOCK}, not {n}")
        slots = _tq1_0_slots() if config.weight_format == "tq1_0" else _tq2_0_slots()
        block = np.full(config.block_beats * config.columns, -1)
        block[:slots.size] = slots.ravel()
        starts = np.arange(0, n, BLOCK)[:, None]
        order = np.where(block < 0, -1, block + starts).ravel()
    order.setflags(write=False)
    return order


def beats(config: TernaryConfig, trits: Array) -> list[int]:
    """The ``w`` payloads of a whole job, row tile by row tile.

    Columns past N and rows past M are weights of 0; a slot that carries no weight holds the
    digit 0, as GGUF leaves it.

    Parameters
    ----------
    config : TernaryConfig
    trits : int8 array of shape (M, N)

    Returns
    -------
    list of int
        ``config.job_beats(N, M)`` payloads.
    """
    m, n = trits.shape
    keys, columns = config.keys, config.columns
    order, blank = activation_order(config, n), -1 if config.weight_format == "tq1_0" else 0
    words: list[int] = []
    step = keys * max(1, _CHUNK // max(1, keys * order.size))
    for row in range(0, m, step):
        chunk = trits[row:row + step]
        tiles = -(-len(chunk) // keys)
        padded = np.zeros((tiles * keys, n + 1), np.int8)
        padded[:len(chunk), :n] = chunk
        padded[:, n] = blank
        lanes = padded[:, order].reshape(tiles, keys, -1, columns).transpose(0, 2, 1, 3)
        words += _encode(config, lanes.reshape(-1, keys * columns))
    return words


def activation_beats(config: TernaryConfig, x: Array, m: int) -> list[int]:
    """The ``a`` payloads of a whole job: one row tile's, again for each of ceil(m/keys) tiles.

    Parameters
    ----------
    config : TernaryConfig
    x : integer array of shape (N,)
        Slots that carry no weight get 0.
    m : int
        Rows M.

    Returns
    -------
    list of int
        ``config.job_beats(N, m)`` payloads, ``first`` and ``last`` included.
    """
    order = activation_order(config, len(x))
    tile = pack(np.append(x, 0)[order].reshape(-1, config.columns), config.act_bits)
    first = config.columns * config.act_bits
    if tile:
        tile[0] |= 1 << first
        tile[-1] |= 2 << first
    return tile * -(-m // config.keys)


def decode_beats(config: TernaryConfig, words: Sequence[int]) -> tuple[Array, Array]:
    """Weights of ``w`` payloads, in the order of the beat's columns.

    Slots that carry no weight are decoded like any other: it is the activation that the core
    masks there, by `activation_order`.

    Parameters
    ----------
    config : TernaryConfig
    words : sequence of int
        Any beats.

    Returns
    -------
    trits : int8 array of shape (beats, keys, columns)
        0 where a code stands for no weight (for ``base3x5``: all five of the byte).
    invalid : bool array of shape (beats,)
        Whether the beat holds such a code in any lane.
    """
    width, table, invalid = _decoder(config.weight_format, config.mu)
    bits, size = config.keys * config.weight_bits, config.keys * config.columns
    symbols = (unpack_bytes(words, bits) if width == 8
               else unpack(words, width, bits // width, signed=False))
    trits = np.take(table, symbols).view(np.int8)[:, :size]
    flags: Array = np.any(invalid[symbols], axis=1)
    return trits.reshape(len(words), config.keys, config.columns), flags


def _encode(config: TernaryConfig, weights: Array) -> list[int]:
    """Payloads of weights (beats, keys*columns), lane after lane."""
    match config.weight_format:
        case "keys":
            return pack(encode_keys(weights, config.mu), config.key_bits)
        case "base3x5":
            return pack(encode_base3x5(weights), 8)
        case "tq1_0":
            return pack(_scale_up(encode_base3x5(weights)), 8)
        case _:
            return pack(weights + 1, 2)


@cache
def _decoder(weight_format: str, mu: int) -> tuple[int, Array, Array]:
    """Bits of a symbol, and for every symbol its weights as one raw item and its invalidity.

    A symbol is a byte wherever codes fill bytes, else one key.
    """
    match weight_format:
        case "keys":
            width, trits, invalid = KEY_BITS[mu], key_trits(mu), _key_invalid(mu)
        case "base3x5":
            width, trits, invalid = 8, _base3_trits(), np.arange(256) > 242
        case "tq1_0":
            width, trits, invalid = 8, _tq1_0_trits(), np.zeros(256, bool)
        case _:
            width, trits, invalid = 2, _CODES[:, None], np.arange(4) == 3
    if 8 % width == 0:
        codes = np.arange(256)[:, None] >> np.arange(0, 8, width) & (1 << width) - 1
        width, trits, invalid = 8, trits[codes].reshape(256, -1), invalid[codes].any(axis=1)
    trits = np.ascontiguousarray(trits)
    return width, trits.view(f"V{trits.shape[1]}").ravel(), invalid


@cache
def _key_invalid(mu: int) -> Array:
    return (np.arange(1 << KEY_BITS[mu]) & (1 << KEY_BITS[mu] - 1) - 1) > (3**mu - 1) // 2


@cache
def _base3_trits() -> Array:
    """The five weights of every base-3 byte, zeros above 242: int8 (256, 5)."""
    value = np.arange(256)[:, None]
    return np.where(value > 242, 0, value // _POWERS % 3 - 1).astype(np.int8)


@cache
def _tq1_0_trits() -> Array:
    """The five weights of every TQ1_0 byte: int8 (256, 5).

    A byte is a fraction of 256; multiplied by 3, what carries out of it is the next digit.
    """
    fraction = np.arange(256)[:, None] * _POWERS[::-1] & 255
    return ((fraction * 3 >> 8) - 1).astype(np.int8)


def _scale_up(base3: Array) -> Array:
    """Base-3 bytes v as the fractions that TQ1_0 stores: ceil(v * 256 / 243)."""
    return ((base3.astype(np.uint16) * 256 + 242) // 243).astype(np.uint8)


@cache
def _tq1_0_slots() -> Array:
    """Weight of the block in each digit of ``qs`` and ``qh``, -1 where none: (52, 5)."""
    qs0 = np.arange(160).reshape(5, 32).T
    qs1 = np.arange(160, 240).reshape(5, 16).T
    qh = np.vstack([np.arange(240, 256).reshape(4, 4), np.full(4, -1)]).T
    return np.vstack([qs0, qs1, qh])


@cache
def _tq2_0_slots() -> Array:
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
