"""What the bridge answers, frame by frame, whatever the time that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pimlico.hdl.bridge.config import (
    BAD_COMMAND,
    BAD_CRC,
    BAD_LENGTH,
    BAD_PORT,
    BRIDGE,
    COMMANDS,
    OK,
    REPEAT,
    REQUEST,
    SHORT,
    TRUNCATED,
    WRITE,
    BridgeConfig,
)
from pimlico.hdl.common.ports import Stream

from .frames import CHECKSUM, REQUEST_HEADER, Answer, crc16, decode_request


class Core(Protocol):
    """A core that comes to rest between two requests."""

    def reset(self) -> None:
        """Return to the state that a reset leaves."""

    def settle(self, offers: dict[str, int], wires: Mapping[str, int]) -> None:
        """Do all that can be done, and take out of `offers`, beats by stream, what is taken."""

    def some(self, stream: str) -> bool:
        """Whether an output stream has a beat."""

    def take(self, stream: str) -> int:
        """The beat that an output stream has, which is then gone."""

    def wire(self, name: str) -> int:
        """The value of an output wire."""


class GoldenBridge:
    """The bridge with a core behind it.

    Parameters
    ----------
    config : BridgeConfig
    core : Core
    """

    def __init__(self, config: BridgeConfig, core: Core):
        self.config, self.core = config, core
        self.offers: dict[str, int] = {}
        self.wires = {port.name: 0 for port in config.ports
                      if port.direction == "in" and not isinstance(port, Stream)}
        self.kept = Answer(0, OK)
        self.sequence = 0

    def answer(self, burst: bytes) -> Answer | None:
        """What comes back for bytes that were sent in one go before a silence.

        Bytes before a frame are skipped; those after it fall into its execution and are lost.
        None where nothing in it begins a frame.
        """
        start = burst.find(REQUEST)
        if start < 0:
            return None
        frame = burst[start:]
        if len(frame) > 1:
            self.sequence = frame[1]
        length = frame[REQUEST_HEADER - 1] if len(frame) >= REQUEST_HEADER else 0
        whole = REQUEST_HEADER + length + CHECKSUM
        if len(frame) < whole:
            return Answer(self.sequence, TRUNCATED)
        frame = frame[:whole]
        if crc16(frame[1:]):
            return Answer(self.sequence, BAD_CRC)
        request = decode_request(frame)
        assert request is not None
        if request.command not in COMMANDS.values():
            return Answer(request.sequence, BAD_COMMAND)
        if request.command == REPEAT:
            return self.kept
        refusal = self._refusal(request.command, request.port, request.payload)
        if refusal is not None:
            return Answer(request.sequence, refusal)
        carry_out = self._write if request.command == WRITE else self._read
        self.kept = Answer(request.sequence, *carry_out(request.port, request.payload))
        return self.kept

    def _refusal(self, command: int, port: int, payload: bytes) -> int | None:
        config = self.config
        if port not in config.numbers or not (
                config.takes(port) if command == WRITE else config.gives(port)):
            return BAD_PORT
        fits = (payload and len(payload) % config.write_bytes(port) == 0 if command == WRITE
                else len(payload) == 1 and payload[0] <= config.most_beats(port))
        return None if fits else BAD_LENGTH

    def _write(self, number: int, payload: bytes) -> tuple[int, bytes]:
        step = self.config.write_bytes(number)
        beats = [int.from_bytes(payload[at:at + step], "little")
                 for at in range(0, len(payload), step)]
        for taken, beat in enumerate(beats):
            if number == BRIDGE:
                self.offers.clear()
                self.core.reset()
                self.core.settle(self.offers, self.wires)
                continue
            port = self.config.ports[number - 1]
            if port.name in self.offers:
                return SHORT, bytes([taken])
            value = beat & (1 << port.width) - 1
            (self.offers if isinstance(port, Stream) else self.wires)[port.name] = value
            self.core.settle(self.offers, self.wires)
        return OK, bytes([len(beats)])

    def _read(self, number: int, payload: bytes) -> tuple[int, bytes]:
        wanted, data = payload[0], b""
        step = self.config.read_bytes(number)
        for _ in range(wanted):
            if number == BRIDGE:
                data += self.config.identity
                continue
            port = self.config.ports[number - 1]
            if not isinstance(port, Stream):
                data += self.core.wire(port.name).to_bytes(step, "little")
                continue
            if not self.core.some(port.name):
                return SHORT, data
            data += self.core.take(port.name).to_bytes(step, "little")
            self.core.settle(self.offers, self.wires)
        return OK, data
