"""A small transformer in NumPy whose layers choose their tokens.

Weights are random. Each layer has a router, a linear score a token: the best `keep` of the
prompt's tokens execute the layer, attention and MLP, and the others pass through unchanged. While
decoding, the lowest score that executed in the prompt decides for the new token, if it turned any
away. The first layer executes every token, so that every token has a K/V row from then on.

A token that skips a layer has no K/V there. Attention then uses those of the last layer that the
token executed in this pass: what ``kv-history`` keeps on chip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FRACTION_BITS = 11
"""K and V are signed integers of 16 bits in units of ``2**-FRACTION_BITS``: -16 to below 16."""

_LIMIT = (1 << 15) - 1


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; the defaults give K/V rows of 64 elements."""

    layers: int = 8
    d_model: int = 64
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 16
    d_ff: int = 128
    vocab: int = 256

    @property
    def row_elems(self) -> int:
        return 2 * self.kv_heads * self.head_dim


@dataclass(frozen=True)
class Visit:
    """One layer of one pass.

    Attributes
    ----------
    layer : int
        0 begins a pass.
    executed : bool array of shape (tokens,)
        By token, whether this layer executed it.
    rows : int64 array of shape (tokens, row_elems)
        The K/V that attention used: a token's own of this layer, or held ones.
    decode : bool
        Whether the last token is new and the others come from earlier passes; else all are new.
    """

    layer: int
    executed: Array
    rows: Array
    decode: bool

    @property
    def cached(self) -> int:
        """Tokens whose rows come from off chip: all but the new one."""
        return len(self.executed) - self.decode


@dataclass(frozen=True)
class Trace:
    """Every layer of every pass in order, and all tokens, those of the prompt first."""

    visits: list[Visit]
    tokens: list[int]


class Decoder:
    """The model.

    Parameters
    ----------
    shape : Shape
    rng : numpy.random.Generator
        Draws the weights.
    """

    def __init__(self, shape: Shape, rng: np.random.Generator):
        def weights(inputs: int, outputs: int) -> Array:
            return rng.normal(0, inputs ** -0.5, (inputs, outputs))

        self.shape = shape
        self._embedding = rng.normal(size=(shape.vocab, shape.d_model))
        self._unembedding = weights(shape.d_model, shape.vocab)
        wide = shape.heads * shape.head_dim
        self._layers = [_Weights(
            router=weights(shape.d_model, 1)[:, 0], q=weights(shape.d_model, wide),
            kv=weights(shape.d_model, shape.row_elems), o=weights(wide, shape.d_model),
            gate=weights(shape.d_model, shape.d_ff), up=weights(shape.d_model, shape.d_ff),
            down=weights(shape.d_ff, shape.d_model)) for _ in range(shape.layers)]

    def generate(self, prompt: list[int], steps: int, keep: float,
                 held: Callable[[Array], Array] = np.copy) -> Trace:
        """Run the prompt, then `steps` tokens more, each the likeliest after those before it.

        Parameters
        ----------
        prompt : list of int
            At least one token.
        steps : int
        keep : float
            Fraction of the prompt's tokens that execute a layer, but the first.
        held : callable
            What rows are when they come back from the buffer; the same, if it stores them exactly.
        """
        cache = _Cache(self.shape)
        trace = Trace([], list(prompt))
        new = trace.tokens
        for step in range(steps + 1):
            hidden = self._forward(np.array(new), keep, held, cache, trace.visits)
            if step < steps:
                new = [int(np.argmax(_norm(hidden[-1]) @ self._unembedding))]
                trace.tokens.extend(new)
        return trace

    def _forward(self, new: Array, keep: float, held: Callable[[Array], Array], cache: _Cache,
                 visits: list[Visit]) -> Array:
        """A pass through all layers for new tokens; the cache grows by them."""
        x = self._embedding[new]
        past = len(cache.executed[0])
        decode = past > 0
        history = np.zeros((past + len(new), self.shape.row_elems), np.int64)
        for layer, weights in enumerate(self._layers):
            normed = _norm(x)
            scores = normed @ weights.router
            if not decode:
                count = max(1, round(keep * len(new))) if layer else len(new)
                if count < len(new):
                    cache.thresholds[layer] = np.sort(scores)[-count]
            chosen = scores >= cache.thresholds[layer]
            places = past + np.flatnonzero(chosen)
            cache.add(layer, chosen, self._kv(weights, normed[chosen], places))
            executed = cache.executed[layer]
            seen = history.copy()
            seen[executed] = cache.rows[layer]
            history[executed] = held(cache.rows[layer])
            visits.append(Visit(layer, executed, seen, decode))
            y = x[chosen] + self._attend(weights, normed[chosen], places, seen)
            z = _norm(y)
            x[chosen] = y + (_silu(z @ weights.gate) * (z @ weights.up)) @ weights.down
        return x

    def _kv(self, weights: _Weights, normed: Array, places: Array) -> Array:
        """K/V rows in fixed point: all of K, then all of V."""
        shape = self.shape
        kv = (normed @ weights.kv).reshape(-1, 2, shape.kv_heads, shape.head_dim)
        kv[:, 0] = _rotate(kv[:, 0], places)
        rows = kv.reshape(-1, shape.row_elems)
        return np.clip(np.rint(rows * 2 ** FRACTION_BITS), -_LIMIT - 1, _LIMIT).astype(np.int64)

    def _attend(self, weights: _Weights, normed: Array, places: Array, rows: Array) -> Array:
        """Causal attention of the tokens at `places` over all rows."""
        shape = self.shape
        q = _rotate((normed @ weights.q).reshape(-1, shape.heads, shape.head_dim), places)
        kv = (rows / 2 ** FRACTION_BITS).reshape(-1, 2, shape.kv_heads, shape.head_dim)
        k, v = np.repeat(kv, shape.heads // shape.kv_heads, 2).swapaxes(0, 1)
        scores = np.einsum("qhd,khd->hqk", q, k) * shape.head_dim ** -0.5
        scores[:, np.arange(len(rows)) > places[:, None]] = -np.inf
        likely = np.exp(scores - scores.max(-1, keepdims=True))
        likely /= likely.sum(-1, keepdims=True)
        return np.einsum("hqk,khd->qhd", likely, v).reshape(-1, len(weights.o)) @ weights.o


@dataclass(frozen=True)
class _Weights:
    router: Array
    q: Array
    kv: Array
    o: Array
    gate: Array
    up: Array
    down: Array


class _Cache:
    """What is off chip, by layer: the mask of all tokens, and the rows of those executed."""

    def __init__(self, shape: Shape):
        self.executed = [np.zeros(0, bool)] * shape.layers
        self.rows = [np.zeros((0, shape.row_elems), np.int64)] * shape.layers
        self.thresholds = [-np.inf] * shape.layers

    def add(self, layer: int, executed: Array, rows: Array) -> None:
        self.executed[layer] = np.concatenate([self.executed[layer], executed])
        self.rows[layer] = np.concatenate([self.rows[layer], rows])


def _norm(x: Array) -> Array:
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6)


def _silu(x: Array) -> Array:
    return x / (1 + np.exp(-x))


def _rotate(x: Array, places: Array) -> Array:
    """Rotary position embedding of heads of shape (tokens, heads, head_dim)."""
    half = x.shape[-1] // 2
    angles = places[:, None, None] * 10000.0 ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angles) - b * np.sin(angles),
                           a * np.sin(angles) + b * np.cos(angles)], -1)
