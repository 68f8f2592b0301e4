"""Pins and episodes as arrays, for a drive in machine code; see `compiled_drive`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from pimlico.hdl.common.ports import Port, Stream, Wire

from .episode import Episode
from .rows import Array, octets, places
from .run import Pin
from .words import Words

DRAWS = 1024
"""Draws of a stream made at a time, as `drive.draws` does."""

STREAM = np.dtype([
    # as of `Place`
    ("valid", np.int64), ("data", np.int64), ("size", np.int64), ("last", np.int64),
    ("ready", np.int64),
    # its beats, where in the octets they begin, and the bits of one to be flipped
    ("beats", np.int64), ("base", np.int64), ("flips", np.int64),
    # the probability of a source's valid, or of a sink's ready
    ("chance", np.float64),
    # where in the numbers its gates and delays begin, -1 where it has none
    ("gates", np.int64), ("delays", np.int64),
    # as `drive.Source` has them, `offered` for its valid
    ("left", np.int64), ("free", np.int64), ("offered", np.int64),
    # beats taken, and draws used
    ("taken", np.int64), ("drawn", np.int64)])
"""A stream under the bench. Sources come first, both in the order of the ports."""

WIRE = np.dtype([
    # where it is in a row, and its octets
    ("at", np.int64), ("size", np.int64),
    # its values, where in the octets they begin, and which is next
    ("values", np.int64), ("base", np.int64), ("turn", np.int64)])
"""An input wire under the bench."""


class Place(NamedTuple):
    """Where a stream's pins are in a row, -1 where it has none, and the octets of TDATA."""

    valid: int
    data: int
    size: int
    last: int
    ready: int


class Bench(NamedTuple):
    """What stands around a block while an episode runs.

    Attributes
    ----------
    streams : ndarray of `STREAM`
    wires : ndarray of `WIRE`
    shown : ndarray of int64
        Where the output wires are in a row.
    octets : ndarray of uint8
        Payloads as rows take them: TDATA, then one octet of TLAST; and the wires' values.
    numbers : ndarray of int64
        Delays, a beat each, and gates, a beat and stream each.
    draws : ndarray of bool, shape (streams, DRAWS)
    carried : ndarray of int64, shape (streams, 3)
        Beats of the run, and the cycles of the first and last one.
    still : ndarray of int64, shape (2,)
        Cycles since a beat moved, and how many of them were after the last beat of all.
    inputs, outputs : ndarray of uint8
        The row of the present cycle.
    """

    streams: Array
    wires: Array
    shown: Array
    octets: Array
    numbers: Array
    draws: Array
    carried: Array
    still: Array
    inputs: Array
    outputs: Array


def streams_of(ports: Sequence[Port]) -> list[Stream]:
    """Sources first."""
    both = [port for port in ports if isinstance(port, Stream)]
    return sorted(both, key=lambda port: port.direction)


def wires_of(ports: Sequence[Port], direction: str) -> list[Wire]:
    """The plain wires of a direction."""
    return [port for port in ports if isinstance(port, Wire) and port.direction == direction]


