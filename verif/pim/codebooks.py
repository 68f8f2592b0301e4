"""Codebooks of product quantization: k-means in each subspace, where some vectors weigh more.

A vector is cut into ``m`` subvectors of ``dsub`` elements, the first elements first; each
subspace has ``k`` centroids of its own, and a subvector stands as the number of the nearest.
Sources: Jegou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011;
AQPIM, arXiv 2604.18137, which weighs tokens by their importance; seeds as of k-means++ (Arthur
and Vassilvitskii, 2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROUNDS = 15
"""Times that centroids move, at most."""

_BLOCK = 1 << 17
"""Products of a matrix product: small ones stay in the cache, and in one thread."""


def codebooks(vectors: npt.ArrayLike, m: int, k: int, weights: npt.ArrayLike | None,
              rng: np.random.Generator, rounds: int = ROUNDS) -> tuple[Array, Array]:
    """Centroids of vectors, and the number of each subvector's nearest.

    Lloyd's iterations from seeds drawn by weight and squared distance. A centroid that none is
    nearest to moves to the vector that is worst represented, by weight and squared distance, each
    such centroid to another one.

    Parameters
    ----------
    vectors : array of shape (n, m * dsub)
        Finite numbers.
    m, k : int
        Subspaces, and centroids of each. There may be fewer vectors than centroids: some are
        equal then.
    weights : array of shape (n,), optional
        What the squared error of each vector counts, not negative. By default all count alike.
    rng : numpy Generator
        Draws the seeds: its state decides the result.
    rounds : int
        Times that centroids move at most; fewer if they stay where they are.

    Returns
    -------
    centroids : float64 array of shape (m, k, dsub)
    indices : int64 array of shape (n, m)
        As of `encode`.

    Raises
    ------
    ValueError
        If there is no vector, no subspace or no centroid, if vectors cannot be cut into `m` equal
        parts, or if weights are not one a vector, negative, not finite, or all zero.
    """
    parts = _cut(vectors, m)
    count = parts.shape[1]
    weigh = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    if k < 1 or not count:
        raise ValueError(f"{k} centroids of {count} vectors: at least one of each is needed")
    if weigh.shape != (count,) or not (np.isfinite(weigh) & (weigh >= 0)).all() or not weigh.any():
        raise ValueError(f"weights must be {count} numbers, none negative and not all zero")
    centroids = _seeds(parts, k, weigh, rng)
    indices = np.full((m, count), -1)
    for _ in range(rounds):
        found, errors = _nearest(parts, centroids)
        if (found == indices).all():
            break
        indices = found
        for s in range(m):
            _move(centroids[s], parts[s], indices[s], weigh, errors[s] * weigh)
    return centroids, _nearest(parts, centroids)[0].T


def encode(vectors: npt.ArrayLike, centroids: npt.ArrayLike) -> Array:
    """The number of the nearest centroid of each subvector; of equally near ones the lowest.

    Parameters
    ----------
    vectors : array of shape (n, m * dsub)
    centroids : array of shape (m, k, dsub)

    Returns
    -------
    int64 array of shape (n, m)

    Raises
    ------
    ValueError
        If vectors are not of that length.
    """
    return _nearest(*_matched(vectors, centroids))[0].T


def decode(indices: npt.ArrayLike, centroids: npt.ArrayLike) -> Array:
    """Vectors made of centroids.

    Parameters
    ----------
    indices : integer array of shape (n, m)
    centroids : array of shape (m, k, dsub)

    Returns
    -------
    array of shape (n, m * dsub)
        Of the type of `centroids`.
    """
    given, numbers = np.asarray(centroids), np.asarray(indices)
    return given[np.arange(given.shape[0]), numbers].reshape(len(numbers), -1)


def squared_error(vectors: npt.ArrayLike, centroids: npt.ArrayLike,
                  weights: npt.ArrayLike | None = None) -> float:
    """Sum of the squared distances of vectors from their nearest centroids, each times its weight.

    Parameters
    ----------
    vectors : array of shape (n, m * dsub)
    centroids : array of shape (m, k, dsub)
    weights : array of shape (n,), optional
        By default 1.
    """
    errors = _nearest(*_matched(vectors, centroids))[1].sum(axis=0)
    return float(errors.sum() if weights is None else errors @ np.asarray(weights, np.float64))


def _cut(vectors: npt.ArrayLike, m: int) -> Array:
    """Subvectors, float64 of shape (m, n, dsub)."""
    given = np.asarray(vectors, np.float64)
    if given.ndim != 2 or m < 1 or given.shape[1] < 1 or given.shape[1] % m:
        raise ValueError(f"vectors of shape {given.shape} cannot be cut into {m} subspaces")
    parts = given.reshape(len(given), m, given.shape[1] // m)
    return np.ascontiguousarray(parts.transpose(1, 0, 2))


def _matched(vectors: npt.ArrayLike, centroids: npt.ArrayLike) -> tuple[Array, Array]:
    """Subvectors and centroids of as many elements."""
    given = np.asarray(centroids, np.float64)
    parts = _cut(vectors, len(given))
    if parts.shape[2] != given.shape[2]:
        raise ValueError(f"subvectors of {parts.shape[2]} elements do not go with centroids of "
                         f"{given.shape[2]}")
    return parts, given


def _nearest(parts: Array, centroids: Array) -> tuple[Array, Array]:
    """Numbers of the nearest centroids and the squared distances, of shape (m, n)."""
    m, count, dsub = parts.shape
    k = centroids.shape[1]
    found = np.empty((m, count), np.int64)
    block = max(1, _BLOCK // (k * (dsub + 1)))
    table = np.empty((block, k))
    for s in range(m):
        # from an origin amid them, all that differs between centroids: |c|^2 - 2 x c
        origin = centroids[s].mean(axis=0)
        book, part = centroids[s] - origin, np.ones((count, dsub + 1))
        part[:, :-1] = parts[s] - origin
        factors = np.concatenate([-2 * book.T, (book * book).sum(axis=1)[None]])
        for first in range(0, count, block):
            rows = part[first:first + block]
            np.matmul(rows, factors, out=table[:len(rows)])
            table[:len(rows)].argmin(axis=1, out=found[s, first:first + len(rows)])
    chosen = np.take_along_axis(centroids, found[:, :, None], axis=1)
    return found, ((parts - chosen) ** 2).sum(axis=2)


def _seeds(parts: Array, k: int, weights: Array, rng: np.random.Generator) -> Array:
    """Subvectors drawn one after another, by weight and squared distance from those before."""
    m, count, dsub = parts.shape
    every = np.arange(m)
    centroids = np.empty((m, k, dsub))
    nearest = np.full((m, count), np.inf)
    chances = np.broadcast_to(weights, (m, count))
    for c in range(k):
        running = np.cumsum(chances, axis=1)
        # where all that has a weight is a centroid already, any of it
        running = np.where(running[:, -1:] > 0, running, np.cumsum(weights))
        drawn = rng.random((m, 1)) * running[:, -1:]
        chosen = np.minimum((running <= drawn).sum(axis=1), np.flatnonzero(weights)[-1])
        centroids[:, c] = parts[every, chosen]
        nearest = np.minimum(nearest, ((parts - centroids[:, c, None]) ** 2).sum(axis=2))
        chances = nearest * weights
    return centroids


def _move(book: Array, part: Array, indices: Array, weights: Array, errors: Array) -> None:
    """Move the centroids of a subspace to the means of their subvectors, in place."""
    k = len(book)
    total = np.bincount(indices, weights, k)
    sums = np.stack([np.bincount(indices, weights * part[:, j], k) for j in range(part.shape[1])])
    used = total > 0
    book[used] = sums.T[used] / total[used, None]
    empty = np.flatnonzero(~used)
    if len(empty):
        worst = np.argsort(-errors, kind="stable")[:len(empty)]
        worst = worst[errors[worst] > 0]
        book[empty[:len(worst)]] = part[worst]
