"""The rows of `recording` from a compiled cycle model and drive: the same, many times faster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from pimlico.hdl.common.ports import Port, Stream

from .compiled_drive import STUCK
from .drive import RESET_CYCLES
from .episode import Episode
from .episode_arrays import Arrays, Bench, streams_of, wires_of
from .lockstep import LockstepError
from .mismatch import Cycle, describe_stall
from .model import CycleModel
from .recording import Chunk
from .rows import Array, Cycles, Episodes, octets, places
from .run import Outcome, Pin, Traffic

CHUNK = 16384
"""Cycles of a chunk but the last."""

_HISTORY = 8
_AHEAD = 16
"""Episodes that are planned at once, for speed."""


class Rows(NamedTuple):
    """Rows of a `Chunk`, to be written."""

    inputs: Array
    expected: Array
    compared: Array


class Span(NamedTuple):
    """Which rows to write at most, the number of the first one's cycle, and the cycles without a
    beat after which a block is taken to be stuck, or 0 in an episode that may be."""

    begin: int
    end: int
    cycle: int
    patience: int


class CompiledModel(ABC):
    """A cycle model that runs many cycles in machine code.

    Of blocks whose wires neither are guarded nor answer.

    Parameters
    ----------
    config
        The block's configuration.
    arrays : Arrays
        Of its pins.
    """

    def __init__(self, config: Any, arrays: Arrays):
        self.config, self.arrays = config, arrays

    @abstractmethod
    def reset(self) -> Any:
        """The state after reset."""

    @abstractmethod
    def idle(self, state: Any) -> bool:
        """As of `CycleModel`."""

    @abstractmethod
    def plan(self, episodes: Sequence[Episode]) -> list[Any]:
        """What `run` needs of each episode's beats."""

    @abstractmethod
    def run(self, bench: Bench, rng: np.random.Generator, plan: Any, state: Any, rows: Rows,
            span: Span) -> tuple[Any, int, int]:
        """Run some cycles, and write their rows.

        `rng` gives the stalls.

        Returns
        -------
        state
        end : int
            The first row that was not written.
        ended : int
            `ON`, `DONE` or `STUCK`.
        """


