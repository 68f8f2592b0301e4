"""Passes for the KV history buffer: directed corners first, then random ones without end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.kv.config import KvConfig

from ..bits import pack
from ..episode import Episode
from .golden import History, Layer

Beats = dict[str, list[int]]


class Script:
    """The beats of passes, starts and resets, in order.

    Every start but those of `busy` waits for the done of the pass before it, as a user's would.

    Parameters
    ----------
    config : KvConfig
    """

    def __init__(self, config: KvConfig):
        self.config = config
        self.beats: Beats = {port.name: [] for port in config.ports
                             if isinstance(port, Stream) and port.direction == "in"}
        self.after: dict[str, list[Mapping[str, int]]] = {"start": [], "reset": []}
        self._passes = 0

    def run(self, job: Layer) -> None:
        """A layer, with its mask and its rows."""
        self.start(job.sequence, job.layer, len(job.executed), job.append is not None)
        self._passes += 1
        self.beats["mask"] += [int(bit) for bit in job.executed]
        self.beats["fresh"] += burst(self.config, job.fresh)
        if job.append is not None:
            words = self._words(np.asarray(job.appended).reshape(self.config.beats, -1))
            streamed = job.append or len(job.executed) >= self.config.tokens
            flag = job.append << self.config.beat_bits
            self.beats["append"] += [word | flag for word in words[:None if streamed else 1]]

    def start(self, sequence: int, layer: int, n_tokens: int, append: bool = False) -> None:
        """A start alone: one that is refused."""
        self._start(sequence, layer, n_tokens, append, self._passes)

    def busy(self, sequence: int, layer: int, n_tokens: int) -> None:
        """A start while the last pass runs; to be refused also if it has ended by then."""
        self._start(sequence, layer, n_tokens, False, self._passes - 1)

    def reset(self, sequence: int, while_running: bool = False) -> None:
        """A reset after the pass before it, or while that runs."""
        self.beats["reset"].append(sequence)
        self.after["reset"].append({"start": len(self.beats["start"]),
                                    "done": self._passes - while_running})

    def _start(self, sequence: int, layer: int, n_tokens: int, append: bool, done: int) -> None:
        values = {"sequence": sequence, "layer": layer, "n_tokens": n_tokens,
                  "append": int(append)}
        port: Stream = self.config.port("start")
        self.beats["start"].append(port.pack(values))
        self.after["start"].append({"done": done, "reset": len(self.beats["reset"])})

    def _words(self, beats: Any) -> list[int]:
        return pack(beats, self.config.elem_width)

    def episode(self, name: str, **options: Any) -> Episode:
        return Episode(name, self.beats, after=self.after, **options)


def burst(config: KvConfig, beats: np.ndarray) -> list[int]:
    """Payloads of fresh for a burst of beats, the last one flagged."""
    words = pack(beats, config.elem_width) if len(beats) else []
    return [*words[:-1], *(word | 1 << config.beat_bits for word in words[-1:])]


class Passes:
    """Makes layers of a configuration from a random generator, and knows which are legal."""

    def __init__(self, config: KvConfig, rng: np.random.Generator):
        self.config, self.rng = config, rng
        self.script = Script(config)
        self._history = History(config)

    def rows(self, most: int = 6) -> int:
        """A random number of tokens, now and then the most that there may be."""
        config = self.config
        if config.overflow == "dense_tail":
            return int(self.rng.integers(0, min(config.tokens, most) + 4))
        if config.tokens <= most and self.rng.random() < 0.3:
            return config.tokens
        return int(self.rng.integers(0, min(config.tokens, most) + 1))

    def layer(self, sequence: int, layer: int, n_tokens: int, keep: float = 0.6,
              append: bool | None = None, off: int = 0, extreme: bool = False) -> None:
        """A layer of random rows, `keep` of them executed; a burst `off` beats too long.

        `extreme` makes every row of the most negative and the most positive element.
        """
        config, rng = self.config, self.rng
        executed = rng.random(n_tokens) < keep
        streamed = executed | (np.arange(n_tokens) >= config.tokens)
        count = int(streamed.sum()) * config.beats
        count = max(1, count + off) if count else 0
        job = Layer(sequence, layer, executed, self._elements((count, config.beat_elems), extreme),
                    self._elements(config.row_elems, extreme) if append is not None else None,
                    append)
        if not self._history.refusal(sequence, layer, n_tokens, append is not None):
            self._history.run(job)
            self.script.run(job)
        else:
            self.script.start(sequence, layer, n_tokens, append is not None)

    def reset(self, sequence: int) -> None:
        self._history.reset(sequence)
        self.script.reset(sequence)

    def _elements(self, shape: Any, extreme: bool) -> np.ndarray:
        half = 1 << self.config.elem_width - 1
        if extreme:
            return np.where(self.rng.random(shape) < 0.5, -half, half - 1)
        if self.rng.random() < 0.2:
            return np.full(shape, self.rng.integers(-half, half))
        width = int(self.rng.integers(1, self.config.elem_width + 1))
        return self.rng.integers(-half, half, shape) >> self.config.elem_width - width


def episodes(config: KvConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The stimulus of ``kv-history``."""
    yield from _directed(config, rng)
    while True:
        yield _random(config, rng)


