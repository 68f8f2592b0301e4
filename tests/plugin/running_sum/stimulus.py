"""Packets for the running sum."""

from collections.abc import Iterator

import numpy as np

from pimlico.verif.episode import Episode

from .config import RunningSumConfig


def episodes(config: RunningSumConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Full rate, a reset in the middle, then random stalls without end."""
    yield Episode("full rate", {"i": _beats(config, rng, 50)})
    yield Episode("reset in a packet", {"i": _beats(config, rng, 50)}, cycles=20)
    while True:
        yield Episode("random", {"i": _beats(config, rng, int(rng.integers(1, 200)))},
                      valid={"i": rng.uniform(0.2, 1)}, ready={"o": rng.uniform(0.2, 1)},
                      wires={"negate": rng.integers(0, 2, 64).tolist()})


def _beats(config: RunningSumConfig, rng: np.random.Generator, count: int) -> list[int]:
    return rng.integers(0, 2 << config.width, count).tolist()
