"""The bridge against its golden model: frames good and bad, bit by bit over the pins."""

import numpy as np
import pytest
from bridge_core import GAP, JoinCore, board, bridge

from pimlico.hdl.bridge.config import (
    BAD_COMMAND,
    BAD_CRC,
    BAD_LENGTH,
    BAD_PORT,
    CODES,
    OK,
    READ,
    REPEAT,
    REQUEST,
    SHORT,
    TRUNCATED,
    WRITE,
)
from pimlico.verif.bridge.frames import Answer, Request, encode_answer, encode_request
from pimlico.verif.bridge.golden import GoldenBridge

A, O, B, OFFSET, COUNT, FLAG, ECHO = range(1, 8)  # noqa: E741


class Pair:
    """The simulated board beside the golden bridge."""

    def __init__(self, line):
        self.line = line
        self.golden = GoldenBridge(bridge(), JoinCore())

    def send(self, burst):
        """Send bytes to both, compare the answers, and return the answer."""
        expected = self.golden.answer(burst)
        self.line.write(burst)
        if expected is None:
            assert self.line.read(1) == b"", burst.hex()
            return None
        frame = encode_answer(expected)
        assert self.line.read(len(frame)).hex() == frame.hex(), burst.hex()
        return expected

    def ask(self, command, port, payload=b"", sequence=7):
        answer = self.send(encode_request(Request(sequence, command, port, payload)))
        assert answer.sequence == sequence or command == REPEAT
        return answer.code, answer.payload


@pytest.fixture
def pair(seed):
    with board(seed) as line:
        yield Pair(line)


