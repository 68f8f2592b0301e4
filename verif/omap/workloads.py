"""Workloads of the OMAP controller that have little in common but the trace they must leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from pimlico.hdl.omap.config import DEL, GET, NOP, PUT, OmapConfig


class Workload(NamedTuple):
    """Commands, one after the other.

    Attributes
    ----------
    op : np.ndarray
        Shape (n,), uint8.
    key, value : np.ndarray
        Shape (n,), uint64; `value` is 0 but for a put.
    """

    op: np.ndarray
    key: np.ndarray
    value: np.ndarray


class _Keys(NamedTuple):
    """Keys that a workload puts in the map, as many as fit, and others that it does not."""

    inside: np.ndarray
    outside: np.ndarray


Steps = Iterator[tuple[int, int]]
"""Operation and key, without end."""

_KEY_BITS = 60


def generate(name: str, config: OmapConfig, n: int, rng: np.random.Generator) -> Workload:
    """The first `n` commands of a workload, on random keys.

    All of them but ``misses`` and ``put`` fill the map first, with `n` // 2 puts at most.

    Parameters
    ----------
    name : str
        One of `WORKLOADS`.
    config : OmapConfig
    n : int
        Commands, those that fill the map among them.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        If there is no such workload.
    """
    if name not in WORKLOADS:
        raise ValueError(f"workload must be one of {', '.join(WORKLOADS)}, not {name}")
    make, fills = WORKLOADS[name]
    keys = _keys(config, rng)
    ops = np.empty(n, np.uint8)
    key = np.empty(n, np.uint64)
    first = min(len(keys.inside), n // 2) if fills else 0
    ops[:first], key[:first] = PUT, keys.inside[:first]
    steps = islice(make(keys, rng), n - first)
    for at, (op, which) in enumerate(steps, first):
        ops[at], key[at] = op, which
    bits = min(config.value_width, _KEY_BITS)
    value = rng.integers(0, 1 << bits, n, dtype=np.uint64)
    return Workload(ops, key, np.where(ops == PUT, value, np.uint64(0)))


def _keys(config: OmapConfig, rng: np.random.Generator) -> _Keys:
    space = 1 << min(config.key_width, _KEY_BITS)
    drawn = rng.choice(space, min(2 * config.capacity, space), replace=False)
    inside = min(config.capacity, len(drawn) - 1)
    return _Keys(drawn[:inside], drawn[inside:])


def _random(keys: np.ndarray, rng: np.random.Generator, weights: np.ndarray | None = None
            ) -> Iterator[int]:
    """Keys drawn at random, a block at a time."""
    while True:
        yield from rng.choice(keys, 4096, p=weights).tolist()


def repeat(keys: _Keys, rng: np.random.Generator) -> Steps:
    """Get one key again and again."""
    key = int(rng.choice(keys.inside))
    while True:
        yield GET, key


def scan(keys: _Keys, rng: np.random.Generator) -> Steps:
    """Get all keys in turn, again and again."""
    while True:
        for key in keys.inside.tolist():
            yield GET, key


def misses(keys: _Keys, rng: np.random.Generator) -> Steps:
    """Get and delete keys that are not there."""
    for turn, key in enumerate(_random(keys.outside, rng)):
        yield DEL if turn % 4 == 3 else GET, key


def put(keys: _Keys, rng: np.random.Generator) -> Steps:
    """Put random keys: new ones at first, then mostly those that are there."""
    for key in _random(keys.inside, rng):
        yield PUT, key


def churn(keys: _Keys, rng: np.random.Generator) -> Steps:
    """Delete a key and put it back, all keys in turn, then put and delete others."""
    while True:
        for key in keys.inside.tolist():
            yield DEL, key
            yield PUT, key


def full(keys: _Keys, rng: np.random.Generator) -> Steps:
    """Put new keys into a full map, and get keys that are there."""
    there = _random(keys.inside, rng)
    for key in _random(keys.outside, rng):
        yield PUT, key
        yield GET, next(there)


def spill(keys: _Keys, rng: np.random.Generator) -> Steps:
    """Move the keys of a full map at random, so that pages have more items than slots."""
    for turn, key in enumerate(_random(keys.inside, rng)):
        yield PUT if turn % 2 else GET, key


def mix(keys: _Keys, rng: np.random.Generator) -> Steps:
    """All operations on keys of very uneven frequency, there or not."""
    every = np.concatenate([keys.inside, keys.outside])
    weights = 1 / np.arange(1, len(every) + 1)
    ops = _random(np.array([NOP, GET, GET, GET, PUT, PUT, DEL]), rng)
    drawn = _random(rng.permutation(every), rng, weights / weights.sum())
    yield from zip(ops, drawn, strict=True)


WORKLOADS: dict[str, tuple[Callable[[_Keys, np.random.Generator], Steps], bool]] = {
    "repeat": (repeat, True), "scan": (scan, True), "misses": (misses, False),
    "put": (put, False), "put and del": (churn, True), "full": (full, True),
    "spill": (spill, True), "mix": (mix, False)}
"""Each workload, and whether it fills the map first."""
