"""What the Ascon-AEAD128 core refuses at generation, word for word, and its derived numbers."""

import pytest

from pimlico.hdl.ascon.config import STATUS, AsconConfig, PageShape
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Stream

REFUSALS = {
    "rounds below": (
        {"rounds_per_cycle": 0},
        "rounds_per_cycle = 0: must be 1 to 4 (rounds of the permutation in a cycle: 1, 2 or 4)"),
    "rounds above": (
        {"rounds_per_cycle": 6},
        "rounds_per_cycle = 6: must be 1 to 4 (rounds of the permutation in a cycle: 1, 2 or 4)"),
    "three rounds": (
        {"rounds_per_cycle": 3},
        "rounds_per_cycle = 3: must divide 12 and 8: 1, 2 or 4; set it to 2 or 4"),
    "beat below": (
        {"beat_bits": 16},
        "beat_bits = 16: must be 32 to 128 (data of a beat of ad, text and result, in bits: 32, "
        "64 or 128)"),
    "beat above": (
        {"beat_bits": 256},
        "beat_bits = 256: must be 32 to 128 (data of a beat of ad, text and result, in bits: 32, "
        "64 or 128)"),
    "beat between": (
        {"beat_bits": 48}, "beat_bits = 48: must be 32, 64 or 128; set it to 64"),
    "beat between the wide ones": (
        {"beat_bits": 96}, "beat_bits = 96: must be 32, 64 or 128; set it to 128"),
    "mode": (
        {"mode": "hash"},
        "mode = hash: must be one of both, encrypt, decrypt (what it does: either, as the command "
        "says, or one alone)"),
    "unknown": (
        {"beat_width": 64},
        "beat_width = 64: must be one of rounds_per_cycle, beat_bits, mode; did you mean "
        "beat_bits?"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_names_field_value_legal_values_and_advice(case):
    parameters, message = REFUSALS[case]
    with pytest.raises(ConfigError) as error:
        AsconConfig(**parameters)
    assert str(error.value) == message


def test_ports_are_those_that_the_mode_needs():
    def ports(mode):
        return {port.name: [field.name for field in port.fields] if isinstance(port, Stream) else []
                for port in AsconConfig(mode=mode).ports}

    both = ports("both")
    assert both["cmd"] == ["key", "nonce", "decrypt"]
    assert both["done"] == ["tag", "code"]
    assert ports("encrypt") == {
        name: fields for name, fields in both.items() if name != "tag"} | {
        "cmd": ["key", "nonce"]}
    assert ports("decrypt") == both | {"cmd": ["key", "nonce"], "done": ["code"]}


@pytest.mark.parametrize("beat_bits,size_bits", [(32, 3), (64, 4), (128, 5)])
def test_a_beat_says_how_many_bytes_it_has(beat_bits, size_bits):
    config = AsconConfig(beat_bits=beat_bits)
    for name in ("ad", "text", "result"):
        assert config.port(name).width == beat_bits + size_bits + 1
    assert config.beat_bytes < 1 << size_bits <= 2 * config.beat_bytes


@pytest.mark.parametrize("rounds,beat_bits,block,interval", [
    (1, 32, 8, 2), (1, 128, 8, 8), (2, 64, 4, 2), (2, 32, 5, 2), (4, 128, 2, 2), (4, 64, 3, 2)])
def test_cycles_of_a_block(rounds, beat_bits, block, interval):
    config = AsconConfig(rounds_per_cycle=rounds, beat_bits=beat_bits)
    assert (config.block_cycles, config.interval) == (block, interval)


def test_every_status_code_has_its_text():
    assert list(STATUS) == list(range(3))
    assert all(STATUS.values())


@pytest.mark.parametrize("change,message", [
    ({"beat_width": 96}, "beat_width must be one of (32, 64, 128, 256, 512), not 96"),
    ({"beats": 4}, "beats must be at least 5 of 32 bits, not 4"),
    ({"beat_width": 64, "beats": 2}, "beats must be at least 3 of 64 bits, not 2"),
    ({"beat_width": 128, "beats": 1}, "beats must be at least 2 of 128 bits, not 1"),
    ({"address_bits": 0}, "address_bits must be 1 to 64, not 0"),
    ({"address_bits": 65}, "address_bits must be 1 to 64, not 65"),
    ({"version_bits": 65}, "version_bits must be 1 to 64, not 65"),
    ({"rounds_per_cycle": 3}, "rounds_per_cycle must be one of (1, 2, 4), not 3"),
], ids=str)
def test_pages_that_no_page_cipher_takes_are_refused(change, message):
    usual = {"beat_width": 32, "beats": 5, "address_bits": 8, "version_bits": 8,
             "rounds_per_cycle": 1}
    with pytest.raises(ValueError) as error:
        PageShape(**usual | change)
    assert str(error.value) == message


def test_text_of_a_page():
    page = PageShape(32, 11, 8, 8, 1)
    assert (page.text_bits, page.blocks, page.tail) == (224, 1, 96)