def _directed(config: KvConfig, rng: np.random.Generator) -> Iterator[Episode]:
    few = min(config.tokens, 5)
    last = config.sequences - 1
    appends = [True, False, True] if config.append and few > 1 else [None] * 3

    made = Passes(config, rng)
    for layer, keep in enumerate((1.0, 0.5, 0.0)):
        made.layer(last, layer, few - (appends[layer] is not None), keep, appends[layer])
    yield made.script.episode("three layers")
    yield _everything(config, rng)

    made = Passes(config, rng)
    for layer, keep in enumerate((0.5, 0.5, 0.5)):
        made.layer(0, layer, few, keep, extreme=True)
    yield made.script.episode("holes at full rate")
    for ready in (0.5, 0.15):
        made = Passes(config, rng)
        for layer, keep in enumerate((0.7, 0.4, 0.1, 0.6)):
            made.layer(0, layer, few, keep)
        yield made.script.episode("stalls", ready={"kv": ready, "done": ready},
                                  valid={"mask": 0.7, "fresh": 0.6, "append": 0.6})
    yield _refusals(config, rng)
    yield _bursts(config, rng)
    for _ in range(3):
        made = Passes(config, rng)
        made.layer(0, 0, few, 0.8)
        made.layer(0, 1, few, 0.5)
        yield made.script.episode("reset in a pass", cycles=int(rng.integers(3, 30)))


def _everything(config: KvConfig, rng: np.random.Generator) -> Episode:
    """Every row of the last sequence, where that does not take long: written, then read."""
    made = Passes(config, rng)
    rows = min(config.tokens, max(5, 1500 // config.beats))
    for layer, keep in enumerate((1.0, 0.0)):
        made.layer(config.sequences - 1, layer, rows, keep)
    if config.overflow == "dense_tail":
        made.layer(config.sequences - 1, 2, rows + 5, 0.3)
        made.layer(config.sequences - 1, 3, rows + 5, 0.0)
    return made.script.episode("every row")


def _refusals(config: KvConfig, rng: np.random.Generator) -> Episode:
    made = Passes(config, rng)
    few = min(config.tokens, 3)
    made.layer(0, 1, few)
    made.layer(0, 0, few, 0.7)
    made.script.busy(0, 9, few)
    made.script.reset(0, while_running=True)
    made.layer(0, 2, few)
    made.layer(0, 1, 0)
    made.layer(config.sequences, 0, few)
    if config.overflow == "reject":
        made.layer(0, 1, config.tokens + 1)
        made.layer(0, 1, (1 << config.token_bits) - 1)
        if config.append:
            made.layer(0, 1, config.tokens, append=False)
    made.layer(0, 1, few, 0.5)
    made.reset(0)
    made.reset(config.sequences)
    made.layer(0, 2, few)
    made.layer(0, 0, few, 0.5)
    return made.script.episode("refusals", wires={"status_clear": [0] * 11 + [1]})


def _bursts(config: KvConfig, rng: np.random.Generator) -> Episode:
    """Bursts too short and too long, by a beat and by rows."""
    made = Passes(config, rng)
    few = min(config.tokens, 4)
    for layer, off in enumerate((0, -1, -config.beats - 1, 1, 2 * config.beats, 0, 0)):
        made.layer(0, layer, few, 0.8, off=off)
    return made.script.episode("short and long bursts", wires={"status_clear": [0] * 9 + [1]})


def _random(config: KvConfig, rng: np.random.Generator) -> Episode:
    made = Passes(config, rng)
    next_layer = dict.fromkeys(range(config.sequences), 0)
    most = int(rng.choice([3, 6, 12]))
    sequences = rng.integers(0, config.sequences, 3)
    rows = made.rows(most)
    for _ in range(int(rng.integers(2, 9))):
        sequence = int(rng.choice(sequences))
        kind = rng.random()
        if kind < 0.05:
            made.reset(int(rng.integers(0, 1 << config.sequence_bits)))
        elif kind < 0.1:
            made.layer(int(rng.integers(0, 1 << config.sequence_bits)), int(rng.integers(0, 4)),
                       made.rows(most))
        else:
            rows = made.rows(most) if rng.random() < 0.3 else rows
            layer = 0 if rng.random() < 0.15 else next_layer[sequence]
            append = None if not config.append or rng.random() < 0.4 else bool(rng.integers(2))
            off = int(rng.integers(-2 * config.beats, 2 * config.beats + 1)) \
                if rng.random() < 0.1 else 0
            made.layer(sequence, layer, rows, float(rng.choice([1.0, 0.9, 0.6, 0.2])), append, off)
            next_layer[sequence] = layer + 1
    return made.script.episode(
        "random passes", valid=_rates(rng, made.script.beats), ready=_rates(rng, ("kv", "done")),
        wires={"status_clear": (rng.random(64) < rng.choice([0.0, 0.1])).astype(int).tolist()},
        cycles=int(rng.integers(5, 200)) if rng.random() < 0.15 else None)


def _rates(rng: np.random.Generator, streams: Iterable[str]) -> dict[str, float]:
    return {name: float(rng.choice([1.0, 1.0, 0.8, 0.5, 0.2])) for name in streams}
