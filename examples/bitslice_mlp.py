"""A small int8 network that guesses the next symbol of a made-up language.

The language is a Markov chain of the second order over `SYMBOLS` symbols; the network sees the
vectors of the last three. It is trained in NumPy from a seed, then its weights become int8, a
scale for each layer, and all that is left is integer arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.verif.bitslice.golden import split

Array = npt.NDArray[Any]

SYMBOLS = 16
CONTEXT = 3
VECTOR = 16
HIDDEN = 48

BATCH = 256
DECAY = 1e-3


@dataclass(frozen=True)
class Network:
    """Two layers of int8 weights, and what their inputs are.

    Attributes
    ----------
    vectors : int8 array of shape (SYMBOLS, VECTOR)
    first, second : int8 arrays of shapes (CONTEXT * VECTOR, HIDDEN) and (HIDDEN, SYMBOLS)
    scale : float
        Of the first layer's sums, to make them int8 again.
    """

    vectors: Array
    first: Array
    second: Array
    scale: float

    def inputs(self, contexts: Array) -> Array:
        """Activations of the first layer."""
        return self.vectors[contexts].reshape(len(contexts), -1).astype(np.int64)

    def hidden(self, sums: Array) -> Array:
        """Activations of the second layer: the first's sums without negative ones, as int8."""
        return np.clip(np.rint(sums * self.scale), 0, 127).astype(np.int64)

    def logits(self, contexts: Array, first: Array, second: Array) -> Array:
        """Sums of the second layer, with other weights than the network's own."""
        return self.hidden(self.inputs(contexts) @ first) @ second


def drafted(w: Array) -> Array:
    """What a draft multiplies by: the upper halves, rounded."""
    return 16 * split(w.astype(np.int64))[0]


def truncated(w: Array) -> Array:
    """Upper halves without the bit below them, to compare with."""
    return w.astype(np.int64) >> 4 << 4


def language(rng: np.random.Generator, length: int) -> Array:
    """Symbols in a row; each pair of symbols has a few that mostly follow."""
    following = rng.dirichlet(np.full(SYMBOLS, 0.05), (SYMBOLS, SYMBOLS)).cumsum(axis=-1)
    symbols = [0, 1]
    for draw in rng.random(length - 2):
        symbols.append(min(int(np.searchsorted(following[symbols[-2], symbols[-1]], draw)),
                           SYMBOLS - 1))
    return np.array(symbols)


def windows(symbols: Array) -> tuple[Array, Array]:
    """Contexts and the symbols that follow them."""
    seen = np.lib.stride_tricks.sliding_window_view(symbols, CONTEXT + 1)
    return seen[:, :-1], seen[:, -1]


def train(rng: np.random.Generator, contexts: Array, targets: Array, rounds: int = 1500) -> Network:
    """Train by Adam, then quantize; weights beyond 2.5 standard deviations are clipped.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the symbols' vectors and the weights to begin with.
    contexts : int array of shape (count, CONTEXT)
    targets : int array of shape (count,)
    rounds : int
        Steps of training.
    """
    vectors = rng.integers(-127, 128, (SYMBOLS, VECTOR))
    inputs = (vectors[contexts] / 127).reshape(len(contexts), -1)
    expected = np.eye(SYMBOLS)[targets]
    weights = [rng.normal(0, (2 / CONTEXT / VECTOR) ** 0.5, (CONTEXT * VECTOR, HIDDEN)),
               rng.normal(0, (2 / HIDDEN) ** 0.5, (HIDDEN, SYMBOLS))]
    mean = [np.zeros_like(w) for w in weights]
    square = [np.zeros_like(w) for w in weights]
    for number in range(1, rounds + 1):
        batch = rng.integers(0, len(inputs), BATCH)
        x, right = inputs[batch], expected[batch]
        hidden = np.maximum(x @ weights[0], 0)
        logits = hidden @ weights[1]
        chance = np.exp(logits - logits.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        error = (chance - right) / len(x)
        slopes = [x.T @ (error @ weights[1].T * (hidden > 0)), hidden.T @ error]
        for at, slope in enumerate(slopes):
            mean[at] = 0.9 * mean[at] + 0.1 * slope
            square[at] = 0.99 * square[at] + 0.01 * slope ** 2
            step = mean[at] / (1 - 0.9 ** number)
            weights[at] *= 1 - DECAY
            weights[at] -= 0.01 * step / (np.sqrt(square[at] / (1 - 0.99 ** number)) + 1e-8)
    first, second = (np.clip(np.rint(w * 127 / (2.5 * w.std())), -127, 127).astype(np.int8)
                     for w in weights)
    sums = vectors[contexts].reshape(len(contexts), -1) @ first.astype(np.int64)
    return Network(vectors.astype(np.int8), first, second,
                   127 / float(np.percentile(sums.max(axis=1), 99)))
