"""Requests over a serial line, each carried out exactly once whatever the line does to it."""

from __future__ import annotations

import secrets
from typing import Protocol

from pimlico.hdl.bridge.config import ANSWER, BAD_CRC, OK, REPEAT, SHORT, TRUNCATED
from pimlico.verif.bridge.frames import (
    ANSWER_HEADER,
    CHECKSUM,
    Answer,
    Request,
    decode_answer,
    encode_request,
)

from .errors import NoAnswerError, RefusedError

TRIES = 8


class Line(Protocol):
    """What a `serial.Serial` with a timeout is; a simulated board is one too."""

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes, fewer after the timeout."""

    def write(self, data: bytes, /) -> int | None:
        """Send bytes."""

    def close(self) -> None:
        """Give the line back."""


class Link:
    """The host's end of the bridge.

    Parameters
    ----------
    line : Line
        Its timeout must be longer than the gap that ends a frame.
    """

    def __init__(self, line: Line):
        self.line = line
        self._sequence = secrets.randbelow(256)

    def ask(self, command: int, port: int, payload: bytes) -> Answer:
        """Have a request carried out, once, and return its answer of code OK or SHORT.

        A request that came damaged had no effect and is sent again. Where the answer came
        damaged or not at all, the bridge is asked for its last answer: the sequence number tells
        whether that is the answer to this request.

        Raises
        ------
        NoAnswerError
            If the line gives nothing that is right.
        RefusedError
            If the bridge refuses the request.
        """
        self._sequence = (self._sequence + 1) % 256
        request = Request(self._sequence, command, port, payload)
        for attempt in range(TRIES):
            if attempt:
                self._drain()
                kept = self._exchange(Request(request.sequence, REPEAT, 0))
                if kept is None or kept.code not in (OK, SHORT):
                    continue
                if kept.sequence == request.sequence:
                    return kept
            answer = self._exchange(request)
            if answer is None or answer.code in (BAD_CRC, TRUNCATED):
                continue
            if answer.sequence != request.sequence:
                continue
            if answer.code not in (OK, SHORT):
                raise RefusedError(answer.code)
            return answer
        raise NoAnswerError(f"no answer from the board after {TRIES} tries")

    def _exchange(self, request: Request) -> Answer | None:
        self.line.write(encode_request(request))
        while (first := self.line.read(1)) and first[0] != ANSWER:
            pass
        head = self.line.read(ANSWER_HEADER - 1)
        if not first or len(head) < ANSWER_HEADER - 1:
            return None
        return decode_answer(first + head + self.line.read(head[-1] + CHECKSUM))

    def _drain(self) -> None:
        while self.line.read(256):
            pass
