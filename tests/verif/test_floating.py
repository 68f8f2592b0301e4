"""The golden model of floating point against rationals, NumPy and ml_dtypes."""

import itertools
import math
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from float_operands import integers, number, numbers, pairs
from rationals import decode, encode, exact_product, exact_sum

from pimlico.hdl.common.float.config import BF16, FORMATS, FP16, FP32, FloatFormat
from pimlico.verif import floating

FP8 = FloatFormat("fp8_e4", 4, 3)
TYPES = {FP16: (np.float16, np.uint16), BF16: (ml_dtypes.bfloat16, np.uint16),
         FP32: (np.float32, np.uint32)}
MODES = ("keep", "flush")
MIXED = [(FP16, FP16, FP16), (BF16, BF16, BF16), (FP32, FP32, FP32), (FP32, FP16, FP32),
         (FP16, FP16, FP32), (BF16, BF16, FP32), (FP16, BF16, FP32), (FP32, FP32, BF16),
         (FP32, FP32, FP16), (FP8, FP8, FP8), (FP16, FP8, BF16)]


def name(value):
    return getattr(value, "name", None) or str(value)


def sample(x, y, rng, count=1500):
    chosen = rng.integers(0, x.size, count)
    return x[chosen], y[chosen]


@pytest.mark.parametrize("subnormals", MODES)
@pytest.mark.parametrize("formats", MIXED, ids=lambda formats: "-".join(map(name, formats)))
@pytest.mark.parametrize(("golden", "exact"), [
    (floating.add, exact_sum), (floating.multiply, exact_product)], ids=["add", "multiply"])
def test_pairs_against_rationals(golden, exact, formats, subnormals, seed):
    a, b, out = formats
    rng = np.random.default_rng(seed)
    x, y = sample(*pairs(rng, a, b, 2), rng)
    near = number(rng, b, np.clip(  # exponents where significands overlap, about the same value
        (x >> np.uint64(a.fraction_bits) & np.uint64(a.exponent_max)).astype(np.int64)
        - a.bias + b.bias + rng.integers(-30, 30, x.size), 0, b.exponent_max))
    x, y = np.concatenate([x, x]), np.concatenate([y, near])
    expected = [encode(*exact(decode(p, a, subnormals), decode(q, b, subnormals)), out, subnormals)
                for p, q in zip(x.tolist(), y.tolist(), strict=True)]
    assert golden(x, y, a, b, out, subnormals).tolist() == expected


@pytest.mark.parametrize("subnormals", MODES)
def test_all_pairs_of_a_small_format_against_rationals(subnormals):
    kind = FloatFormat("e3m2", 3, 2)
    every = np.arange(1 << kind.width)
    x, y = (grid.ravel() for grid in np.meshgrid(every, every))
    for golden, exact in ((floating.add, exact_sum), (floating.multiply, exact_product)):
        expected = [encode(*exact(decode(p, kind, subnormals), decode(q, kind, subnormals)), kind,
                           subnormals) for p, q in zip(x.tolist(), y.tolist(), strict=True)]
        assert golden(x, y, kind, kind, kind, subnormals).tolist() == expected


@pytest.mark.parametrize("subnormals", MODES)
@pytest.mark.parametrize(("source", "out"), list(itertools.product(
    [*FORMATS.values(), FP8], repeat=2)), ids=name)
def test_conversions_against_rationals(source, out, subnormals, seed):
    rng = np.random.default_rng(seed)
    x = number(rng, source, rng.integers(0, source.exponent_max + 1, 4000))
    expected = [encode(*decode(p, source, subnormals), out, subnormals) for p in x.tolist()]
    assert floating.convert(x, source, out, subnormals).tolist() == expected


@pytest.mark.parametrize("out", [*FORMATS.values(), FP8], ids=name)
def test_integers_against_rationals(out, seed):
    x = integers(np.random.default_rng(seed), 64, 4000)
    expected = [encode(int(value < 0), Fraction(abs(value)), out, "keep") for value in x.tolist()]
    assert floating.from_int(x, out).tolist() == expected


@pytest.mark.parametrize(("source", "out"), list(itertools.permutations(
    FORMATS.values(), 2)), ids=name)
def test_conversions_against_numpy(source, out, seed):
    x = numbers(np.random.default_rng(seed), source, 1000)
    given = x.astype(TYPES[source][1]).view(TYPES[source][0])
    with np.errstate(over="ignore", invalid="ignore"):
        there = given.astype(np.float32).astype(TYPES[out][0]).view(TYPES[out][1])
    assert (floating.convert(x, source, out) == floating.canonical(there, out)).all()


@pytest.mark.parametrize("kind", FORMATS.values(), ids=name)
@pytest.mark.parametrize("operation", ["add", "multiply"])
def test_arithmetic_against_numpy(operation, kind, seed):
    x, y = pairs(np.random.default_rng(seed), kind, kind, 2)
    a, b = (bits.astype(TYPES[kind][1]).view(TYPES[kind][0]) for bits in (x, y))
    with np.errstate(over="ignore", invalid="ignore"):
        there = getattr(np, operation)(a, b).view(TYPES[kind][1])
    found = getattr(floating, operation)(x, y, kind, kind, kind)
    assert (found == floating.canonical(there, kind)).all()


def test_signs_and_nans():
    minus_zero, nan = 0x8000, FP16.nan
    bits = np.array([0, minus_zero, 0x7C01, 0xFE00, 0x3C00])
    assert floating.negate(bits, FP16).tolist() == [minus_zero, 0, 0xFC01, 0x7E00, 0xBC00]
    assert floating.is_nan(bits, FP16).tolist() == [False, False, True, True, False]
    assert floating.canonical(bits, FP16).tolist() == [0, minus_zero, nan, nan, 0x3C00]
    assert math.copysign(1, floating.values(bits, FP16)[1]) == -1


def test_products_that_float64_does_not_hold_are_refused():
    wide = FloatFormat("wide", 8, 30)
    with pytest.raises(ValueError, match="not exact"):
        floating.multiply([0], [0], wide, FP32, FP32)
