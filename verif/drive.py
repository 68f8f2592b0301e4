"""What drives the streams and wires of a block under the bench, a cycle at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle as endless
from itertools import repeat

import numpy as np

from pimlico.hdl.common.ports import Stream

from .run import Traffic

Read = Callable[[], str]
Write = Callable[[str], None]
Gates = Sequence[Sequence[tuple[Traffic, int]]]

BIT = ("0", "1")

DRAIN = 8
"""Cycles that an episode goes on without a beat after all have come out."""

RESET_CYCLES = 2
"""Most cycles of reset before an episode."""


class Source:
    """Offers the beats of an episode on an input stream, and holds each until it is taken."""

    def __init__(self, port: Stream, tdata_width: int, inputs: dict[str, int],
                 writes: Mapping[str, Write], traffic: Traffic):
        self.name = port.name
        self.valid, self.ready = f"{port.name}_valid", f"{port.name}_ready"
        self.payload = f"{port.name}_payload"
        self.traffic = traffic
        self._inputs = inputs
        self._set_data, self._set_valid = writes["tdata"], writes["tvalid"]
        self._set_last = writes.get("tlast")
        self._data_width = port.data_width
        self._data_mask = (1 << port.data_width) - 1
        self._payload_mask = (1 << port.width) - 1
        self._format = f"0{tdata_width}b"
        self.left = 0
        self.free = True

    def load(self, beats: Sequence[int], decide: Callable[[], int], gates: Gates | None,
             delays: Sequence[int] | None) -> None:
        self._beats, self._decide, self._gates = iter(beats), decide, gates
        self._delays = None if delays is None else list(delays)
        self.left = len(beats)
        self.free = True
        self._inputs[self.valid] = 0
        self._set_valid("0")
        self._put(0)

    def offer(self) -> None:
        inputs = self._inputs
        if (self.left and self._decide() and (self._gates is None or self._open(self._gates))
                and (self._delays is None or self._due(self._delays))):
            self.left -= 1
            self.free = False
            self._put(next(self._beats))
            if not inputs[self.valid]:
                inputs[self.valid] = 1
                self._set_valid("1")
        elif inputs[self.valid]:
            inputs[self.valid] = 0
            self._set_valid("0")
            # A block that takes a payload without its valid must not find the old one there.
            self._put(inputs[self.payload] ^ self._payload_mask)

    def _open(self, gates: Gates) -> bool:
        return all(traffic.beats >= count for traffic, count in gates[-self.left])

    def _due(self, delays: list[int]) -> bool:
        if delays[-self.left]:
            delays[-self.left] -= 1
            return False
        return True

    def _put(self, payload: int) -> None:
        self._inputs[self.payload] = payload
        self._set_data(format(payload & self._data_mask, self._format))
        if self._set_last is not None:
            self._set_last(BIT[payload >> self._data_width])


class Sink:
    """Takes beats from an output stream, and compares their payloads."""

    def __init__(self, port: Stream, inputs: dict[str, int], set_ready: Write,
                 reads: Mapping[str, Read], traffic: Traffic, kept: list[int] | None):
        self.name = port.name
        self.valid, self.ready = f"{port.name}_valid", f"{port.name}_ready"
        self.payload = f"{port.name}_payload"
        self.traffic, self.kept = traffic, kept
        self.compared = 2 if port.has_last else 1
        self._inputs, self._set_ready = inputs, set_ready
        self._read_data, self._read_last = reads["tdata"], reads.get("tlast")
        self._data_width = port.data_width
        self._data_mask = (1 << port.data_width) - 1

    def load(self, decide: Callable[[], int]) -> None:
        self._decide = decide
        self._inputs[self.ready] = 0
        self._set_ready("0")

    def decide(self) -> None:
        ready = self._decide()
        if ready != self._inputs[self.ready]:
            self._inputs[self.ready] = ready
            self._set_ready(BIT[ready])

    def agrees(self, payload: int) -> bool:
        if int(self._read_data(), 2) != payload & self._data_mask:
            return False
        return self._read_last is None or self._read_last() == BIT[payload >> self._data_width]


class InputWire:
    def __init__(self, name: str, width: int, inputs: dict[str, int], write: Write):
        self.name = name
        self._inputs, self._write = inputs, write
        self._format = f"0{width}b"

    def load(self, values: Sequence[int]) -> None:
        self._next = endless(values).__next__
        self._inputs[self.name] = 0
        self._write(format(0, self._format))

    def change(self) -> None:
        self.put(self._next())

    def put(self, value: int) -> None:
        if value != self._inputs.get(self.name):
            self._inputs[self.name] = value
            self._write(format(value, self._format))


def draws(rng: np.random.Generator, probability: float) -> Callable[[], int]:
    if probability >= 1:
        return repeat(1).__next__
    return _draw_blocks(rng, probability).__next__


def _draw_blocks(rng: np.random.Generator, probability: float) -> Iterator[int]:
    while True:
        yield from (rng.random(1024) < probability).astype(int).tolist()
