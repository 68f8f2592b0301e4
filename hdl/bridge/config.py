"""The UART bridge as numbers: frames, commands, codes, and what each port takes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import floor, log2

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Port, Stream, Wire

VERSION = 1

REQUEST = 0xC5
"""First byte of a request."""
ANSWER = 0x3A
"""First byte of an answer."""

READ, WRITE, REPEAT = 0, 1, 2
COMMANDS = {"READ": READ, "WRITE": WRITE, "REPEAT": REPEAT}

OK, SHORT, BAD_CRC, BAD_LENGTH, BAD_COMMAND, BAD_PORT, TRUNCATED = range(7)
CODES = {
    OK: "done",
    SHORT: "the core took or gave fewer beats than were asked for",
    BAD_CRC: "the checksum is wrong",
    BAD_LENGTH: "the length does not suit the command and the port",
    BAD_COMMAND: "there is no such command",
    BAD_PORT: "there is no such port for this command",
    TRUNCATED: "the bytes stopped in the middle of a frame",
}

BRIDGE = 0
"""Port number of the bridge itself; those of the core follow in the order of its ports."""

LONGEST = 255
"""Bytes of the longest payload."""

IDENTITY_BYTES = 9
"""Version of the protocol, and the fingerprint of the core."""

MOST_ERROR = 0.02
"""Largest error of the baud rate; half a bit in ten is the most that a receiver stands."""


@dataclass(frozen=True)
class BridgeConfig:
    """The bridge of one core.

    Parameters
    ----------
    ports : tuple of Port
        Of the core, in order.
    divisor : int
        Clock cycles of a bit, at least 4.
    gap_log2 : int
        Without a byte for ``2**gap_log2`` cycles a frame ends.
    stall_log2 : int
        A beat waits for the core for ``2**stall_log2`` cycles.
    fingerprint : bytes
        Eight bytes by which a host knows the core.

    Raises
    ------
    ConfigError
        If a port cannot be served, or a number is out of range.
    """

    ports: tuple[Port, ...]
    divisor: int
    gap_log2: int
    stall_log2: int
    fingerprint: bytes

    def __post_init__(self) -> None:
        for port in self.ports:
            if beat_bytes(port) > LONGEST:
                raise ConfigError(port.name, f"{port.width} bits",
                                  f"be at most {8 * LONGEST} bits wide, to fit in a frame",
                                  "configure a narrower beat")
            if isinstance(port, Wire) and port.when:
                raise ConfigError(port.name, f"a value only while {port.when} is 1",
                                  "hold until a host reads it over a UART",
                                  "choose a configuration without this port")
        if self.divisor < 4:
            raise ConfigError("divisor", self.divisor, "be at least 4 (clock cycles of a bit)")
        if not 0 < self.stall_log2 <= self.gap_log2:
            raise ConfigError("stall_log2", self.stall_log2, f"be 1 to {self.gap_log2}, gap_log2")
        # a byte is ten bits, and the time runs from its end to the end of the next
        if 1 << self.gap_log2 < 20 * self.divisor:
            raise ConfigError("gap_log2", self.gap_log2, "be longer than two bytes")

    @cached_property
    def identity(self) -> bytes:
        """What a host reads of the bridge itself."""
        return bytes([VERSION]) + self.fingerprint

    def takes(self, number: int) -> bool:
        """Whether port `number` can be written."""
        return number == BRIDGE or self.ports[number - 1].direction == "in"

    def gives(self, number: int) -> bool:
        """Whether port `number` can be read."""
        return number == BRIDGE or self.ports[number - 1].direction == "out"

    def write_bytes(self, number: int) -> int:
        """Bytes of a beat that port `number` takes."""
        return 1 if number == BRIDGE else beat_bytes(self.ports[number - 1])

    def read_bytes(self, number: int) -> int:
        """Bytes of a beat that port `number` gives."""
        return IDENTITY_BYTES if number == BRIDGE else beat_bytes(self.ports[number - 1])

    def most_beats(self, number: int) -> int:
        """Beats of port `number` that fit in an answer."""
        return LONGEST // self.read_bytes(number)

    @property
    def numbers(self) -> range:
        """Port numbers, the bridge's own first."""
        return range(len(self.ports) + 1)


def beat_bytes(port: Port) -> int:
    """Bytes of a beat of a stream, or of the value of a wire."""
    return -(-port.width // 8)


def fingerprint(block: str, parameters: str, ports: Sequence[Port]) -> bytes:
    """Eight bytes that change with the block, its parameters and its ports.

    Parameters
    ----------
    block : str
    parameters : str
        Of the configuration, as JSON.
    ports : sequence of Port
    """
    layout = [(port.name, port.direction, port.width, isinstance(port, Stream)) for port in ports]
    return sha256(repr((block, parameters, layout)).encode()).digest()[:8]


def divisor_for(clock_hz: float, baud: int) -> int:
    """Clock cycles of a bit.

    Raises
    ------
    ConfigError
        If the nearest whole number is more than 2 % off, or too small.
    """
    divisor = max(1, round(clock_hz / baud))
    error = abs(clock_hz / divisor / baud - 1)
    if divisor < 4 or error > MOST_ERROR:
        raise ConfigError("--baud", baud, f"divide the clock of {clock_hz / 1e6:g} MHz by a whole "
                          f"number of at least 4, within {MOST_ERROR:.0%}",
                          f"{clock_hz / divisor:.0f} baud would be its share"
                          if divisor >= 4 else f"the fastest is {clock_hz / 4:.0f}")
    return divisor


def cycles_log2(clock_hz: float, seconds: float) -> int:
    """The power of two of cycles that is nearest below a time, at least 1."""
    return max(1, floor(log2(clock_hz * seconds)))
