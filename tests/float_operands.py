"""Operands for floating-point parts: every exponent, significands at their corners and others."""

import numpy as np


def fractions(rng, kind, count):
    """Fractions, half of them corners: none, all, one bit, all above or below a bit."""
    bits = kind.fraction_bits
    bit = np.uint64(1) << rng.integers(0, bits, count).astype(np.uint64)
    every = np.uint64((1 << bits) - 1)
    plain = rng.integers(0, 1 << bits, count).astype(np.uint64)
    corners = [np.zeros(count, np.uint64), np.full(count, every), bit, bit - np.uint64(1),
               every - (bit - np.uint64(1)), every ^ bit]
    choice = rng.integers(0, 2 * len(corners), count)
    return np.choose(choice, [*corners, *[plain] * len(corners)])


def number(rng, kind, exponent):
    """Numbers with the given exponent fields."""
    exponent = np.asarray(exponent).astype(np.uint64)
    sign = rng.integers(0, 2, exponent.size).astype(np.uint64)
    return (sign << np.uint64(kind.width - 1) | exponent << np.uint64(kind.fraction_bits)
            | fractions(rng, kind, exponent.size))


def landmarks(kind):
    """Of both signs zero, infinity, NaNs, one, and the ends of subnormal and normal numbers."""
    one, least = kind.bias << kind.fraction_bits, 1 << kind.fraction_bits
    positive = [0, 1, least - 1, least, least + 1, one - 1, one, one + 1, kind.infinity - 1,
                kind.infinity, kind.infinity + 1, kind.nan, (1 << kind.width - 1) - 1]
    return np.array([sign << kind.width - 1 | bits for sign in range(2) for bits in positive],
                    np.uint64)


def pairs(rng, a, b, draws):
    """Every pair of landmarks; every pair of exponents `draws` times, and as often near misses.

    Those are operands of one format that nearly cancel.
    """
    ends = [grid.ravel() for grid in np.meshgrid(landmarks(a), landmarks(b))]
    one, two = (grid.ravel() for grid in np.meshgrid(
        np.arange(a.exponent_max + 1), np.arange(b.exponent_max + 1), indexing="ij"))
    x = number(rng, a, np.tile(one, draws))
    y = number(rng, b, np.tile(two, draws))
    if a != b:
        return np.concatenate([ends[0], x]), np.concatenate([ends[1], y])
    change = rng.integers(-2, 3, x.size).astype(np.uint64)
    near = (x ^ np.uint64(1 << a.width - 1)) + change & np.uint64((1 << a.width) - 1)
    return np.concatenate([ends[0], x, x, near]), np.concatenate([ends[1], y, near, x])


def numbers(rng, kind, draws):
    """All numbers of a format of 16 bits; of others every exponent `draws` times."""
    if kind.width <= 16:
        return np.arange(1 << kind.width, dtype=np.uint64)
    exponents = np.tile(np.arange(kind.exponent_max + 1), draws)
    return np.concatenate([landmarks(kind), number(rng, kind, exponents)])


def integers(rng, width, count):
    """Signed integers: the ends, and others of every length, half of them with zeros below."""
    plain = rng.integers(-1 << 63, (1 << 63) - 1, count, endpoint=True)
    plain >>= rng.integers(0, 64, count)
    low = rng.integers(0, 64, count)
    plain = np.where(rng.integers(0, 2, count), plain, plain >> low << low)
    ends = [-1 << width - 1, (1 << width - 1) - 1, 0, 1, -1]
    return np.concatenate([plain, ends]) << 64 - width >> 64 - width
