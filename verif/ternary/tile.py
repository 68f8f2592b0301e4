"""The results of a row tile: every vector of a batch, sums of either kind, and their scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.float.config import FP32
from pimlico.hdl.ternary.config import TernaryConfig

from .. import floating
from .golden import gemv, index_trits, requant

Array = npt.NDArray[Any]


def results(config: TernaryConfig, trits: Array, x: Array, addend: Array | None,
            scale: Mapping[str, Array]) -> Array:
    """What goes out of a row tile.

    Parameters
    ----------
    config : TernaryConfig
    trits : int8 array of shape (beats, K, L*mu)
    x : integer array of shape (beats, batch, L*mu)
        Activations, of floating ones their bits; 0 where there is no weight.
    addend : integer array of shape (batch, K), optional
    scale : mapping of str to integer array of shape (batch,)
        As the job's cfg gives it.

    Returns
    -------
    integer array of shape (batch, K)
        Lanes of `o`; of floating ones their bits.
    """
    if config.floating:
        start = np.zeros((config.batch, config.keys), np.int64) if addend is None else addend
        acc = floating_sums(config, trits, x, start)
    else:
        weights = trits.transpose(1, 0, 2).reshape(config.keys, -1)
        acc = np.stack([
            gemv(weights, x[:, vector].ravel(), None if addend is None else addend[vector],
                 config.acc_width if config.allow_wrap else None)
            for vector in range(config.batch)])
    if config.out == "int8_requant":
        return np.stack([requant(acc[vector], int(scale["multiplier"][vector]),
                                 int(scale["shift"][vector])) for vector in range(config.batch)])
    if config.out == "fp32_scaled":
        return scaled(config, acc, scale["scale"])
    return acc


def scaled(config: TernaryConfig, acc: Array, scale: Array) -> Array:
    """``fp32(acc) * scale`` as fp32 bits, each operation rounded to nearest even.

    Parameters
    ----------
    config : TernaryConfig
    acc : integer array of shape (batch, K)
        Integers, or the bits of floating sums.
    scale : integer array of shape (batch,)
        fp32 bits.
    """
    if config.floating:
        converted = floating.convert(acc, config.acc_float, FP32, config.subnormals)
    else:
        converted = floating.from_int(acc, FP32)
    return floating.multiply(converted, scale[:, None], FP32, FP32,
                             FP32, config.subnormals)


def floating_sums(config: TernaryConfig, trits: Array, x: Array, start: Array) -> Array:
    """Sums in the order and formats of the core.

    Tables are built entry by entry, ``leading activation ± earlier entry``; fetched values are
    added pairwise, an odd one out passing through, all in the activations' format; a beat's sum
    is added to the accumulator in its own format, beat after beat.

    Returns
    -------
    integer array of shape (batch, K)
        Bits of the accumulators.
    """
    act, acc_form = config.act_float, config.acc_float
    sign = 1 << config.act_bits - 1
    beats, keys, _ = trits.shape
    groups = x.reshape(beats, config.batch, 1, config.luts, config.mu)
    entries = np.zeros((*groups.shape[:-1], config.entries + 1), np.int64)
    for index, digits in enumerate(index_trits(config.mu)):
        if index == 0:
            continue
        first = int(np.flatnonzero(digits)[0])
        rest = index - 3 ** (config.mu - 1 - first)
        entries[..., index] = groups[..., first]
        if rest:
            earlier = entries[..., abs(rest)] ^ (sign if rest < 0 else 0)
            entries[..., index] = floating.add(groups[..., first], earlier, act, act, act,
                                               config.subnormals)
    v = trits.reshape(beats, 1, keys, config.luts, config.mu) @ (
        3 ** np.arange(config.mu - 1, -1, -1))
    shape = (beats, config.batch, keys, config.luts)
    values = np.take_along_axis(np.broadcast_to(entries, (*shape, config.entries + 1)),
                                np.broadcast_to(np.abs(v)[..., None], (*shape, 1)), -1)[..., 0]
    values = values ^ np.where(v < 0, sign, 0)
    while values.shape[-1] > 1:
        pairs = values.shape[-1] // 2
        sums = floating.add(values[..., 0:2 * pairs:2], values[..., 1:2 * pairs:2], act, act, act,
                            config.subnormals)
        values = np.concatenate([sums, values[..., 2 * pairs:]], axis=-1)
    acc = start
    for partial in values[..., 0]:
        acc = floating.add(acc, partial, acc_form, act, acc_form, config.subnormals)
    return acc
