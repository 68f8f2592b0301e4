"""What the bench drives: episodes of beats, each begun by a reset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Episode:
    """One stretch of stimulus.

    The bench resets the block, offers the beats of every source in order, holding each until
    it is taken, and ends when all are taken and the model is idle, or after `cycles`.

    Parameters
    ----------
    name : str
        What the episode shows; printed with a mismatch.
    beats : mapping of str to sequence of int
        Packed payloads by input stream.
    valid : mapping of str to float
        Probability, each cycle, that a source with no beat on offer offers its next; 1 where
        absent.
    ready : mapping of str to float
        Probability, each cycle, that a sink is ready; 1 where absent.
    after : mapping of str to list of mapping of str to int
        For each beat of a source, how many beats of which other streams must have been taken
        before it is offered: ``{"start": [{}, {"done": 1}]}`` holds the second start back until
        the first done is taken. Nothing is held back where absent.
    delay : mapping of str to list of int
        For each beat of a source, cycles that it is held back after it might have been offered:
        the latency of what answers. 0 where absent.
    wires : mapping of str to list of int
        Values of plain inputs, a cycle each, repeated from the start when used up; 0 where absent.
    cycles : int, optional
        Cut the episode after so many cycles: with the reset that begins the next episode this
        makes a reset in the middle of a job. Without it a block that stops moving before
        everything has come out fails the run.
    """

    name: str
    beats: Mapping[str, Sequence[int]]
    valid: Mapping[str, float] = field(default_factory=dict)
    ready: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, Sequence[Mapping[str, int]]] = field(default_factory=dict)
    delay: Mapping[str, Sequence[int]] = field(default_factory=dict)
    wires: Mapping[str, list[int]] = field(default_factory=dict)
    cycles: int | None = None


Stimulus = Callable[[Any, np.random.Generator], Iterator[Episode]]
"""``stimulus(config, rng)`` yields the directed episodes first, then random ones without end."""
