"""A core on a board, or on a simulated one, as a host sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import serial

from pimlico.hdl.bridge.config import BRIDGE, LONGEST, READ, WRITE, beat_bytes
from pimlico.hdl.common.ports import Stream, Wire

from .errors import HostError, StalledError, WrongCoreError
from .layout import Values, described_ports, pack, unpack
from .link import Line, Link

TIMEOUT = 0.2
"""Seconds for which a read of a real line waits; longer than the gap that ends a frame."""

Beats = Sequence[int] | Values
"""Raw payloads, or the fields of a stream as arrays."""


class Host:
    """Drives the streams and wires of a core over a serial line.

    Parameters
    ----------
    port : str or Line
        A serial port, such as ``/dev/ttyUSB1`` or any URL of pySerial; or an open line, for
        instance `pimlico.sim.serial_pins.SimulatedSerial`.
    manifest : Path or mapping
        What ``pimlico build`` left as ``<top>.json``, or its contents.
    patience : int
        Rounds without progress after which the core counts as stalled.

    Raises
    ------
    NoAnswerError, WrongCoreError
        If the board does not answer, or carries another core.
    OSError
        If the port cannot be opened.
    """

    def __init__(self, port: str | Line, manifest: Path | str | Mapping[str, Any],
                 patience: int = 200):
        self.manifest: Mapping[str, Any] = (
            manifest if isinstance(manifest, Mapping)
            else json.loads(Path(manifest).read_text(encoding="utf-8")))
        self.patience = patience
        self.ports = described_ports(self.manifest)
        self._numbers: dict[str, int] = {entry["name"]: entry["number"]
                                         for entry in self.manifest["ports"]}
        self._bursts = dict.fromkeys(self.ports, 1)
        if isinstance(port, str):
            port = serial.serial_for_url(port, timeout=TIMEOUT,
                                         baudrate=self.manifest["bridge"]["baud"])
        self._link = Link(port)
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def push(self, stream: str, beats: Beats) -> None:
        """Give beats to an input stream; raises as `run`."""
        self.run({stream: beats}, {})

    def pop(self, stream: str, count: int) -> dict[str, np.ndarray[Any, Any]]:
        """Take beats from an output stream: arrays of its fields; raises as `run`."""
        return self.run({}, {stream: count})[stream]

    def run(self, inputs: Mapping[str, Beats],
            outputs: Mapping[str, int]) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
        """Give beats to several streams and take beats from others, side by side.

        Parameters
        ----------
        inputs : mapping
            Beats by stream: raw payloads, or arrays of the fields as for
            `pimlico.host.layout.pack`.
        outputs : mapping of str to int
            How many beats to take of each stream.

        Returns
        -------
        dict
            For each stream of `outputs` the arrays that `pimlico.host.layout.unpack` gives.

        Raises
        ------
        StalledError
            If the core does not go on; it has what it took, and what it gave is in the error.
        ValueError
            If the beats do not suit the stream.
        """
        words = {name: self._payloads(name, beats) for name, beats in inputs.items()}
        pushed = dict.fromkeys(inputs, 0)
        popped: dict[str, list[int]] = {self._stream(name, "out").name: [] for name in outputs}
        idle = 0
        while True:
            pushing = [name for name in words if pushed[name] < len(words[name])]
            popping = [name for name in popped if len(popped[name]) < outputs[name]]
            if not pushing and not popping:
                break
            before = sum(pushed.values()) + sum(map(len, popped.values()))
            for name in pushing:
                pushed[name] += self._push_some(name, words[name][pushed[name]:])
            for name in popping:
                popped[name] += self._pop_some(name, outputs[name] - len(popped[name]))
            moved = sum(pushed.values()) + sum(map(len, popped.values())) > before
            idle = 0 if moved else idle + 1
            if idle >= self.patience:
                raise StalledError([*pushing, *popping], pushed, popped)
        return {name: unpack(self._stream(name, "out"), beats)
                for name, beats in popped.items()}

    def read(self, wire: str) -> int:
        """The value of an output wire."""
        found = self._wire(wire, "out")
        return int.from_bytes(self._link.ask(READ, self._numbers[found.name], b"\x01").payload,
                              "little")

    def write(self, wire: str, *values: int) -> None:
        """Set an input wire, to each of the values in turn; it keeps the last."""
        found = self._wire(wire, "in")
        for value in values:
            if not 0 <= value < 1 << found.width:
                raise ValueError(f"{wire} = {value} does not fit in {found.width} bits")
        size = beat_bytes(found)
        self._link.ask(WRITE, self._numbers[wire],
                       b"".join(value.to_bytes(size, "little") for value in values))

    def pulse(self, wire: str) -> None:
        """Set an input wire of one bit for a few cycles."""
        self.write(wire, 1, 0)

    def reset(self) -> None:
        """Reset the core; beats that it has not taken yet are gone."""
        self._link.ask(WRITE, BRIDGE, b"\x01")

    def close(self) -> None:
        """Close the line."""
        self._link.line.close()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        expected = bytes.fromhex(self.manifest["bridge"]["identity"])
        found = self._link.ask(READ, BRIDGE, b"\x01").payload
        if found != expected:
            raise WrongCoreError(f"the board carries the core {found.hex()}, "
                                 f"the manifest is of {expected.hex()}")

    def _push_some(self, name: str, words: Sequence[int]) -> int:
        size = beat_bytes(self.ports[name])
        burst = words[:min(self._bursts[name], LONGEST // size)]
        answer = self._link.ask(WRITE, self._numbers[name],
                                b"".join(word.to_bytes(size, "little") for word in burst))
        taken = answer.payload[0]
        # a frame longer than what is taken at once only waits
        self._bursts[name] = max(1, 2 * taken if taken == len(burst) else taken)
        return taken

    def _pop_some(self, name: str, count: int) -> list[int]:
        size = beat_bytes(self.ports[name])
        data = self._link.ask(READ, self._numbers[name],
                              bytes([min(count, LONGEST // size)])).payload
        return [int.from_bytes(data[at:at + size], "little") for at in range(0, len(data), size)]

    def _payloads(self, name: str, beats: Beats) -> list[int]:
        stream = self._stream(name, "in")
        if isinstance(beats, Mapping):
            return pack(stream, beats)
        words = [int(word) for word in beats]
        for word in words:
            if not 0 <= word < 1 << stream.width:
                raise ValueError(f"{name} = {word:#x} does not fit in {stream.width} bits")
        return words

    def _stream(self, name: str, direction: str) -> Stream:
        port = self.ports.get(name)
        if not isinstance(port, Stream) or port.direction != direction:
            raise self._unknown(name, f"{direction}put stream", (
                each.name for each in self.ports.values()
                if isinstance(each, Stream) and each.direction == direction))
        return port

    def _wire(self, name: str, direction: str) -> Wire:
        port = self.ports.get(name)
        if not isinstance(port, Wire) or port.direction != direction:
            raise self._unknown(name, f"{direction}put wire", (
                each.name for each in self.ports.values()
                if isinstance(each, Wire) and each.direction == direction))
        return port

    @staticmethod
    def _unknown(name: str, what: str, known: Iterable[str]) -> HostError:
        return HostError(f"the core has no {what} {name}; it has {', '.join(known) or 'none'}")
