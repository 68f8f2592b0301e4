"""Episodes for the ternary core: directed corners first, then random ones without end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pimlico.hdl.ternary.config import BLOCK, TernaryConfig

from ..episode import Episode
from .random_jobs import Ask, Jobs

_TOGETHER = 16
"""Random episodes whose jobs are made at once, for speed."""


def episodes(config: TernaryConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Directed corners, then random episodes without end."""
    jobs = Jobs(config, rng)
    yield from _directed(config, rng, jobs)
    while True:
        yield from _random(rng, jobs)


def _directed(config: TernaryConfig, rng: np.random.Generator, jobs: Jobs) -> Iterator[Episode]:
    unit = BLOCK if config.block_format else 1
    two_beats = unit if config.block_format else min(config.columns + 1, config.n_max)

    def some(count: int, most_beats: int = 6, codes: bool = False,
             misframed: bool = False) -> list[Ask]:
        return [Ask(n, m, 0, codes, misframed) for n, m in jobs.sizes([most_beats] * count)]

    yield Episode("full rate", jobs.jobs(some(4)))
    yield Episode("single-beat jobs", jobs.jobs([
        Ask(unit if config.block_format else int(
            rng.integers(1, min(config.columns, config.n_max) + 1)),
            int(rng.integers(1, min(config.keys, config.m_max) + 1))) for _ in range(12)]))
    yield Episode("output stalled", jobs.jobs(some(3)), ready={"o": 0.15})
    yield Episode("inputs starved", jobs.jobs(some(3)),
                  valid={"a": 0.3, "w": 0.4, "cfg": 0.2, "addend": 0.3})
    for extreme in (1, -1):
        yield Episode(f"extremes {extreme:+d}", jobs.jobs([
            Ask(config.n_max, 1, extreme), Ask(two_beats, 1, extreme)]))
    tall = min(config.m_max, 400 * config.keys // max(1, config.tile_beats(unit)))
    yield Episode("most rows", jobs.job(unit, tall))
    yield Episode("refused jobs", jobs.jobs([*some(1), *jobs.refused(), *some(1)]),
                  wires={"status_clear": [0, 0, 0, 1, 0]}, valid={"cfg": 0.5})
    for cfg in jobs.powers():
        yield Episode("a size of one bit", jobs.lone(cfg), cycles=4)
    yield Episode("codes for no weight", jobs.jobs(some(3, codes=True)),
                  wires={"status_clear": [0] * 6 + [1]})
    yield Episode("misframed activations", jobs.jobs(some(3, misframed=True)),
                  wires={"status_clear": [0] * 4 + [1]})
    for _ in range(4):
        yield Episode("reset in a job", jobs.jobs(some(3, 9)), cycles=int(rng.integers(2, 40)))


def _random(rng: np.random.Generator, jobs: Jobs) -> Iterator[Episode]:
    """Some random episodes."""
    groups = []
    for most, count in zip(rng.choice([2, 8, 40], _TOGETHER).tolist(),
                           rng.integers(2, 8, _TOGETHER).tolist(), strict=True):
        group = []
        for size, (refused, codes, misframed) in zip(
                jobs.sizes([most] * count), (rng.random((count, 3)) < 0.1).tolist(), strict=True):
            if refused:
                sizes = jobs.refused()
                group.append(sizes[int(rng.integers(len(sizes)))])
            group.append(Ask(*size, 0, codes, misframed))
        groups.append(group)
    names = ("cfg", "a", "w", "addend", "o")
    rates = rng.choice([1.0, 1.0, 0.8, 0.5, 0.2], (_TOGETHER, len(names))).tolist()
    clears = rng.random((_TOGETHER, 64)) < rng.choice([0.0, 0.05, 0.3], (_TOGETHER, 1))
    for beats, chances, clear in zip(jobs.groups(groups), rates, clears.astype(int).tolist(),
                                     strict=True):
        valid = dict(zip(names, chances, strict=True))
        yield Episode("random jobs", beats, ready={"o": valid.pop("o")}, valid=valid,
                      wires={"status_clear": clear},
                      cycles=int(rng.integers(5, 200)) if rng.random() < 0.15 else None)
