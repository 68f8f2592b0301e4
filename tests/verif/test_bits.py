import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimlico.verif.bits import pack, unpack, unpack_bytes


@st.composite
def lanes_of_words(draw):
    """A width, and rows of lanes that fit it, two's complement."""
    width = draw(st.integers(1, 64))
    lanes = draw(st.integers(1, 9))
    lane = st.integers(-(1 << width - 1), (1 << width - 1) - 1)
    rows = draw(st.lists(st.lists(lane, min_size=lanes, max_size=lanes), max_size=4))
    return width, np.array(rows, np.int64).reshape(-1, lanes)


def naive(values, width):
    mask = (1 << width) - 1
    return [sum((int(lane) & mask) << width * at for at, lane in enumerate(row)) for row in values]


@settings(deadline=None)
@given(lanes_of_words())
def test_pack_is_the_naive_sum_of_shifted_lanes(case):
    width, values = case
    assert pack(values, width) == naive(values, width)


@settings(deadline=None)
@given(lanes_of_words())
def test_unpack_is_the_inverse_of_pack(case):
    width, values = case
    again = unpack(pack(values, width), width, values.shape[1])
    assert again.dtype == np.int64
    np.testing.assert_array_equal(again, values)


@settings(deadline=None)
@given(lanes_of_words())
def test_unsigned_lanes_are_the_signed_ones_modulo_their_range(case):
    width, values = case
    again = unpack(pack(values, width), width, values.shape[1], signed=False)
    assert again.tolist() == [[int(lane) % (1 << width) for lane in row] for row in values]


@pytest.mark.parametrize("width", [3, 8, 20])
def test_bits_above_the_lanes_are_ignored(width):
    values = np.array([[1, -1, 0], [-2, 2, 1]])
    words = [word | 5 << 3 * width for word in pack(values, width)]
    np.testing.assert_array_equal(unpack(words, width, 3), values)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_pack_takes_any_integer_type_and_layout(dtype):
    values = np.arange(12, dtype=dtype).reshape(3, 4)
    assert pack(values.T, 5) == naive(values.T, 5)


def test_pack_drops_the_bits_above_a_lane():
    assert pack(np.array([[0x1F3, -1]]), 4) == [0xF3]


def test_unpack_bytes_is_little_endian_and_masked():
    np.testing.assert_array_equal(unpack_bytes([0xFABC, 0x123], 12), [[0xBC, 0x0A], [0x23, 0x01]])


@pytest.mark.parametrize("width", [0, 65])
def test_a_width_out_of_range_is_refused(width):
    with pytest.raises(ValueError, match=f"^width must be 1 to 64, not {width}$"):
        pack(np.zeros((1, 1), np.int64), width)
