"""Attention over quantized keys and values, bit for bit as the banks give it.

Token ``t`` is in bank ``t % banks``. A score is the sum of entries of tables, one for each
subspace, ascending; an entry is a centroid's product by the query. A bin is the sum of the
weights of a bank's tokens that have a centroid in common, tokens ascending. Each bank multiplies
its bins, rounded to elements, by the codebooks of the values; that the banks' outputs are added,
and divided by the sum of all weights, is left to the host, as is softmax.

Source: AQPIM, arXiv 2604.18137.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pimlico.hdl.pim.config import PimConfig

from .. import floating
from . import codebooks
from .arithmetic import accumulate, dots
from .gemv import decode, encode, numbers

Array = npt.NDArray[Any]


class Coded(NamedTuple):
    """Vectors as numbers of centroids.

    Attributes
    ----------
    centroids : uint64 array of shape (m, k, dsub)
        Codes of their elements.
    indices : int64 array of shape (n, m)
    """

    centroids: Array
    indices: Array


def quantize(config: PimConfig, vectors: npt.ArrayLike, weights: npt.ArrayLike | None,
             rng: np.random.Generator) -> Coded:
    """Quantize vectors, with centroids that are elements of the format.

    Parameters
    ----------
    config : PimConfig
    vectors : array of shape (n, head_dim)
    weights : array of shape (n,), optional
        As of `codebooks.codebooks`.
    rng : numpy Generator

    Raises
    ------
    ValueError
        As of `codebooks.codebooks`.
    """
    centroids, _ = codebooks.codebooks(vectors, config.pq_m, config.pq_k, weights, rng)
    codes = encode(config, centroids)
    return Coded(codes, codebooks.encode(vectors, decode(config, codes)))


def restored(config: PimConfig, coded: Coded) -> Array:
    """The vectors that indices stand for, float64 of shape (n, head_dim)."""
    return codebooks.decode(coded.indices, decode(config, coded.centroids))


def tables(config: PimConfig, centroids: npt.ArrayLike, query: npt.ArrayLike) -> Array:
    """Each centroid times the query's subvector.

    A product is the sum of a column in which all other centroids are zeros.

    Parameters
    ----------
    config : PimConfig
    centroids : integer array of shape (m, k, dsub)
        Codes of their elements.
    query : integer array of shape (head_dim,)

    Returns
    -------
    uint64 array of shape (m, k)
        Bits in the accumulators' format.
    """
    given = np.asarray(centroids, np.uint64)
    m, k, dsub = given.shape
    lanes, segment = config.lanes, config.segment
    columns = np.zeros((m, k, lanes), np.uint64)
    vectors = np.zeros((m, lanes // segment, segment), np.uint64)
    vectors[:, :, :dsub] = np.asarray(query, np.uint64).reshape(m, 1, dsub)
    first = np.arange(k) % (lanes // segment) * segment
    for j in range(dsub):
        columns[:, np.arange(k), first + j] = given[:, :, j]
    return dots(config, columns, vectors.reshape(m, 1, lanes))[:, :, 0]


def scores(config: PimConfig, keys: Coded, query: npt.ArrayLike) -> Array:
    """Products of all keys by the query, without a scale.

    Parameters
    ----------
    config : PimConfig
    keys : Coded
    query : integer array of shape (head_dim,)
        Codes of its elements.

    Returns
    -------
    uint64 array of shape (n,)
        Bits in the accumulators' format.
    """
    total = np.zeros(len(keys.indices), np.uint64)
    for entries, chosen in zip(tables(config, keys.centroids, query), keys.indices.T,
                               strict=True):
        total = accumulate(config, total, entries[chosen])
    return total


def softmax(config: PimConfig, bits: npt.ArrayLike) -> Array:
    """What the host makes of scores: weights of which the largest is 1.

    ``exp((score - largest) / sqrt(head_dim))`` in float64, rounded to elements. That they do not
    add up to 1 is mended by `combine`.

    Parameters
    ----------
    config : PimConfig
    bits : integer array of shape (n,)
        Scores, in the accumulators' format.

    Returns
    -------
    uint64 array of shape (n,)
        Codes of elements.
    """
    given = numbers(config, bits)
    return encode(config, np.exp((given - given.max()) / np.sqrt(config.head_dim)))


def bins(config: PimConfig, indices: npt.ArrayLike, weights: npt.ArrayLike) -> Array:
    """Sums of the weights that go with each centroid, in each bank.

    Parameters
    ----------
    config : PimConfig
    indices : integer array of shape (n, m)
    weights : integer array of shape (n,)
        Codes of elements.

    Returns
    -------
    uint64 array of shape (banks, m, k)
        Bits in the accumulators' format.
    """
    chosen = np.asarray(indices)
    wide = floating.convert(weights, config.fmt_format, config.acc_format, config.subnormals)
    sums = np.zeros((config.banks, config.pq_m, config.pq_k), np.uint64)
    spaces = np.arange(config.pq_m)
    for first in range(0, len(chosen), config.banks):
        taken = chosen[first:first + config.banks]
        at = np.arange(len(taken))[:, None], spaces, taken
        sums[at] = accumulate(config, sums[at], wide[first:first + config.banks, None])
    return sums


def outputs(config: PimConfig, values: Coded, weights: npt.ArrayLike) -> Array:
    """Sums of the values of each bank's tokens, each times its weight, in as many parts as a burst
    takes accumulators in turn.

    Parameters
    ----------
    config : PimConfig
    values : Coded
    weights : integer array of shape (n,)
        Codes of elements.

    Returns
    -------
    uint64 array of shape (banks, rotation, head_dim)
        Bits in the accumulators' format.
    """
    m, k, dsub = values.centroids.shape
    lanes = config.lanes
    whole = -(-k // lanes) * lanes
    factors = np.zeros((config.banks, m, 1, whole), np.uint64)
    factors[:, :, 0, :k] = floating.convert(
        bins(config, values.indices, weights), config.acc_format, config.fmt_format,
        config.subnormals)
    columns = np.zeros((m, dsub, whole), np.uint64)
    columns[:, :, :k] = values.centroids.transpose(0, 2, 1)
    total = np.zeros((config.banks, config.rotation, m, dsub), np.uint64)
    for number, first in enumerate(range(0, whole, lanes)):
        part, turn = slice(first, first + lanes), number % config.rotation
        total[:, turn] = accumulate(config, total[:, turn], dots(
            config, columns[:, :, part], factors[:, :, :, part])[..., 0])
    return total.reshape(config.banks, config.rotation, m * dsub)


def combine(config: PimConfig, partial: npt.ArrayLike, weights: npt.ArrayLike) -> Array:
    """What is left to the host: the banks' outputs added, by the sum of all weights, in float64.

    Parameters
    ----------
    config : PimConfig
    partial : integer array of shape (banks, rotation, head_dim)
        Bits in the accumulators' format.
    weights : integer array of shape (n,)
        Codes of elements.

    Returns
    -------
    float64 array of shape (head_dim,)
    """
    return numbers(config, partial).sum(axis=(0, 1)) / decode(config, weights).sum()
