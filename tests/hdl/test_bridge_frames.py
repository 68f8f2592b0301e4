"""Frames as bytes, and what the bridge refuses at generation."""

import pytest
from bridge_core import JoinConfig
from hypothesis import given
from hypothesis import strategies as st

from pimlico.hdl.bridge import crc
from pimlico.hdl.bridge.config import BridgeConfig, cycles_log2, divisor_for, fingerprint
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Field, Stream, Wire
from pimlico.verif.bridge import frames
from pimlico.verif.bridge.frames import Answer, Request, crc16

BYTE = st.integers(0, 255)
PAYLOAD = st.binary(max_size=255)
PORTS = JoinConfig().ports


def config(**changes):
    fields = {"ports": PORTS, "divisor": 8, "gap_log2": 12, "stall_log2": 8,
              "fingerprint": bytes(8)}
    return BridgeConfig(**fields | changes)


def test_checksum_is_the_published_one():
    """The check value that catalogues of CRCs give for CRC-16/MCRF4XX."""
    assert crc16(b"123456789") == 0x6F91
    assert int(f"{0x1021:016b}"[::-1], 2) == crc.POLYNOMIAL


@given(st.binary(max_size=300))
def test_checksum_of_data_and_checksum_is_zero(data):
    assert crc16(data + crc16(data).to_bytes(2, "little")) == 0


@given(BYTE, BYTE, BYTE, PAYLOAD)
def test_frames_come_back(sequence, kind, port, payload):
    request, answer = Request(sequence, kind, port, payload), Answer(sequence, kind, payload)
    assert frames.decode_request(frames.encode_request(request)) == request
    assert frames.decode_answer(frames.encode_answer(answer)) == answer
    assert frames.decode_answer(frames.encode_request(request)) is None
    assert frames.encode_request(request)[:6] == bytes(
        [0xC5, sequence, kind, port, len(payload)]) + frames.encode_request(request)[5:6]


@given(BYTE, PAYLOAD, st.data())
def test_a_damaged_frame_is_none(sequence, payload, data):
    frame = bytearray(frames.encode_answer(Answer(sequence, 0, payload)))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    assert frames.decode_answer(bytes(frame)) is None
    assert frames.decode_answer(bytes(frame[:-1])) is None


def test_long_payloads_are_refused():
    with pytest.raises(ValueError, match="256 bytes is longer than 255"):
        frames.encode_request(Request(0, 0, 0, bytes(256)))


@pytest.mark.parametrize(("changes", "message"), [
    ({"ports": (*PORTS, Stream("wide", "out", (Field("x", 2041),)))},
     "wide = 2041 bits: must be at most 2040 bits wide, to fit in a frame; configure a narrower "
     "beat"),
    ({"ports": (*PORTS, Wire("address", "out", 4, when="enable"))},
     "address = a value only while enable is 1: must hold until a host reads it over a UART; "
     "choose a configuration without this port"),
    ({"divisor": 3}, "divisor = 3: must be at least 4 (clock cycles of a bit)"),
    ({"stall_log2": 13}, "stall_log2 = 13: must be 1 to 12, gap_log2"),
    ({"gap_log2": 7, "stall_log2": 6}, "gap_log2 = 7: must be longer than two bytes"),
])
def test_bridges_that_cannot_be(changes, message):
    with pytest.raises(ConfigError) as raised:
        config(**changes)
    assert str(raised.value) == message


def test_ports_are_numbered_after_the_bridge():
    found = config()
    assert list(found.numbers) == list(range(8))
    assert [number for number in found.numbers if found.takes(number)] == [0, 1, 3, 4, 6]
    assert [number for number in found.numbers if found.gives(number)] == [0, 2, 5, 7]
    assert [found.write_bytes(number) for number in (0, 1, 3, 4, 6)] == [1, 3, 1, 2, 1]
    assert [found.read_bytes(number) for number in (0, 2, 5, 7)] == [9, 3, 3, 1]
    assert found.most_beats(2) == 85
    assert found.identity == bytes([1]) + bytes(8)


def test_the_fingerprint_follows_block_parameters_and_ports():
    known = {fingerprint("join", "{}", PORTS), fingerprint("joins", "{}", PORTS),
             fingerprint("join", "{} ", PORTS), fingerprint("join", "{}", PORTS[1:])}
    assert len(known) == 4 and all(len(each) == 8 for each in known)


def test_divisors():
    assert [divisor_for(mhz * 1e6, 1_000_000) for mhz in (12, 25, 27, 50)] == [12, 25, 27, 50]
    assert divisor_for(12.5e6, 115_200) == 109
    with pytest.raises(ConfigError, match=r"--baud = 1000000: must divide the clock of 12.5 MHz by "
                       r"a whole number of at least 4, within 2%; 1041667 baud would be its share"):
        divisor_for(12.5e6, 1_000_000)
    with pytest.raises(ConfigError, match="the fastest is 3000000"):
        divisor_for(12e6, 6_000_000)
    assert [cycles_log2(1e6, time) for time in (1e-6, 3e-6, 8e-6)] == [1, 1, 3]
