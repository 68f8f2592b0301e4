"""Episodes for the ternary core: directed corners first, then random ones without end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from pimlico.hdl.ternary.config import BLOCK, TernaryConfig

from ..episode import Episode
from ..words import Words
from .random_jobs import Ask, Beats, Jobs

_TOGETHER = 16
"""Random episodes whose jobs are made at once, for speed."""

_RATES = (1.0, 1.0, 0.8, 0.5, 0.2)


def episodes(config: TernaryConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Directed corners, then random episodes without end."""
    jobs = Jobs(config, rng)
    yield from _directed(config, rng, jobs)
    while True:
        yield from _random(rng, jobs)


def _directed(config: TernaryConfig, rng: np.random.Generator, jobs: Jobs) -> Iterator[Episode]:
    unit = BLOCK if config.block_format else 1
    two_beats = unit if config.block_format else min(config.columns + 1, config.n_max)
    yield Episode("full rate", _join([jobs.job(*jobs.size()) for _ in range(4)]))
    yield Episode("single-beat jobs", _join([
        jobs.job(unit if config.block_format else int(
            rng.integers(1, min(config.columns, config.n_max) + 1)),
                 int(rng.integers(1, min(config.keys, config.m_max) + 1))) for _ in range(12)]))
    yield Episode("output stalled", _join([jobs.job(*jobs.size()) for _ in range(3)]),
                  ready={"o": 0.15})
    yield Episode("inputs starved", _join([jobs.job(*jobs.size()) for _ in range(3)]),
                  valid={"a": 0.3, "w": 0.4, "cfg": 0.2, "addend": 0.3})
    for extreme in (1, -1):
        yield Episode(f"extremes {extreme:+d}", _join([
            jobs.job(config.n_max, 1, extreme), jobs.job(two_beats, 1, extreme)]))
    tall = min(config.m_max, 400 * config.keys // max(1, config.tile_beats(unit)))
    yield Episode("most rows", jobs.job(unit, tall))
    yield Episode("refused jobs", _join([
        jobs.job(*jobs.size()),
        *map(jobs.lone, jobs.refused()),
        jobs.job(*jobs.size())]), wires={"status_clear": [0, 0, 0, 1, 0]}, valid={"cfg": 0.5})
    for cfg in jobs.powers():
        yield Episode("a size of one bit", jobs.lone(cfg), cycles=4)
    yield Episode("codes for no weight", _join(
        [jobs.job(*jobs.size(), codes=True) for _ in range(3)]),
        wires={"status_clear": [0] * 6 + [1]})
    yield Episode("misframed activations", _join(
        [jobs.job(*jobs.size(), misframed=True) for _ in range(3)]),
        wires={"status_clear": [0] * 4 + [1]})
    for _ in range(4):
        yield Episode("reset in a job", _join([jobs.job(*jobs.size(9)) for _ in range(3)]),
                      cycles=int(rng.integers(2, 40)))


def _random(rng: np.random.Generator, jobs: Jobs) -> Iterator[Episode]:
    """Some random episodes."""
    counts = rng.integers(2, 8, _TOGETHER)
    most = rng.choice([2, 8, 40], _TOGETHER).repeat(counts)
    offences = (rng.random((len(most), 2)) < 0.1).tolist()
    made = iter(jobs.jobs([
        Ask(*size, codes=codes, misframed=misframed) for size, (codes, misframed)
        in zip(jobs.sizes(most.tolist()), offences, strict=True)]))
    for count in counts.tolist():
        yield _random_episode(rng, jobs, list(islice(made, count)))


def _random_episode(rng: np.random.Generator, jobs: Jobs, batch: list[Beats]) -> Episode:
    refused = [jobs.lone(jobs.one_refused()) if rng.random() < 0.1 else {} for _ in batch]
    names = ("cfg", "a", "w", "addend", "o")
    rates = {name: _RATES[number] for name, number in zip(
        names, rng.integers(len(_RATES), size=len(names)).tolist(), strict=True)}
    clears = rng.random(64) < (0.0, 0.05, 0.3)[int(rng.integers(3))]
    return Episode(
        "random jobs", _join([beats for pair in zip(refused, batch, strict=True)
                              for beats in pair]),
        ready={"o": rates.pop("o")}, valid=rates,
        wires={"status_clear": clears.astype(int).tolist()},
        cycles=int(rng.integers(5, 200)) if rng.random() < 0.15 else None)


def _join(jobs: list[Beats]) -> Beats:
    parts: dict[str, list[Words]] = {}
    for job in jobs:
        for name, words in job.items():
            parts.setdefault(name, []).append(words)
    return {name: Words.joined(of) for name, of in parts.items()}
