"""Golden model of quantized rows, against exact fractions and its own promises."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimlico.verif.kv.quant import quantize, restore, worst_error

BITS = [2, 4, 8]


def round_trip(rows, bits):
    return restore(*quantize(rows, bits), bits)


def rows_of(width):
    element = st.integers(-(1 << width - 1), (1 << width - 1) - 1)
    return st.lists(element, min_size=2, max_size=24)


@pytest.mark.parametrize("bits", BITS)
@given(rows_of(32) | rows_of(16) | rows_of(4))
def test_levels_are_the_nearest_and_the_restored_are_where_the_levels_say(bits, row):
    q, zero, scale = quantize([row], bits)
    top, low, span = 2**bits - 1, min(row), max(row) - min(row)
    assert zero[0] == low
    assert scale[0] == floor(Fraction(span, top) * 2 ** (bits + 1)) < 1 << 34
    for x, level in zip(row, q[0], strict=True):
        exact = Fraction((x - low) * top, span) if span else 0
        assert level == floor(exact + Fraction(1, 2)) if span else level == 0
    for level, value in zip(q[0], restore(q, zero, scale, bits)[0], strict=True):
        step = Fraction(int(scale[0]), 2 ** (bits + 1))
        assert value == low + floor(int(level) * step + Fraction(1, 2))


@pytest.mark.parametrize("bits", BITS)
@given(rows_of(32))
def test_ends_are_exact_range_is_kept_and_the_error_is_bounded(bits, row):
    row = np.array(row)
    back = round_trip(row[None], bits)[0]
    assert (back[row == row.min()] == row.min()).all()
    assert (back[row == row.max()] == row.max()).all()
    assert back.min() == row.min() and back.max() == row.max()
    assert np.abs(back - row).max() <= worst_error(np.ptp(row), bits)


@pytest.mark.parametrize("bits", BITS)
def test_every_element_of_every_row_of_small_span(bits):
    for span in range(700):
        row = np.arange(span + 1)
        back = round_trip([row], bits)[0]
        assert (back[0], back[-1]) == (0, span)
        assert (np.diff(back) >= 0).all()
        assert np.abs(back - row).max() <= worst_error(span, bits)


@pytest.mark.parametrize("bits", BITS)
def test_ends_are_exact_for_every_span_of_16_bits(bits):
    span = np.arange(1 << 16)
    rows = np.stack([np.full_like(span, -(1 << 15)), span - (1 << 15)], axis=1)
    np.testing.assert_array_equal(round_trip(rows, bits), rows)


@pytest.mark.parametrize("bits", BITS)
def test_the_bound_is_reached_by_some_row(bits):
    spans = [span for span in range(2, 2000)
             if np.abs(round_trip([np.arange(span + 1)], bits) - np.arange(span + 1)).max()
             == worst_error(span, bits)]
    assert spans


@pytest.mark.parametrize("bits", BITS)
def test_the_widest_row_of_32_bits(bits):
    low, high = -(1 << 31), (1 << 31) - 1
    q, zero, scale = quantize([[low, high, -1, 0]], bits)
    half = 1 << bits - 1
    np.testing.assert_array_equal(q, [[0, 2 * half - 1, half - 1, half]])
    assert scale[0] == (2**32 - 1) * 2 ** (bits + 1) // (2**bits - 1)
    np.testing.assert_array_equal(restore(q, zero, scale, bits)[0, :2], [low, high])


def test_rows_of_equal_elements_come_back():
    rows = np.array([[5, 5, 5], [-8, -8, -8], [0, 0, 0]])
    np.testing.assert_array_equal(round_trip(rows, 4), rows)
    np.testing.assert_array_equal(restore([[0, 9, 15]], [-7], [0], 4), [[-7, -7, -7]])


def test_ties_go_up():
    q, *_ = quantize([[0, 1, 2, 3, 4, 5, 6]], 2)
    np.testing.assert_array_equal(q, [[0, 1, 1, 2, 2, 3, 3]])
