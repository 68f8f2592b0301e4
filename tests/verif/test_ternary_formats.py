import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.verif.bits import pack, unpack, unpack_bytes
from pimlico.verif.ternary.codecs import encode_tq1_0, encode_tq2_0
from pimlico.verif.ternary.formats import (
    activation_beats,
    activation_order,
    beats,
    decode_beats,
)
from pimlico.verif.ternary.golden import gemv, keys_from_trits

CONFIGS = {
    "keys": {},
    "keys, mu 1": {"mu": 1, "luts": 3, "keys": 3},
    "keys, mu 3": {"mu": 3, "luts": 3, "keys": 5, "act": "int4"},
    "keys, mu 4": {"mu": 4, "luts": 2, "keys": 3},
    "keys, mu 5": {"mu": 5, "luts": 2, "keys": 4, "act": "int16"},
    "keys, one": {"table": "none", "luts": 1, "keys": 1},
    "two_bit": {"weight_format": "two_bit"},
    "two_bit, odd": {"weight_format": "two_bit", "mu": 1, "luts": 3, "keys": 3},
    "base3x5": {"weight_format": "base3x5", "luts": 5},
    "base3x5, mu 5": {"weight_format": "base3x5", "mu": 5, "luts": 3, "keys": 5},
    "tq1_0, 1 byte": {"weight_format": "tq1_0", "mu": 1, "luts": 5, "keys": 3},
    "tq1_0, 3 bytes": {"weight_format": "tq1_0", "mu": 3, "luts": 5, "keys": 2},
    "tq1_0, 4 bytes": {"weight_format": "tq1_0", "mu": 4, "luts": 5, "keys": 2},
    "tq1_0, 48 bytes": {"weight_format": "tq1_0", "mu": 5, "luts": 48, "keys": 2},
    "tq2_0, 1 byte": {"weight_format": "tq2_0", "luts": 2, "keys": 3},
    "tq2_0, 64 bytes": {"weight_format": "tq2_0", "mu": 4, "luts": 64, "keys": 2},
}


every_config = pytest.mark.parametrize(
    "config", [TernaryConfig(**values) for values in CONFIGS.values()], ids=list(CONFIGS))


def job(config, seed):
    """Weights and activations of a job with tails, small."""
    rng = np.random.default_rng(seed)
    n = int(256 * rng.integers(1, 3) if config.block_format
            else rng.integers(1, 4 * config.columns + 2))
    m = int(rng.integers(1, 3 * config.keys + 2))
    x = rng.integers(-(1 << config.act_bits - 1), 1 << config.act_bits - 1, n)
    return rng.integers(-1, 2, (m, n), dtype=np.int8), x


