"""A simulated board at the two pins of its serial line, with the interface of a serial port."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import Emitted

from .compiled_run import build
from .verify import Progress

_COMMAND = struct.Struct("<IIQ")
_COUNT = struct.Struct("<I")


class SimulatedSerial:
    """What `serial.Serial` is to a board, to a design in Verilator: bytes over its pins.

    The design runs only while somebody reads, so that what happens depends on no clock but its
    own. Close it, or use it in a ``with`` statement.

    Parameters
    ----------
    design : Emitted
        With the ports ``clk``, ``uart_rx`` and ``uart_tx``.
    divisor : int
        Clock cycles of a bit, as the design has it.
    timeout_cycles : int
        Cycles for which a read waits for the next byte.
    seed : int
        Of what memories hold that nothing has written.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Attributes
    ----------
    timeout : float
        As of `serial.Serial`; cycles count here, and it is only kept.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """

    def __init__(self, design: Emitted, divisor: int, *, timeout_cycles: int = 100_000,
                 seed: int = 1, progress: Progress | None = None):
        self.timeout: float | None = None
        self.timeout_cycles = timeout_cycles
        program = build(design, "serial_pins.cpp", progress or (lambda what, done, total: None),
                        optimise=["OPT_FAST=-O2", "OPT_SLOW=-O1", "OPT_GLOBAL=-O2"])
        self._process = _start(program, str(divisor), str(seed % ((1 << 31) - 1) + 1))

    def write(self, data: bytes) -> int:
        """Send bytes, without a pause between them."""
        self._send(b"W", len(data), 0, bytes(data))
        return len(data)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes; fewer if no more come within the time."""
        return self._ask(b"R", size, self.timeout_cycles)

    def wait(self, cycles: int) -> None:
        """Let the design run."""
        self._ask(b"N", 0, cycles)

    def reset_input_buffer(self) -> None:
        """Forget what was received."""
        self._ask(b"R", (1 << 32) - 1, 0)

    def close(self) -> None:
        """End the simulation."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> SimulatedSerial:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, what: bytes, size: int, cycles: int, data: bytes = b"") -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(_COMMAND.pack(what[0], size, cycles) + data)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise ToolError("the simulated board has ended") from None

    def _ask(self, what: bytes, size: int, cycles: int) -> bytes:
        self._send(what, size, cycles)
        assert self._process.stdout is not None
        head = self._process.stdout.read(_COUNT.size)
        if len(head) < _COUNT.size:
            raise ToolError("the simulated board has ended")
        return self._process.stdout.read(_COUNT.unpack(head)[0])


def _start(program: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
