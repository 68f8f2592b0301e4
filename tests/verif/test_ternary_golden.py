from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimlico.hdl.ternary.config import KEY_BITS
from pimlico.verif.ternary.golden import (
    gemv,
    key_trits,
    keys_from_trits,
    output_divided,
    output_multiplied,
    quantize_activations,
    quantize_weights,
    requant,
    table,
    trits_from_keys,
    wrap,
)

seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(seeds, st.integers(1, 40), st.integers(1, 70), st.sampled_from([4, 8, 16]))
def test_gemv_is_the_plain_sum_of_products(seed, m, n, bits):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-1, 2, (m, n), dtype=np.int8)
    x = rng.integers(-(1 << bits - 1), 1 << bits - 1, n)
    addend = rng.integers(-1000, 1000, m)
    plain = [sum(int(w) * int(v) for w, v in zip(row, x, strict=True)) + int(extra)
             for row, extra in zip(weights, addend, strict=True)]
    assert gemv(weights, x, addend).tolist() == plain


def test_gemv_reaches_the_extreme_of_the_longest_row():
    n = 1 << 20
    weights = np.full((3, n), -1, np.int8)
    assert gemv(weights, np.full(n, -32768, np.int16)).tolist() == [1 << 35] * 3


def test_gemv_is_exact_beyond_the_precision_of_a_double():
    x = np.array([(1 << 53) + 1, 1])
    assert gemv(np.array([[1, 1], [-1, 0]], np.int8), x).tolist() == [(1 << 53) + 2, -(1 << 53) - 1]


def test_gemv_wraps_as_a_narrow_accumulator_does():
    weights = np.array([[1, 1], [-1, -1], [1, -1]], np.int8)
    assert gemv(weights, np.array([100, 100]), acc_width=8).tolist() == [-56, 56, 0]


@settings(deadline=None)
@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(1, 64))
def test_wrap_keeps_the_low_bits(value, width):
    wrapped = int(wrap(value, width))
    assert (wrapped - value) % (1 << width) == 0
    assert -(1 << width - 1) <= wrapped < 1 << width - 1


@pytest.mark.parametrize("mu", range(1, 6))
def test_keys_of_all_groups(mu):
    groups = np.array(list(product((-1, 0, 1), repeat=mu)), np.int8)
    sign = 1 << KEY_BITS[mu] - 1
    expected = []
    for group in groups.tolist():
        v = 0
        for weight in group:
            v = 3 * v + weight
        expected.append(abs(v) + (sign if v < 0 else 0))
    keys = keys_from_trits(groups)
    assert keys.tolist() == expected
    assert len(set(expected)) == 3**mu
    np.testing.assert_array_equal(trits_from_keys(keys, mu), groups)


@pytest.mark.parametrize("mu", range(1, 6))
def test_keys_without_weights_read_as_zeros(mu):
    half = 1 << KEY_BITS[mu] - 1
    beyond = np.arange((3**mu + 1) // 2, half)
    for keys in (beyond, beyond + half, np.array([half])):
        assert not trits_from_keys(keys, mu).any()
    assert key_trits(mu).shape == (2 * half, mu)


@pytest.mark.parametrize("mu", range(1, 6))
def test_fetching_from_the_table_gives_the_product(mu):
    rng = np.random.default_rng(mu)
    x = rng.integers(-128, 128, (3, 4 * mu))
    tables = table(x, mu)
    assert tables.shape == (3, 4, (3**mu + 1) // 2)
    sign = 1 << KEY_BITS[mu] - 1
    for group in np.array(list(product((-1, 0, 1), repeat=mu)), np.int8):
        key = int(keys_from_trits(group))
        fetched = tables[..., key & sign - 1] * (-1 if key & sign else 1)
        np.testing.assert_array_equal(fetched, x.reshape(3, 4, mu) @ group.astype(int))


@settings(deadline=None)
@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-5000, 5000), min_size=1),
       st.integers(0, 65535), st.integers(0, 31))
def test_requant_is_the_rounded_fraction_saturated(acc, multiplier, shift):
    expected = [max(-128, min(127, round(Fraction(value * multiplier, 1 << shift))))
                for value in acc]
    assert requant(np.array(acc), multiplier, shift).tolist() == expected


def test_requant_rounds_ties_to_even():
    assert requant(np.array([1, 3, 5, -1, -3, -5]), 1, 1).tolist() == [0, 2, 2, 0, -2, -2]


def test_requant_of_large_accumulators_by_the_smallest_factor():
    acc = np.array([1 << 37, -(1 << 38), 1 << 38, (1 << 63) - 1, -(1 << 63)])
    assert requant(acc, 1, 31).tolist() == [64, -128, 127, 127, -128]
    assert requant(acc, 0, 0).tolist() == [0] * 5


def test_activations_are_scaled_by_their_largest():
    q, s = quantize_activations(np.array([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0]], np.float32))
    assert q.dtype == np.int8
    assert s.dtype == np.float32
    assert q.tolist() == [[64, -127, 32], [0, 0, 0]]
    np.testing.assert_allclose(s, [[127.0], [127e5]], rtol=1e-6)


@pytest.mark.parametrize(("bits", "most"), [(4, 7), (8, 127), (16, 32767)])
def test_activations_of_any_width_reach_their_extreme(bits, most):
    q, s = quantize_activations(np.array([2.0, -2.0, 1e-9]), bits)
    assert q.tolist() == [most, -most, 0]
    assert s.tolist() == [most / 2]


def test_weights_are_scaled_by_their_mean_magnitude():
    trits, s = quantize_weights(np.array([[1.0, -1.0, 0.1], [0.4, -3.0, 0.5]], np.float32))
    assert s == pytest.approx(1.0)
    assert trits.tolist() == [[1, -1, 0], [0, -1, 0]]
    assert quantize_weights(np.zeros((2, 2)))[1] == pytest.approx(1e5)


def test_both_output_scales_restore_the_product():
    rng = np.random.default_rng(7)
    trits = rng.integers(-1, 2, (6, 64), dtype=np.int8)
    x = rng.standard_normal(64)
    q, s_a = quantize_activations(x, 16)
    acc, d = gemv(trits, q), 0.03
    exact = (trits * d) @ x
    np.testing.assert_allclose(output_multiplied(acc, d, s_a), exact, atol=1e-4)
    np.testing.assert_allclose(output_divided(acc, 1 / d, s_a), exact, atol=1e-4)
