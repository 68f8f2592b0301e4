"""Frames of the UART bridge as bytes: what a host sends, and what it gets.

A request is ``REQUEST, sequence, command, port, length, payload, checksum``; an answer is
``ANSWER, sequence, code, length, payload, checksum``. Every field but payload and checksum is a
byte. The checksum is CRC-16/MCRF4XX of what stands between it and the first byte, its low byte
first.
"""

from __future__ import annotations

from typing import NamedTuple

from pimlico.hdl.bridge.config import ANSWER, LONGEST, REQUEST

REQUEST_HEADER = 5
ANSWER_HEADER = 4
CHECKSUM = 2

_POLYNOMIAL = 0x8408


class Request(NamedTuple):
    """What a host asks for; see `pimlico.hdl.bridge.config` for the commands."""

    sequence: int
    command: int
    port: int
    payload: bytes = b""


class Answer(NamedTuple):
    """What the bridge answers to the request of the same sequence number."""

    sequence: int
    code: int
    payload: bytes = b""


def crc16(data: bytes) -> int:
    """CRC-16/MCRF4XX; of data and its own checksum it is 0."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


def encode_request(request: Request) -> bytes:
    """The bytes of a request.

    Raises
    ------
    ValueError
        If a field is not a byte, or the payload is longer than 255 bytes.
    """
    return _frame(REQUEST, bytes(request[:3]), request.payload)


def encode_answer(answer: Answer) -> bytes:
    """The bytes of an answer; raises as `encode_request`."""
    return _frame(ANSWER, bytes(answer[:2]), answer.payload)


def decode_request(frame: bytes) -> Request | None:
    """The request that a whole frame is; None where it is none, or its checksum is wrong."""
    fields = _fields(REQUEST, REQUEST_HEADER, frame)
    if fields is None:
        return None
    sequence, command, port = fields[0]
    return Request(sequence, command, port, fields[1])


def decode_answer(frame: bytes) -> Answer | None:
    """The answer that a whole frame is; None where it is none, or its checksum is wrong."""
    fields = _fields(ANSWER, ANSWER_HEADER, frame)
    if fields is None:
        return None
    sequence, code = fields[0]
    return Answer(sequence, code, fields[1])


def _frame(first: int, header: bytes, payload: bytes) -> bytes:
    if len(payload) > LONGEST:
        raise ValueError(f"a payload of {len(payload)} bytes is longer than {LONGEST}")
    body = header + bytes([len(payload)]) + payload
    return bytes([first]) + body + crc16(body).to_bytes(CHECKSUM, "little")


def _fields(first: int, header: int, frame: bytes) -> tuple[bytes, bytes] | None:
    if (len(frame) < header + CHECKSUM or frame[0] != first or crc16(frame[1:])
            or len(frame) != header + frame[header - 1] + CHECKSUM):
        return None
    return frame[1:header - 1], frame[header:-CHECKSUM]
