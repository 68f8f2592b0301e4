import numpy as np
import pytest
from gguf.quants import TQ1_0, TQ2_0
from hypothesis import given, settings
from hypothesis import strategies as st

from pimlico.verif.ternary.codecs import (
    FormatError,
    decode_base3x5,
    decode_hf_bitnet,
    decode_keys,
    decode_tq1_0,
    decode_tq2_0,
    decode_two_bit,
    encode_base3x5,
    encode_hf_bitnet,
    encode_keys,
    encode_tq1_0,
    encode_tq2_0,
    encode_two_bit,
)

GGUF = {
    "TQ1_0": (encode_tq1_0, decode_tq1_0, TQ1_0),
    "TQ2_0": (encode_tq2_0, decode_tq2_0, TQ2_0),
}


def random_trits(seed, *shape):
    return np.random.default_rng(seed).integers(-1, 2, shape, dtype=np.int8)


def test_base3_digits_run_from_the_most_significant():
    assert encode_base3x5(np.array([1, -1, -1, -1, 0], np.int8)).tolist() == [2 * 81 + 1]


def test_every_base3_byte_is_its_own_weights():
    data = np.arange(243, dtype=np.uint8)
    trits = decode_base3x5(data)
    assert trits.shape == (1215,)
    np.testing.assert_array_equal(encode_base3x5(trits), data)


@pytest.mark.parametrize("value", range(243, 256))
def test_a_base3_byte_above_242_is_refused(value):
    data = np.array([[0, 242], [1, value]], np.uint8)
    with pytest.raises(FormatError) as caught:
        decode_base3x5(data)
    assert str(caught.value) == f"at offset 3: base-3 byte {value} is above 242"
    assert caught.value.offset == 3


def test_two_bit_codes_run_from_the_low_bits():
    assert encode_two_bit(np.array([1, -1, 0, -1], np.int8)).tolist() == [0b00_01_00_10]


def test_every_two_bit_byte_is_its_own_weights_or_refused():
    refused = []
    for value in range(256):
        data = np.array([0, value], np.uint8)
        try:
            np.testing.assert_array_equal(encode_two_bit(decode_two_bit(data)), data)
        except FormatError as error:
            assert str(error) == f"at offset 1: byte {value} holds the 2-bit code 3"
            refused.append(value)
    assert refused == [value for value in range(256) if "3" in np.base_repr(value, 4)]


@pytest.mark.parametrize("mu", range(1, 6))
def test_keys_round_trip(mu):
    trits = random_trits(mu, 3, 40 * mu)
    keys = encode_keys(trits, mu)
    assert keys.shape == (3, 40)
    np.testing.assert_array_equal(decode_keys(keys, mu), trits)


def test_a_key_above_the_table_is_refused():
    with pytest.raises(FormatError) as caught:
        decode_keys(np.array([0, 4, 12, 8 + 5]), 2)
    assert str(caught.value) == "at offset 3: key 13 has an index above 4"


@pytest.mark.parametrize("kind", GGUF)
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_gguf_blocks_are_those_of_the_gguf_package(kind, seed):
    encode, decode, reference = GGUF[kind]
    rng = np.random.default_rng(seed)
    trits = random_trits(seed, 2, 768)
    d = rng.uniform(0.01, 4, (2, 3)).astype(np.float16)
    values = trits * np.repeat(d.astype(np.float32), 256, axis=1)
    data = reference.quantize(values)
    np.testing.assert_array_equal(encode(trits, d), data)
    again, scales = decode(data)
    np.testing.assert_array_equal(again, trits)
    np.testing.assert_array_equal(scales, d.astype(np.float32))


def test_every_tq1_0_byte_decodes_as_in_the_gguf_package():
    data = np.zeros((256, 54), np.uint8)
    data[:] = np.arange(256)[:, None]
    data[:, 52:] = np.array([1.0], "<f2").view(np.uint8)
    trits, scales = decode_tq1_0(data)
    np.testing.assert_array_equal(trits, TQ1_0.dequantize(data))
    assert (scales == 1).all()


def test_every_tq2_0_byte_decodes_as_in_the_gguf_package():
    legal = [value for value in range(256) if "3" not in np.base_repr(value, 4)]
    data = np.zeros((len(legal), 66), np.uint8)
    data[:] = np.array(legal)[:, None]
    data[:, 64:] = np.array([0.5], "<f2").view(np.uint8)
    trits, scales = decode_tq2_0(data)
    np.testing.assert_array_equal(trits * scales, TQ2_0.dequantize(data))


def test_tq2_0_counts_the_offset_of_a_bad_code_with_the_scales():
    data = encode_tq2_0(random_trits(1, 2, 512), 1.0)
    data[1, 66 + 5] = 0b1101
    with pytest.raises(FormatError) as caught:
        decode_tq2_0(data)
    assert str(caught.value) == f"at offset {3 * 66 + 5}: byte 13 holds the 2-bit code 3"


@pytest.mark.parametrize("m", [1, 4, 5, 6, 8, 11])
def test_hf_bitnet_packs_along_the_rows(m):
    trits = random_trits(m, m, 7)
    data = encode_hf_bitnet(trits)
    rows = -(-m // 4)
    assert data.shape == (rows, 7)
    for row, column in np.ndindex(m, 7):
        code = data[row % rows, column] >> 2 * (row // rows) & 3
        assert code == trits[row, column] + 1
    np.testing.assert_array_equal(decode_hf_bitnet(data, m), trits)


def test_hf_bitnet_reads_the_example_of_its_documentation():
    data = np.array([[0b10100001, 0b00011000], [0b10010000, 0b00001010]], np.uint8)
    assert decode_hf_bitnet(data).tolist() == [
        [0, -1], [-1, 1], [-1, 1], [-1, 1], [1, 0], [0, -1], [1, -1], [1, -1]]


def test_hf_bitnet_refuses_the_code_3():
    with pytest.raises(FormatError) as caught:
        decode_hf_bitnet(np.array([[0, 0], [0b00_11_00_00, 0]], np.uint8))
    assert str(caught.value) == "at offset 2: byte 48 holds the 2-bit code 3"