@every_config
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_decoded_beats_are_the_weights(config, seed):
    trits, _ = job(config, seed)
    m, n = trits.shape
    words = beats(config, trits)
    assert len(words) == config.job_beats(n, m)
    decoded, invalid = decode_beats(config, words)
    assert not invalid.any()
    rows = decoded.reshape(-1, config.tile_beats(n), config.keys, config.columns)
    rows = rows.transpose(0, 2, 1, 3).reshape(-(-m // config.keys) * config.keys, -1)
    order = activation_order(config, n)
    assert sorted(order[order >= 0]) == list(range(n))
    np.testing.assert_array_equal(rows[:m][:, order >= 0], trits[:, order[order >= 0]])
    assert not rows[m:, order >= 0].any()
    if config.weight_format != "tq1_0":
        assert not rows[:, order < 0].any()


@every_config
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_beats_of_both_streams_multiply_to_the_product(config, seed):
    trits, x = job(config, seed)
    m, n = trits.shape
    weights, _ = decode_beats(config, beats(config, trits))
    activations = unpack(activation_beats(config, x, m), config.act_bits, config.columns)
    sums = np.einsum("bkc,bc->bk", weights.astype(np.int64), activations)
    results = sums.reshape(-1, config.tile_beats(n), config.keys).sum(axis=1).ravel()
    np.testing.assert_array_equal(results[:m], gemv(trits, x))
    assert not results[m:].any()


@every_config
def test_activation_beats_follow_the_port(config):
    trits, x = job(config, 3)
    m, n = 2 * config.keys + 1, trits.shape[1]
    port = config.port("a")
    order, count = activation_order(config, n), config.tile_beats(n)
    expected = []
    for beat in range(count):
        slots = order[beat * config.columns:(beat + 1) * config.columns]
        data = [int(x[slot]) if slot >= 0 else 0 for slot in slots]
        expected.append(port.pack({"data": data, "first": int(beat == 0),
                                   "last": int(beat == count - 1)}))
    assert activation_beats(config, x, m) == expected * 3


def test_a_lane_of_keys_holds_the_tables_in_order():
    config = TernaryConfig(mu=3, luts=2, keys=2)
    trits = np.array([[1, 0, -1, -1, 0, 0], [0, 0, 1, 1, 1, 1]], np.int8)
    keys = [int(key) for key in keys_from_trits(trits.reshape(4, 3))]
    assert beats(config, trits) == pack(np.array([keys]), 5) == [
        keys[0] | keys[1] << 5 | keys[2] << 10 | keys[3] << 15]


def test_tails_are_weights_of_zero():
    config = TernaryConfig(weight_format="two_bit", mu=1, luts=4, keys=2)
    trits = np.array([[1, 1, 1, 1, -1], [-1, -1, -1, -1, 1], [1, 1, -1, -1, 1]], np.int8)
    assert beats(config, trits) == [0x00AA, 0x5654, 0x550A, 0x5556]


def stored_bytes(config, trits):
    """The bytes of each row in the order the core reads them: (M, tile bytes)."""
    raw = unpack_bytes(beats(config, trits), config.keys * config.weight_bits)
    lanes = raw.reshape(-1, config.tile_beats(trits.shape[1]), config.keys,
                        config.weight_bits // 8)
    return lanes.transpose(0, 2, 1, 3).reshape(-1, lanes.shape[1] * lanes.shape[3])[:len(trits)]


@pytest.mark.parametrize("luts", [1, 4, 24])
def test_tq1_0_beats_are_the_bytes_of_the_block(luts):
    config = TernaryConfig(weight_format="tq1_0", mu=5, luts=luts, keys=3)
    trits = np.random.default_rng(luts).integers(-1, 2, (4, 512), dtype=np.int8)
    blocks = encode_tq1_0(trits, 1.0).reshape(8, 54)[:, :52]
    padded = np.zeros((8, config.block_beats * luts), np.uint8)
    padded[:, :52] = blocks
    np.testing.assert_array_equal(stored_bytes(config, trits), padded.reshape(4, -1))


@pytest.mark.parametrize("luts", [1, 4, 64])
def test_tq2_0_beats_are_the_bytes_of_the_block(luts):
    config = TernaryConfig(weight_format="tq2_0", mu=4, luts=luts, keys=3)
    trits = np.random.default_rng(luts).integers(-1, 2, (4, 512), dtype=np.int8)
    blocks = encode_tq2_0(trits, 1.0).reshape(8, 66)[:, :64]
    np.testing.assert_array_equal(stored_bytes(config, trits), blocks.reshape(4, -1))


def test_slots_of_tq1_0_that_carry_no_weight():
    config = TernaryConfig(weight_format="tq1_0", mu=5, luts=3, keys=1)
    order = activation_order(config, 512)
    assert order.size == 2 * 18 * 15
    empty = np.flatnonzero(order[:18 * 15] < 0).tolist()
    assert empty == [244, 249, 254, 259, *range(260, 270)]
    assert order[:5].tolist() == [0, 32, 64, 96, 128]
    assert order[240:244].tolist() == [240, 244, 248, 252]


@pytest.mark.parametrize(("name", "width", "bad"), [
    ("keys", 4, [5, 6, 7, 13, 14, 15]),
    ("keys, mu 1", 2, []),
    ("keys, mu 3", 5, [14, 15, 30, 31]),
    ("keys, mu 4", 7, [*range(41, 64), *range(105, 128)]),
    ("keys, mu 5", 8, [*range(122, 128), *range(250, 256)]),
    ("two_bit", 2, [3]),
    ("two_bit, odd", 2, [3]),
    ("base3x5", 8, list(range(243, 256))),
    ("tq1_0, 3 bytes", 8, []),
    ("tq2_0, 1 byte", 2, [3]),
])
def test_codes_without_weights_are_flagged_and_read_as_zeros(name, width, bad):
    config = TernaryConfig(**CONFIGS[name])
    codes = config.keys * config.weight_bits // width
    weights = config.macs // codes
    rng = np.random.default_rng(width)
    good = beats(config, rng.integers(-1, 2, (config.keys, 256), dtype=np.int8))[0]
    before, _ = decode_beats(config, [good])
    for position in {0, codes // 2, codes - 1}:
        place = slice(position * weights, (position + 1) * weights)
        cleared = good & ~((1 << width) - 1 << position * width)
        words = [cleared | code << position * width for code in range(1 << width)]
        decoded, invalid = decode_beats(config, words)
        assert np.flatnonzero(invalid).tolist() == bad
        flat = decoded.reshape(len(words), -1)
        assert not flat[bad, place].any()
        others = np.delete(flat, np.arange(config.macs)[place], axis=1)
        expected = np.delete(before.ravel(), np.arange(config.macs)[place])
        assert (others == expected).all()


def test_every_tq1_0_byte_is_read_by_the_multiply_by_3_trick():
    config = TernaryConfig(weight_format="tq1_0", mu=5, luts=1, keys=1)
    decoded, invalid = decode_beats(config, list(range(256)))
    assert not invalid.any()
    for byte in range(256):
        digits, fraction = [], byte
        for _ in range(5):
            digits.append((fraction * 3 >> 8) - 1)
            fraction = fraction * 3 & 255
        assert decoded[byte, 0].tolist() == digits


@every_config
def test_no_beats_decode_to_none(config):
    trits, invalid = decode_beats(config, [])
    assert trits.shape == (0, config.keys, config.columns)
    assert invalid.shape == (0,)


def test_a_row_of_part_of_a_block_is_refused():
    with pytest.raises(ValueError, match=r"^n must be a multiple of 256, not 300$"):
        activation_order(TernaryConfig(weight_format="tq2_0", luts=2), 300)
