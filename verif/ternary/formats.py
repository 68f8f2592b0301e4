"""Ternary weights and activations as the core's streams carry them.

A ``w`` payload holds a lane of ``config.weight_bits`` for each row of the row tile, row 0 in the
least significant bits; a lane holds the beat's weights in the order of the beat's columns. The
block formats keep the order of the stored bytes, so it is the activations that follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import BLOCK, KEY_BITS, TernaryConfig

from ..bits import pack, pack_words, unpack, unpack_bytes
from ..words import Words
from . import codecs
from .golden import key_trits

Array = npt.NDArray[Any]

_CHUNK = 1 << 20


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
        slots = codecs.tq1_0_slots() if config.weight_format == "tq1_0" else codecs.tq2_0_slots()
        block = np.full(config.block_beats * config.columns, -1)
        block[:slots.size] = slots.ravel()
        starts = np.arange(0, n, BLOCK)[:, None]
        order = np.where(block < 0, -1, block + starts).ravel()
    order.setflags(write=False)
    return order


def beats(config: TernaryConfig, trits: Array) -> list[int]:
    """The ``w`` payloads of a whole job, row tile by row tile; with a serial build column tile
    by column tile.

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
        words += encode_beats(config, lanes.reshape(-1, keys * columns))
    if config.serial:
        tile = config.tile_beats(n)
        words = [word for column in range(tile) for word in words[column::tile]]
    return words


def activation_beats(config: TernaryConfig, x: Array, m: int) -> list[int]:
    """The ``a`` payloads of a whole job: one row tile's, again for each of ceil(m/keys) tiles;
    with a serial build once.

    Parameters
    ----------
    config : TernaryConfig
    x : integer array of shape (batch, N), or (N,) for a batch of one
        Of floating activations their bits. Slots that carry no weight get 0.
    m : int
        Rows M.

    Returns
    -------
    list of int
        ``first`` and ``last`` included.
    """
    x = np.atleast_2d(x)
    order = activation_order(config, x.shape[1])
    slots = np.pad(x, ((0, 0), (0, 1)))[:, order].reshape(config.batch, -1, config.columns)
    lanes = config.batch * config.columns
    tile = pack(slots.transpose(1, 0, 2).reshape(-1, lanes), config.act_bits)
    first = lanes * config.act_bits
    if tile:
        tile[0] |= 1 << first
        tile[-1] |= 2 << first
    return tile if config.serial else tile * -(-m // config.keys)


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


def encode_beats(config: TernaryConfig, weights: Array) -> Words:
    """``w`` payloads of weights in the order of the beats' columns.

    Parameters
    ----------
    config : TernaryConfig
    weights : int8 array of shape (beats, keys * columns)
        Lane after lane.

    Returns
    -------
    Words
        One a beat.
    """
    match config.weight_format:
        case "keys":
            return pack_words(codecs.encode_keys(weights, config.mu), config.key_bits)
        case "base3x5":
            return pack_words(codecs.encode_base3x5(weights), 8)
        case "tq1_0":
            return pack_words(codecs.to_fraction(codecs.encode_base3x5(weights)), 8)
        case _:
            return pack_words(weights + 1, 2)


@cache
def _decoder(weight_format: str, mu: int) -> tuple[int, Array, Array]:
    """Bits of a symbol, and for every symbol its weights as one raw item and its invalidity.

    A symbol is a byte wherever codes fill bytes, else one key.
    """
    match weight_format:
        case "keys":
            width, trits, invalid = KEY_BITS[mu], key_trits(mu), codecs.key_invalid(mu)
        case "base3x5":
            width, trits, invalid = 8, codecs.base3_trits(), np.arange(256) > 242
        case "tq1_0":
            width, trits, invalid = 8, codecs.tq1_0_trits(), np.zeros(256, bool)
        case _:
            width, trits, invalid = 2, codecs.CODE_TRITS[:, None], np.arange(4) == 3
    if 8 % width == 0:
        codes = np.arange(256)[:, None] >> np.arange(0, 8, width) & (1 << width) - 1
        width, trits, invalid = 8, trits[codes].reshape(256, -1), invalid[codes].any(axis=1)
    trits = np.ascontiguousarray(trits)
    return width, trits.view(f"V{trits.shape[1]}").ravel(), invalid
