"""The golden arithmetic of the PIM banks against rationals, one dot at a time."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from pim_operands import operands
from rationals import decode, encode, exact_product, exact_sum

from pimlico.hdl.pim.config import PimConfig
from pimlico.verif import floating
from pimlico.verif.pim.arithmetic import accumulate, dots, flags

FLOATS = list(itertools.product(("bf16", "fp16"), ("fp32", "fmt"), ("keep", "flush")))
NAN, NOTHING = (0, "nan"), (0, Fraction(0))


def made(fmt, acc, subnormals, **more):
    return PimConfig(fmt=fmt, acc=acc, subnormals=subnormals, allow_lossy=True,
                     **{"lanes": 4, **more})


def scale(code, kind):
    """Exponent of two of the hidden bit, there or not."""
    return max(code >> kind.fraction_bits & kind.exponent_max, 1) - kind.bias


def aligned(config, xs, ys):
    """Bits of a dot, by its definition."""
    kind, out = config.fmt_format, config.acc_format
    products, scales = [], []
    for x, y in zip(xs, ys, strict=True):
        products.append(exact_product(decode(x, kind, config.subnormals),
                                      decode(y, kind, config.subnormals)))
        scales.append(scale(x, kind) + scale(y, kind))
    special = NOTHING
    for product in products:
        if product[1] in ("nan", "inf"):
            special = product if special == NOTHING else exact_sum(special, product)
    if special != NOTHING:
        return encode(*special, out, config.subnormals)
    top = max((scale for scale, (_, size) in zip(scales, products, strict=True) if size),
              default=0)
    # significands below 2 have products below 4, and the top bit of the word weighs 2
    last = top + 1 - (config.align_bits - 1)
    if config.subnormals == "keep":
        bits = max(config.align_bits + round(math.log2(config.lanes)), out.precision + 2)
        last = max(last, 1 - out.bias - (bits - 1))
    unit = Fraction(2) ** last
    total = sum((-1) ** sign * math.floor(size / unit) * unit for sign, size in products)
    return encode(int(total < 0), abs(total), out, config.subnormals)


def tree(config, xs, ys):
    kind, out, mode = config.fmt_format, config.acc_format, config.subnormals
    terms = [encode(*exact_product(decode(x, kind, mode), decode(y, kind, mode)), out, mode)
             for x, y in zip(xs, ys, strict=True)]
    while config.arith == "ieee_tree" and len(terms) > 1:
        terms = [encode(*exact_sum(decode(a, out, mode), decode(b, out, mode)), out, mode)
                 for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms


def label(value):
    return str(value)


@pytest.mark.parametrize("align_bits", [12, 15, 24, 28])
@pytest.mark.parametrize("lanes", [4, 16])
@pytest.mark.parametrize("floats", FLOATS, ids="-".join)
def test_aligned_dots_against_rationals(floats, lanes, align_bits, seed):
    config = made(*floats, lanes=lanes, align_bits=align_bits)
    x, y = operands(np.random.default_rng(seed), config, 300)
    expected = [[aligned(config, *row)] for row in zip(x[:, 0].tolist(), y[:, 0].tolist(),
                                                      strict=True)]
    assert dots(config, x[:, 0], y[:, 0]).tolist() == expected


@pytest.mark.parametrize("arith", ["ieee_tree", "lane_mac"])
@pytest.mark.parametrize("floats", FLOATS, ids="-".join)
def test_rounded_products_and_trees_against_rationals(floats, arith, seed):
    config = made(*floats, arith=arith, lanes=8)
    x, y = operands(np.random.default_rng(seed), config, 300)
    expected = [tree(config, *row) for row in zip(x[:, 0].tolist(), y[:, 0].tolist(),
                                                  strict=True)]
    assert dots(config, x[:, 0], y[:, 0]).tolist() == expected


@pytest.mark.parametrize("arith", ["exact", "lane_mac"])
def test_integers_against_python(arith, seed):
    config = PimConfig(fmt="int8", arith=arith, lanes=32, reuse=3)
    x, y = operands(np.random.default_rng(seed), config, 200)

    def signed(code):
        return code - 256 * (code > 127)

    products = [[[signed(a) * signed(b) for a, b in zip(row[0], vector, strict=True)]
                 for vector in vectors] for row, vectors in zip(x.tolist(), y.tolist(),
                                                                strict=True)]
    expected = [[[sum(vector) % (1 << 32)] for vector in row] for row in products]
    if arith == "lane_mac":
        expected = [[[value % (1 << 32) for value in vector] for vector in row]
                    for row in products]
    found = dots(config, x, y)
    assert found.tolist() == expected
    acc = np.uint64(0x7FFF_FFFF)
    assert accumulate(config, acc, found).tolist() == [
        [[(value + 0x7FFF_FFFF) % (1 << 32) for value in vector] for vector in row]
        for row in expected]


@pytest.mark.parametrize("floats", FLOATS, ids="-".join)
def test_accumulation_is_a_rounded_sum(floats, seed):
    config = made(*floats)
    kind, mode = config.acc_format, config.subnormals
    addends = dots(config, *operands(np.random.default_rng(seed), config, 400))[:, 0, 0]
    acc = expected = 1 << kind.width - 1
    for addend in addends.tolist():
        acc = accumulate(config, acc, addend).item()
        expected = encode(*exact_sum(decode(expected, kind, mode), decode(addend, kind, mode)),
                          kind, mode)
        assert acc == expected
        if acc & kind.infinity == kind.infinity:
            acc = expected = 0


def test_shapes_and_flags():
    config = PimConfig(lanes=4, reuse=3)
    one, infinity, nan = 0x3F80, 0x7F80, 0xFFC1
    column = np.array([[one, 0, 0, 0], [infinity, 0, 0, 0], [one, one, one, 0x8000 | one]])
    vectors = np.array([[one] * 4, [one, 0, 0, nan], [0, one, 0, 0]])
    sums = dots(config, column[:, None], vectors)
    assert sums.shape == (3, 3, 1) and sums.dtype == np.uint64
    assert sums[..., 0].tolist() == [[0x3F80_0000, 0x7FC0_0000, 0],
                                     [0x7F80_0000, 0x7FC0_0000, 0x7FC0_0000],
                                     [0x4000_0000, 0x7FC0_0000, 0x3F80_0000]]
    assert flags(config, sums[..., 0]).tolist() == [1, 3, 1]
    lanes = PimConfig(lanes=4, arith="lane_mac", reuse=3)
    assert dots(lanes, column[:, None], vectors).shape == (3, 3, 4)
    assert flags(PimConfig(fmt="int8"), np.array([[0x7F80_0000]])).tolist() == [0]


@pytest.mark.parametrize("subnormals", ["keep", "flush"])
def test_words_wide_enough_give_the_sum_rounded_once(subnormals, seed):
    """Where no bit leaves a word, it is as from float64."""
    config = made("bf16", "fp32", subnormals, lanes=16, align_bits=28)
    kind = config.fmt_format
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(0, 1 << kind.fraction_bits, (1000, 16))
            + (rng.integers(kind.bias - 3, kind.bias + 3, (1000, 16)) << kind.fraction_bits)
            + (rng.integers(0, 2, (1000, 16)) << kind.width - 1) for _ in range(2))
    exact = (floating.values(x, kind) * floating.values(y, kind)).sum(axis=-1)
    exact = np.where(exact == 0, 0.0, exact)
    assert (dots(config, x, y)[:, 0] == floating.nearest(exact, config.acc_format)).all()
