"""What the bench would put to a block and expect of it, as arrays: lockstep without a simulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.ports import Port, Stream

from .episode import Episode
from .lockstep import Lockstep
from .mismatch import Cycle
from .model import CycleModel
from .rows import octets
from .run import Pin

Octets = npt.NDArray[np.uint8]

CHUNK = 4096
"""Cycles of a `Chunk` but the last."""


def guard(port: Port, pin: Pin) -> str | None:
    """The output wire or valid that a pin's value goes with, by the model's name; None where the
    pin says something in every cycle."""
    if isinstance(port, Stream):
        return f"{port.name}_valid" if pin.role in ("tdata", "tlast") else None
    return port.when or None


@dataclass(frozen=True)
class Chunk:
    """Some cycles in a row.

    Attributes
    ----------
    inputs, expected : ndarray of uint8, shape (cycles, octets of all such pins)
        The pins' values side by side, in the order of the pins, without the clock. What a pin
        is expected to be where its `guard` is 0 is 0.
    compared : ndarray of uint8, shape (cycles,)
        Whether the outputs are compared in the cycle.
    cycles : sequence of Cycle
        Number, inputs and expected outputs of each cycle, for a report.
    episode : sequence of tuple of str and int
        Name and first cycle of the episode of each cycle.
    """

    inputs: Octets
    expected: Octets
    compared: Octets
    cycles: Sequence[Cycle]
    episode: Sequence[tuple[str, int]]


class Recording(Lockstep):
    """A run of the bench that takes every output to be the expected one.

    Parameters are those of `Lockstep` without `read` and `write`.
    """

    def __init__(self, ports: Sequence[Port], pins: Sequence[Pin], model: CycleModel, *,
                 seed: int, cycles: int):
        reset = next(pin for pin in pins if pin.role == "rst")
        self._rst = "0"
        write = dict.fromkeys((pin.name for pin in pins if pin.direction == "input"), _ignore)
        write[reset.name] = self._set_reset
        read = dict.fromkeys((pin.name for pin in pins if pin.direction == "output"), _nothing)
        super().__init__(ports, pins, read, write, model, seed=seed, cycles=cycles)
        self._expected: Mapping[str, int] | None = None
        self._first = 0
        self._columns = [_Column(self._ports.get(pin.stream or ""), pin) for pin in pins
                         if pin.role != "clk"]

    def _set_reset(self, value: str) -> None:
        self._rst = value

    def _compare(self, expected: Mapping[str, int], first: int) -> None:
        self._history.append((self.outcome.cycles, self._inputs.copy(), dict(expected)))
        self._expected, self._first = expected, first

    def chunks(self, episodes: Iterable[Episode]) -> Iterator[Chunk]:
        """The run, `CHUNK` cycles at a time.

        Raises
        ------
        LockstepError
            If the model stops moving.
        """
        rows = self._rows(episodes)
        while cycles := list(islice(rows, CHUNK)):
            yield self._pack(cycles)

    def _rows(self, episodes: Iterable[Episode]) -> Iterator[_Row]:
        for half, _ in enumerate(self.play(episodes)):
            if half % 2 == 0:
                inputs, self._expected = self._inputs.copy(), None
                number = self.outcome.cycles
                continue
            expected = None if self._expected is None else dict(self._expected)
            yield _Row(number, int(self._rst), inputs, expected, self._episode, self._first)

    def _pack(self, rows: list[_Row]) -> Chunk:
        inputs = [column for column in self._columns if column.pin.direction == "input"]
        outputs = [column for column in self._columns if column.pin.direction == "output"]
        return Chunk(
            inputs=np.concatenate([column.of_inputs(rows) for column in inputs], axis=1),
            expected=np.concatenate([column.of_outputs(rows) for column in outputs], axis=1),
            compared=np.array([row.expected is not None for row in rows], np.uint8),
            cycles=[(row.number, row.inputs, row.expected or {}) for row in rows],
            episode=[(row.episode, row.first) for row in rows])


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    reset: int
    inputs: dict[str, int]
    expected: dict[str, int] | None
    episode: str
    first: int


class _Column:
    """The values of a pin, cycle by cycle."""

    def __init__(self, port: Port | None, pin: Pin):
        self.pin = pin
        self._octets = octets(pin.width)
        self._shift, self._mask = 0, (1 << pin.width) - 1
        if not isinstance(port, Stream):
            self._name = pin.stream or ""
        elif pin.role in ("tvalid", "tready"):
            self._name = f"{port.name}_{pin.role[1:]}"
        else:
            self._name = f"{port.name}_payload"
            self._shift = port.data_width if pin.role == "tlast" else 0
            self._mask = 1 if pin.role == "tlast" else (1 << port.data_width) - 1
        self._guard = guard(port, pin) if port else None

    def of_inputs(self, rows: list[_Row]) -> Octets:
        if self.pin.role == "rst":
            return np.array([[row.reset] for row in rows], np.uint8)
        return self._packed(row.inputs[self._name] for row in rows)

    def of_outputs(self, rows: list[_Row]) -> Octets:
        here: dict[str, Any]
        values = []
        for row in rows:
            here = row.expected or {}
            said = here and (self._guard is None or here[self._guard])
            values.append(here[self._name] if said else 0)
        return self._packed(values)

    def _packed(self, values: Iterable[int]) -> Octets:
        shift, mask, length = self._shift, self._mask, self._octets
        joined = b"".join([(value >> shift & mask).to_bytes(length, "little") for value in values])
        return np.frombuffer(joined, np.uint8).reshape(-1, length)


def _ignore(value: str) -> None:
    pass


def _nothing() -> str:
    return ""