def request(rng, config):
    """A request that is right, or nearly."""
    command = int(rng.choice([READ, WRITE, REPEAT, rng.integers(256)], p=[0.35, 0.5, 0.1, 0.05]))
    port = int(rng.choice([rng.choice([A, B, O]), rng.integers(8), rng.integers(256)],
                          p=[0.6, 0.35, 0.05]))
    size = 2
    if port in config.numbers:
        size = (config.write_bytes if command == WRITE and config.takes(port)
                else config.read_bytes)(port)
    if command == WRITE:
        length = size * int(rng.choice([1, rng.integers(1, 5), 255 // size], p=[0.6, 0.37, 0.03]))
        payload = rng.bytes(min(255, length + int(rng.random() < 0.05)))
    else:
        payload = bytes([rng.choice([1, rng.integers(4), rng.integers(256)], p=[0.6, 0.3, 0.1])])
        payload = payload * int(rng.choice([1, rng.integers(3)], p=[0.95, 0.05]))
    return Request(int(rng.integers(256)), command, port, payload)


def damaged(rng, frame):
    """A frame with a bit flipped, a byte more or less, cut short, or after other bytes."""
    frame = bytearray(frame)
    kind = rng.integers(6)
    at = int(rng.integers(len(frame)))
    if kind == 0:
        frame[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del frame[at]
    elif kind == 2:
        frame.insert(at, int(rng.integers(256)))
    elif kind == 3:
        del frame[at:]
    elif kind == 4:
        frame[0:0] = rng.bytes(3).replace(bytes([REQUEST]), b"\0")
    else:
        frame += rng.bytes(2).replace(bytes([REQUEST]), b"\0")
    return bytes(frame)


def play(pair, rng, count):
    """Random bursts; how often each code came."""
    seen = dict.fromkeys([*CODES, None], 0)
    for _ in range(count):
        frame = encode_request(request(rng, pair.golden.config))
        burst = damaged(rng, frame) if rng.random() < 0.25 else frame
        answer = pair.send(burst)
        seen[None if answer is None else answer.code] += 1
        if rng.random() < 0.5:
            # what is on the line after a frame counts for nothing
            pair.line.wait(int(rng.integers(1, 2 * GAP)))
        elif answer is None or len(burst) > len(frame):
            pair.line.wait(200)
    return seen


def test_random_frames(pair, seed):
    seen = play(pair, np.random.default_rng(seed), 1500)
    assert all(seen.values()), seen


@pytest.mark.deep
@pytest.mark.parametrize("part", range(4))
def test_very_many_random_frames(pair, seed, part):
    assert all(play(pair, np.random.default_rng(seed), 30_000).values())


def test_beats_in_and_out(pair):
    assert pair.ask(WRITE, A, bytes([5, 0, 0])) == (OK, b"\x01")
    assert pair.ask(READ, O, b"\x01") == (SHORT, b"")
    assert pair.ask(WRITE, B, bytes([8 + 2])) == (OK, b"\x01")
    assert pair.ask(READ, O, b"\x02") == (SHORT, bytes([7, 0, 0x40]))
    assert pair.ask(READ, COUNT, b"\x01") == (OK, bytes([1, 0, 0]))


def test_a_core_that_takes_nothing_more_gets_no_more(pair):
    """The first beat is offered, the others are not lost but counted out."""
    assert pair.ask(WRITE, A, bytes(range(30))) == (SHORT, b"\x01")
    assert pair.ask(WRITE, B, bytes(10)) == (SHORT, b"\x02")
    assert pair.ask(WRITE, A, bytes([9, 9, 9])) == (OK, b"\x01")
    assert pair.ask(READ, O, b"\x55") == (SHORT, bytes([0, 1, 2, 9, 9, 9]))
    assert pair.ask(READ, COUNT, b"\x01") == (OK, bytes([2, 0, 0]))


def test_wires_change_as_a_whole_and_in_turn(pair):
    assert pair.ask(WRITE, OFFSET, bytes([0x21, 0xF3])) == (OK, b"\x01")
    assert pair.ask(WRITE, FLAG, bytes([0, 1])) == (OK, b"\x02")
    assert pair.ask(READ, ECHO, b"\x03") == (OK, b"\x01\x01\x01")
    pair.ask(WRITE, A, bytes(3))
    pair.ask(WRITE, B, bytes(1))
    assert pair.ask(READ, O, b"\x01") == (OK, bytes([0x21, 0x03, 0]))


def test_reset_withdraws_what_is_offered(pair):
    pair.ask(WRITE, A, bytes([1, 0, 0]))
    assert pair.ask(WRITE, 0, b"\x01") == (OK, b"\x01")
    pair.ask(WRITE, B, bytes(1))
    assert pair.ask(READ, O, b"\x01") == (SHORT, b"")
    pair.ask(WRITE, A, bytes([2, 0, 0]))
    assert pair.ask(READ, O, b"\x01") == (OK, bytes([2, 0, 0]))


def test_the_bridge_tells_who_it_is(pair):
    assert pair.ask(READ, 0, b"\x01") == (OK, bridge().identity)
    assert bridge().identity[1:] != bytes(8)


@pytest.mark.parametrize(("command", "port", "payload", "code"), [
    (3, A, b"", BAD_COMMAND), (255, A, b"", BAD_COMMAND), (4, A, bytes(3), BAD_COMMAND),
    (WRITE, O, bytes(3), BAD_PORT), (READ, A, b"\x01", BAD_PORT), (READ, 8, b"\x01", BAD_PORT),
    (READ, 8 + O, b"\x01", BAD_PORT), (WRITE, 255, bytes(3), BAD_PORT),
    (WRITE, COUNT, bytes(3), BAD_PORT),
    (WRITE, A, b"", BAD_LENGTH), (WRITE, A, bytes(4), BAD_LENGTH),
    (WRITE, OFFSET, b"1", BAD_LENGTH),
    (READ, O, b"", BAD_LENGTH), (READ, O, b"\x01\x01", BAD_LENGTH), (READ, O, b"\x56", BAD_LENGTH),
])
def test_refusals_change_nothing(pair, command, port, payload, code):
    pair.ask(WRITE, A, bytes([1, 0, 0]), sequence=1)
    pair.ask(WRITE, B, bytes([1]), sequence=2)
    assert pair.ask(command, port, payload, sequence=3) == (code, b"")
    assert pair.send(encode_request(Request(4, REPEAT, 9))) == Answer(2, OK, b"\x01")
    assert pair.ask(READ, O, b"\x02") == (SHORT, bytes([2, 0, 0]))


@pytest.mark.parametrize("bit", range(8, 8 * 8))
def test_no_flipped_bit_reaches_the_core(pair, bit):
    """Whichever field it hits, the next frame is understood."""
    frame = bytearray(encode_request(Request(3, WRITE, B, b"\x07")))
    frame[bit // 8] ^= 1 << bit % 8
    assert pair.send(bytes(frame)).code in (BAD_CRC, TRUNCATED)
    assert pair.golden.offers == {}
    pair.ask(WRITE, A, bytes(3))
    assert pair.ask(READ, O, b"\x01") == (SHORT, b"")


def test_any_frame_cut_short_is_told(pair):
    frame = encode_request(Request(9, WRITE, A, bytes([1, 2, 3])))
    for length in range(1, len(frame)):
        assert pair.send(frame[:length]).code == TRUNCATED
    assert pair.ask(WRITE, A, bytes([1, 2, 3])) == (OK, b"\x01")


@pytest.mark.deep
@pytest.mark.parametrize(("divisor", "divide"), [(4, 1), (4, 8), (7, 1), (12, 4), (51, 1)])
def test_other_clocks(seed, divisor, divide):
    with board(seed, divisor, divide) as line:
        frame = encode_answer(Answer(1, OK, bridge(divisor).identity * 3))
        line.write(encode_request(Request(1, READ, 0, b"\x03")))
        assert line.read(len(frame)) == frame