class CompiledRecording:
    """A run of the bench that takes every output to be the expected one.

    Parameters
    ----------
    ports : sequence of Port
    pins : sequence of Pin
    model : CycleModel
    compiled : type
        The `CompiledModel` subclass that does the same.
    seed, cycles : int
        As of `Lockstep`.
    """

    _used: int
    _rows: Rows

    def __init__(self, ports: Sequence[Port], pins: Sequence[Pin], model: CycleModel,
                 compiled: type[CompiledModel], *, seed: int, cycles: int):
        self.outcome = Outcome()
        self._ports, self._pins, self._limit = ports, pins, cycles
        self._rng = np.random.default_rng([seed, 1])
        self._arrays = Arrays(ports, pins)
        self._compiled = compiled(model.config, self._arrays)
        self._patience = model.patience
        self._streams = streams_of(ports)
        self._always = len(self._streams) + len(wires_of(ports, "out"))
        self._payloads = [(place.valid, 1 + port.has_last) for port, place in zip(
            self._streams, self._arrays.places, strict=True) if port.direction == "out"]
        reset = next(pin for pin in pins if pin.role == "rst")
        self._in_reset, self._out_of_reset = (0, 1) if reset.name.endswith("n") else (1, 0)
        self._rst = places(pins, "input")[0][None, "rst"]
        self._reset_row = self._outputs_of(model)
        self._open()

    def _outputs_of(self, model: CycleModel) -> Array:
        """The row of a block in reset."""
        inputs: dict[str, int] = {}
        for port in self._ports:
            if isinstance(port, Stream):
                if port.direction == "in":
                    inputs |= {f"{port.name}_valid": 0, f"{port.name}_payload": 0}
                else:
                    inputs[f"{port.name}_ready"] = 0
            elif port.direction == "in":
                inputs[port.name] = 0
        model.reset()
        outputs = model.outputs(inputs)
        where, length = places(self._pins, "output")
        row = np.zeros(length, np.uint8)
        for pin in self._pins:
            name = {"tvalid": f"{pin.stream}_valid", "tready": f"{pin.stream}_ready",
                    "wire": pin.stream or ""}.get(pin.role)
            if pin.direction == "output" and name:
                at, size = where[pin.stream, pin.role], octets(pin.width)
                row[at:at + size] = list(outputs[name].to_bytes(size, "little"))
        return row

    def chunks(self, episodes: Iterable[Episode]) -> Iterator[Chunk]:
        """The run, some cycles at a time.

        Raises
        ------
        LockstepError
            If the model stops moving.
        """
        for episode, bench, plan in self._planned(iter(episodes)):
            self.outcome.episodes += 1
            yield from self._play(episode, bench, plan)
            if self.outcome.cycles >= self._limit:
                break
        if self._used:
            yield self._close()

    def _planned(self, episodes: Iterator[Episode]) -> Iterator[tuple[Episode, Bench, Any]]:
        while ahead := list(islice(episodes, _AHEAD)):
            yield from zip(ahead, self._arrays.benches(ahead), self._compiled.plan(ahead),
                           strict=True)

    def _play(self, episode: Episode, bench: Bench, plan: Any) -> Iterator[Chunk]:
        outcome, model = self.outcome, self._compiled
        for age in range(RESET_CYCLES if outcome.episodes == 1
                         else int(self._rng.integers(RESET_CYCLES)) + 1):
            self._reset_cycle(episode.name, age > 0)
            if self._used == CHUNK:
                yield self._close()
        bench.inputs[self._rst] = self._out_of_reset
        first = outcome.cycles
        end = min(self._limit, first + episode.cycles if episode.cycles else self._limit)
        state = model.reset()
        patience = 0 if episode.cycles else self._patience
        ended = 0
        while outcome.cycles < end and not ended:
            self._episodes.append((self._used, episode.name, first))
            span = Span(self._used, min(CHUNK, self._used + end - outcome.cycles),
                        outcome.cycles, patience)
            state, used, ended = model.run(bench, self._rng, plan, state, self._rows, span)
            self._count(self._used, used)
            self._used = used
            if ended == STUCK:
                raise LockstepError(describe_stall(
                    self._ports, self._history(), episode.name, model.idle(state)))
            if used == CHUNK:
                yield self._close()

    def _reset_cycle(self, name: str, compared: bool) -> None:
        self._episodes.append((self._used, name, self.outcome.cycles))
        self._rows.inputs[self._used, self._rst] = self._in_reset
        if compared:
            self._rows.expected[self._used] = self._reset_row
            self._rows.compared[self._used] = 1
        self.outcome.comparisons += self._always * compared
        self.outcome.cycles += 1
        self._used += 1

    def _count(self, start: int, end: int) -> None:
        expected = self._rows.expected[start:end]
        self.outcome.cycles += end - start
        self.outcome.comparisons += self._always * (end - start) + sum(
            pins * int(np.count_nonzero(expected[:, valid])) for valid, pins in self._payloads)
        for port, carried in zip(self._streams, self._arrays.carried.tolist(), strict=True):
            self.outcome.traffic[port.name] = Traffic(*carried)

    def _open(self) -> None:
        self._used = 0
        self._number = self.outcome.cycles
        self._episodes: list[tuple[int, str, int]] = []
        self._rows = Rows(np.zeros((CHUNK, self._arrays.input_octets), np.uint8),
                          np.zeros((CHUNK, len(self._reset_row)), np.uint8),
                          np.zeros(CHUNK, np.uint8))

    def _close(self) -> Chunk:
        used, rows = self._used, self._rows
        chunk = Chunk(rows.inputs[:used], rows.expected[:used], rows.compared[:used],
                      self._cycles(), Episodes(self._episodes, used))
        self._open()
        return chunk

    def _cycles(self) -> Cycles:
        used, rows = self._used, self._rows
        return Cycles(self._ports, self._pins, rows.inputs[:used], rows.expected[:used],
                      rows.compared[:used], self._number)

    def _history(self) -> list[Cycle]:
        return list(self._cycles()[max(0, self._used - _HISTORY):])
