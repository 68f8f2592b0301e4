"""What a bit-sliced PE array computes: integer matrix products, whole or in two halves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pimlico.hdl.bitslice.config import (
    DRAFT,
    FULL,
    HIGH_BITS,
    LOW_BITS,
    REFINE,
    BitsliceConfig,
    Mode,
)

from ..bits import Array, unpack
from .digits import digits_of


class Job(NamedTuple):
    """What a cfg beat asks for."""

    mode: Mode
    length: int
    group_len: int = 0
    tiles: int = 1
    a_signed: bool = True
    w_signed: bool = True
    nest: int = FULL
    start: int = 0
    a_zero: int = 0
    w_zero: int = 0


def split(w: Array) -> tuple[Array, Array]:
    """The two halves of 8-bit weights: ``16 * high + low == w``.

    Parameters
    ----------
    w : int array
        Values of -128 to 127.

    Returns
    -------
    high, low : int arrays
        -8 to 8, and -8 to 7. The upper half is rounded, so that it alone is the best 4-bit
        weight; it takes the upper nibble and one bit below it to know.
    """
    low = (w + 8 & 15) - 8
    return w - low >> 4, low


def used_half(w: Array, nest: int) -> Array:
    """The part of weights that a job multiplies by: all, ``16 * high``, or ``low``."""
    if nest == FULL:
        return w
    high, low = split(w)
    return 16 * high if nest == DRAFT else low


def matmul(a: Array, w: Array, a_zero: int = 0, w_zero: int = 0, nest: int = FULL) -> Array:
    """Results of one tile.

    Parameters
    ----------
    a : int array of shape (rows, K)
    w : int array of shape (K, columns)
    a_zero, w_zero : int
        Zero points.
    nest : int
        ``FULL``, or half of each weight: `DRAFT` and `REFINE` add up to it.

    Returns
    -------
    int64 array of shape (rows, columns)
    """
    a = np.asarray(a, np.int64) - a_zero
    zero = 0 if nest == REFINE else w_zero
    return a @ used_half(np.asarray(w, np.int64), nest) - zero * a.sum(axis=1, keepdims=True)


def activations(config: BitsliceConfig, job: Job, words: Sequence[int]) -> Array:
    """The activations of payloads of the ``a`` stream.

    Returns
    -------
    int64 array of shape (rows, beats * beat_k)
    """
    lanes = config.rows * config.beat_k
    values = _signed(unpack(words, config.a_width, lanes, False), job.mode.a, job.a_signed)
    return values.reshape(-1, config.rows, config.beat_k).transpose(1, 0, 2).reshape(
        config.rows, -1)


def weights(config: BitsliceConfig, job: Job, high: Sequence[int],
            low: Sequence[int] = ()) -> Array:
    """The weights of payloads of the ``w`` and ``w_low`` streams.

    Of halves that the job does not read the other is 0.

    Returns
    -------
    int64 array of shape (beats, beat_k, cols * products)
    """
    products = config.products_of(job.mode.w, job.nest)
    if not config.nested:
        bits = job.mode.w
        values = _signed(_parts(config, high, config.w_element, bits, products), bits,
                         job.w_signed)
    elif job.mode.w == 4:
        values = _halves(config, high, low, products)[0]
    else:
        upper, below, lower = _halves(config, high, low, products)
        values = np.zeros_like(upper)
        if job.nest != REFINE:
            values = values + 16 * (upper + below)
        if job.nest != DRAFT:
            values = values + lower
    return values.transpose(0, 2, 1, 3).reshape(len(values), config.beat_k, -1)


def _halves(config: BitsliceConfig, high: Sequence[int], low: Sequence[int],
            products: int) -> tuple[Array, Array, Array]:
    """Upper nibbles, the bits below them and lower nibbles of nested weights."""
    upper = _parts(config, high, config.w_element, HIGH_BITS, products)
    lower = _parts(config, low or [0] * len(high), config.w_low_element, LOW_BITS, products)
    return _signed(upper >> 1, 4, True), upper & 1, _signed(lower, 4, True)


def _parts(config: BitsliceConfig, words: Sequence[int], element: int, bits: int,
           products: int) -> Array:
    """Fields of `bits` bits, of shape (beats, cols, beat_k, products)."""
    lanes = unpack(words, element, config.cols * config.beat_k, False)
    fields = lanes[..., None] >> bits * np.arange(products)
    return (fields & (1 << bits) - 1).reshape(-1, config.cols, config.beat_k, products)


def _signed(values: Array, bits: int, signed: bool) -> Array:
    values = values & (1 << bits) - 1
    return values - ((values >> bits - 1) << bits) if signed else values


def steps(config: BitsliceConfig, job: Job, high: int = 0,
          low: int = 0) -> list[tuple[int, list[int]]]:
    """The cycles that the digits of a beat take, one after another.

    Parameters
    ----------
    high, low : int
        Payloads of the ``w`` and ``w_low`` streams.

    Returns
    -------
    list of (cycles, counts)
        For each bit weight in turn, how many cycles it takes, and the digits that are not 0 in
        each column. Under ``arch = serial`` one cycle each. Of a beat whose bit weights are all
        left out one cycle remains.
    """
    positions = positions_of(config, job)
    if config.arch == "serial":
        return [(1, []) for _ in positions]
    nonzero = digits(config, job, high, low) != 0
    zero = digits_of(job.w_zero, job.mode.w, _encoding(config), job.w_signed,
                     extra=config.w_signed != "signed")
    out = []
    for position in positions:
        counts = nonzero[..., position].sum(axis=1).tolist()
        least = bool(zero[position]) or not config.elide
        out.append((max([*counts, int(least)]), counts))
    if not any(cycles for cycles, _ in out):
        out[0] = (1, out[0][1])
    return out


def positions_of(config: BitsliceConfig, job: Job) -> range:
    """Positions of the digits that a job's weights have, when one comes after another."""
    if job.nest == DRAFT:
        return range(2, 4)
    return range(config.digits_of(job.mode.w, job.nest))


def digits(config: BitsliceConfig, job: Job, high: int, low: int = 0) -> Array:
    """Digits of the weights of a beat.

    Parameters
    ----------
    high, low : int
        Payloads of the ``w`` and ``w_low`` streams.

    Returns
    -------
    int array of shape (cols, beat_k, positions)
    """
    if not config.nested:
        return digits_of(_parts(config, [high], config.w_element, job.mode.w, 1)[0, ..., 0],
                         job.mode.w, _encoding(config), job.w_signed,
                         extra=config.w_signed != "signed")
    upper, below, lower = (half[0, ..., 0] for half in _halves(config, [high], [low], 1))
    if job.mode.w == 4:
        return digits_of(upper, 4, _encoding(config))
    return np.concatenate([digits_of(lower, 4, _encoding(config)),
                           digits_of(upper, 4, _encoding(config), carry=below)], axis=-1)


def _encoding(config: BitsliceConfig) -> str:
    """Of digits that come one after another: cycles are saved where they are 0."""
    return "sparse" if config.encoding == "ent" else config.encoding
