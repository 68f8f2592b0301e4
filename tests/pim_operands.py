"""Columns and vectors for MAC units: where sums align, cancel, overflow and underflow."""

import numpy as np
from float_operands import landmarks, number


def operands(rng, config, count):
    """Columns and vectors, as codes of shapes (count, 1, lanes) and (count, reuse, lanes)."""
    if not config.floating:
        return tuple(_integers(rng, (count, reuse, config.lanes)) for reuse in (1, config.reuse))
    kind, out = config.fmt_format, config.acc_format
    middle = rng.integers(0, kind.exponent_max, (count, 2))
    # exponents of products near the ends of the accumulators' range
    end = rng.choice([1 - out.bias, out.bias], count) + rng.integers(-30, 10, count)
    middle[:, 1] = np.where(rng.random(count) < 0.4, 2 * kind.bias + end - middle[:, 0],
                            middle[:, 1])
    spread = rng.choice([0, 1, 4, 12, 40], count)
    x, y = (_floats(rng, kind, (count, reuse, config.lanes), middle[:, side], spread)
            for side, reuse in ((0, 1), (1, config.reuse)))
    _cancel(rng, kind, x, y)
    return x, y


def _integers(rng, shape):
    """Codes of int8, many of them at the ends."""
    ends = rng.choice(np.array([0x80, 0x7F, 0x81, 0xFF, 0, 1], np.uint64), shape)
    mostly = rng.random((shape[0], 1, 1)) ** 3
    return np.where(rng.random(shape) < mostly, ends,
                    rng.integers(0, 256, shape).astype(np.uint64))


def _floats(rng, kind, shape, middle, spread):
    """Numbers about an exponent; zeros among them, and in some rows landmarks."""
    middle, spread = (each[:, None, None] for each in (middle, spread))
    exponent = np.rint(middle + spread * rng.uniform(-1, 1, shape))
    exponent = np.clip(exponent, 0, kind.exponent_max - 1)
    plain = number(rng, kind, exponent.ravel()).reshape(shape)
    marks = rng.choice(landmarks(kind), shape)
    often = rng.choice([0, 0, 0, 0.1, 1], (shape[0], 1, 1))
    found = np.where(rng.random(shape) < often, marks, plain)
    return np.where(rng.random(shape) < 0.03, found & np.uint64(1 << kind.width - 1), found)


def _cancel(rng, kind, x, y):
    """In some rows lanes get the products of others, with the opposite sign, or nearly so."""
    count, _, lanes = x.shape
    order = rng.permuted(np.tile(np.arange(lanes), (count, 1)), axis=-1)[:, None]
    one, two = order[..., ::2], order[..., 1::2]
    often = rng.choice([0, 0.5, 1], (count, 1, 1))
    chosen = rng.random(one.shape) < often
    sign = np.uint64(1 << kind.width - 1)
    for array, turn in ((x, sign), (y, np.uint64(0))):
        twin = np.take_along_axis(array, one, -1) ^ turn
        twin ^= (rng.random(twin.shape) < 0.1).astype(np.uint64)
        np.put_along_axis(array, two, np.where(chosen, twin, np.take_along_axis(array, two, -1)),
                          -1)