def payload_rows(port: Stream, payloads: Sequence[int], size: int) -> Array:
    """Payloads as rows take them.

    Returns
    -------
    uint8 array of shape (payloads, size + 1)
        TDATA of `size` octets, then one of TLAST.
    """
    words = Words.of(payloads, octets(port.width))
    rows = np.zeros((len(words), size + 1), np.uint8)
    rows[:, :octets(port.data_width)] = words.octets[:, :octets(port.data_width)]
    if port.has_last:
        rows[:, (port.data_width - 1) // 8] &= 255 >> -port.data_width % 8
        rows[:, size] = words.bits(port.data_width)
    return rows


class Arrays:
    """Makes a `Bench` of each episode.

    Parameters
    ----------
    ports : sequence of Port
    pins : sequence of Pin
    """

    def __init__(self, ports: Sequence[Port], pins: Sequence[Pin]):
        inputs, self.input_octets = places(pins, "input")
        outputs, self.output_octets = places(pins, "output")
        named = {(pin.stream, pin.role): pin for pin in pins}
        self._streams, self._wires = streams_of(ports), wires_of(ports, "in")
        self.places: list[Place] = []
        for port in self._streams:
            driven, answered = (inputs, outputs) if port.direction == "in" else (outputs, inputs)
            size = octets(named[port.name, "tdata"].width)
            self.places.append(Place(driven[port.name, "tvalid"], driven[port.name, "tdata"], size,
                                     driven.get((port.name, "tlast"), -1),
                                     answered[port.name, "tready"]))
        self.carried = np.zeros((len(self._streams), 3), np.int64)
        self._wire_places = [(inputs[port.name, "wire"], octets(port.width))
                             for port in self._wires]
        self._order = {port.name: number for number, port in enumerate(self._streams)}
        self._shown = np.array([outputs[port.name, "wire"] for port in wires_of(ports, "out")],
                               np.int64)

    def benches(self, episodes: Sequence[Episode]) -> list[Bench]:
        """The bench at the beginning of each episode."""
        parts: list[bytes] = []
        place = 0
        starts = []
        for port, at in zip(self._streams, self.places, strict=True):
            flips = payload_rows(port, [(1 << port.width) - 1], at.size).tobytes()
            words = [episode.beats.get(port.name, ()) for episode in episodes]
            rows = payload_rows(port, Words.joined(
                Words.of(of, octets(port.width)) for of in words), at.size).tobytes()
            lengths = [0, *map(len, words)]
            starts.append([(place, place + len(flips) + end * (at.size + 1))
                           for end in accumulate(lengths)])
            parts += [flips, rows]
            place += len(flips) + len(rows)
        wires, shown = self._wires_of(episodes, place)
        parts += shown
        held = np.frombuffer(b"".join(parts), np.uint8)
        return [self._bench(*one, held) for one in zip(
            episodes, list(zip(*starts, strict=True))[:len(episodes)], wires, strict=True)]

    def _bench(self, episode: Episode, starts: Sequence[tuple[int, int]],
               wires: list[tuple[int, ...]], held: Array) -> Bench:
        """The bench whose streams' flips and payloads start there."""
        streams, numbers = list[tuple[float, ...]](), list[int]()
        for port, at, (flips, base) in zip(self._streams, self.places, starts, strict=True):
            count = len(episode.beats.get(port.name, ()))
            chances = episode.valid if port.direction == "in" else episode.ready
            gates, delays = self._held(port.name, episode, numbers)
            streams.append((*at, count, base, flips, chances.get(port.name, 1), gates, delays,
                            count, 1, 0, 0, DRAWS))
        return Bench(np.array(streams, STREAM), np.array(wires, WIRE), self._shown, held,
                     np.array(numbers, np.int64), np.zeros((len(streams), DRAWS), np.bool_),
                     self.carried, np.zeros(2, np.int64), np.zeros(self.input_octets, np.uint8),
                     np.zeros(self.output_octets, np.uint8))

    def _wires_of(self, episodes: Sequence[Episode],
                  place: int) -> tuple[list[list[tuple[int, ...]]], list[bytes]]:
        """Wires of each episode, and their values from a place in the octets on."""
        all_wires, parts = list[list[tuple[int, ...]]](), list[bytes]()
        for episode in episodes:
            wires = list[tuple[int, ...]]()
            for wire, (start, size) in zip(self._wires, self._wire_places, strict=True):
                values = episode.wires.get(wire.name, [0])
                parts.append(b"".join([value.to_bytes(size, "little") for value in values]))
                wires.append((start, size, len(values), place, 0))
                place += len(parts[-1])
            all_wires.append(wires)
        return all_wires, parts

    def _held(self, name: str, episode: Episode, numbers: list[int]) -> tuple[int, int]:
        """Where in the numbers the gates and the delays of a source are now."""
        gates = delays = -1
        if name in episode.delay:
            delays = len(numbers)
            numbers += episode.delay[name]
        if name in episode.after:
            gates = len(numbers)
            for needs in episode.after[name]:
                counts = [0] * len(self._order)
                for other, count in needs.items():
                    counts[self._order[other]] = count
                numbers += counts
        return gates, delays
