"""The golden functions of the bit-sliced array against plain Python integers."""

from itertools import product
from math import erf, sqrt

import numpy as np
import pytest
from bitslice_configs import SMALL, random_config
from bitslice_jobs import Bench, high_half

from pimlico.generators.load import load
from pimlico.hdl.bitslice.config import DRAFT, FULL, REFINE, BitsliceConfig
from pimlico.verif.bitslice.digits import digits_of
from pimlico.verif.bitslice.golden import Job, activations, matmul, split, steps, weights

INT8 = range(-128, 128)
SIGNED, UNSIGNED = True, False


@pytest.mark.parametrize("encoding", ["booth4", "ent", "sparse"])
@pytest.mark.parametrize("width", [2, 4, 8, 16])
@pytest.mark.parametrize("signed", [SIGNED, UNSIGNED])
def test_digits_sum_to_the_value(width, encoding, signed):
    """All values of all widths, with and without the bit below; unsigned ones by an extra digit."""
    values = range(-(1 << width - 1), 1 << width - 1) if signed else range(1 << width)
    for carry in (0, 1):
        digits = digits_of(list(values), width, encoding, signed, extra=not signed, carry=carry)
        assert digits.shape == (1 << width, width // 2 + (not signed))
        total = sum(digits[:, place].astype(object) << 2 * place
                    for place in range(digits.shape[1]))
        assert total.tolist() == [value + carry for value in values]
        top = width // 2 - 1
        lowest = [-1 if encoding == "ent" and place != top else -2
                  for place in range(width // 2)] + [0] * (not signed)
        assert all((digits[:, place] >= low).all() for place, low in enumerate(lowest))
        assert digits[:, :top + 1].max() <= 2 and (signed or digits[:, -1].max() <= 1)


def nonzero_per_weight(encoding, sigma):
    """Mean number of digits that are not 0 in int8 weights, normal with deviation `sigma`."""
    def below(x):
        return (1 + erf(x / sigma / sqrt(2))) / 2

    chances = [below(w + 0.5) - below(w - 0.5) for w in INT8]
    counts = (digits_of(list(INT8), 8, encoding) != 0).sum(axis=1)
    return sum(chance * count for chance, count in zip(chances, counts, strict=True)) / sum(chances)


def test_digits_that_are_not_zero():
    """The reason to skip with ent: fewer are to be issued than Booth's, or than of sizes apart
    from signs, digits -1, 0, 1, 2."""
    found = {encoding: [nonzero_per_weight(encoding, sigma) for sigma in (10, 20, 40)]
             for encoding in ("booth4", "sparse")}
    assert found["booth4"] == pytest.approx([1.93, 2.30, 2.67], abs=0.01)
    for fewer, sizes in zip(found["sparse"], (1.76, 2.12, 2.49), strict=True):
        assert fewer < sizes


@pytest.mark.parametrize("width", [2, 4, 6, 8])
def test_no_other_digits_have_fewer_that_are_not_zero(width):
    """Of all ways to write a value with as many digits of -2..2."""
    fewest = {}
    for digits in product(range(-2, 3), repeat=width // 2):
        value = sum(digit << 2 * place for place, digit in enumerate(digits))
        fewest[value] = min(fewest.get(value, width), np.count_nonzero(digits))
    values = range(-(1 << width - 1), 1 << width - 1)
    for carry in (0, 1):
        found = (digits_of(list(values), width, "sparse", carry=carry) != 0).sum(axis=1)
        assert found.tolist() == [fewest[value + carry] for value in values]


def test_every_int8_is_its_halves():
    high, low = split(np.array(INT8))
    assert (16 * high + low).tolist() == list(INT8)
    assert high.tolist() == [high_half(w) for w in INT8]
    assert (min(high), max(high), min(low), max(low)) == (-8, 8, -8, 7)
    upper_nibble_and_a_bit = [(w >> 4) + (w >> 3 & 1) for w in INT8]
    assert high.tolist() == upper_nibble_and_a_bit


def test_the_draft_rounds_instead_of_truncating():
    """Over all int8: mean and root mean square of what is missing."""
    def figures(drafted):
        errors = [w - 16 * high for w, high in zip(INT8, drafted, strict=True)]
        return sum(errors) / 256, sqrt(sum(error ** 2 for error in errors) / 256)

    assert figures(split(np.array(INT8))[0].tolist()) == pytest.approx((-0.5, 4.64), abs=0.005)
    mean, rms = figures([w >> 4 for w in INT8])
    assert (mean, rms) == pytest.approx((7.5, 8.80), abs=0.005)


def test_draft_and_refine_are_the_full_product(seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        rows, k, columns = rng.integers(1, 9, 3)
        a = rng.integers(-32768, 32768, (rows, k))
        w = rng.choice([-128, -8, 7, 8, 120, 127, *rng.integers(-128, 128, 9)], (k, columns))
        zeros = [int(zero) for zero in rng.integers(-128, 128, 2)]
        full, draft, refine = (matmul(a, w, *zeros, nest) for nest in (FULL, DRAFT, REFINE))
        assert (draft + refine == full).all(), f"seed {seed}"
        plain = (a.astype(object) - zeros[0]) @ (w.astype(object) - zeros[1])
        assert (full == plain).all(), f"seed {seed}"
        high = np.array([[high_half(int(x)) for x in row] for row in w], object)
        assert (draft == (a.astype(object) - zeros[0]) @ (16 * high - zeros[1])).all()


def decoded(config, rng):
    """Operands of some jobs as the golden functions read them from payloads."""
    bench = Bench(config, rng)
    for _ in range(4):
        work = bench.work(str(rng.choice(["random", "extremes"])))
        cfg = work.cfg
        mode, nest = config.mode[cfg["mode"]], cfg.get("nest", FULL)
        a_signed, w_signed = bench.signs(cfg)
        job = Job(mode, cfg["length"], a_signed=a_signed, w_signed=w_signed, nest=nest)
        low = work.beats["w_low"]
        high = work.beats["w"] or [0] * len(low)
        w = weights(config, job, high, low)
        yield work, activations(config, job, work.beats["a"]), w.reshape(-1, w.shape[-1]), nest


@pytest.mark.parametrize("case", [name for name in SMALL if SMALL[name].get("dataflow") != "ws"])
def test_payloads_are_the_matrices_that_they_were_made_of(case, seed):
    config = BitsliceConfig(**SMALL[case])
    for work, a, w, nest in decoded(config, np.random.default_rng(seed)):
        assert (a == np.concatenate(list(work.a), axis=1)).all(), f"seed {seed}"
        given = np.concatenate(list(work.w), axis=0)
        if nest == DRAFT:
            given = np.array([[16 * high_half(x) for x in row] for row in given])
        elif nest == REFINE:
            given = np.array([[x - 16 * high_half(x) for x in row] for row in given])
        assert (w == given).all(), f"seed {seed}"


def random_skip(rng):
    while True:
        config = random_config(rng)
        if config.timed:
            return config


def steps_in_python(config, cfg, w, nest):
    """Cycles of each bit weight of a beat, and the nonzero digits of each column."""
    mode = config.mode[cfg["mode"]]
    signed = bool(cfg.get("w_signed", config.w_signed == "signed"))
    extra = config.w_signed != "signed"

    def digits(value, bits, carry=0):
        """Lowest first: each gives what is 4 too much to the next."""
        out, value = [], value & (1 << bits) - 1
        for place in range(bits // 2):
            pair = (value >> 2 * place & 3) + carry
            if config.encoding == "booth4" or place == bits // 2 - 1:
                carry = value >> 2 * place + 1 & 1
            else:
                carry = int(pair > 2 or (pair == 2 and value >> 2 * place + 2 & 1))
            out.append(pair - 4 * carry)
        return out + ([0 if signed else carry] if extra else [])

    def positions(value):
        if not config.nested or mode.w == 4:
            return dict(enumerate(digits(value, mode.w)))
        low, high = digits(value, 4), digits(value >> 4, 4, value >> 3 & 1)
        return {FULL: dict(enumerate(low + high)), DRAFT: dict(enumerate(high, 2)),
                REFINE: dict(enumerate(low))}[nest]

    each = [[positions(int(value)) for value in column] for column in w.T]
    zero = digits(cfg.get("w_zero", 0), mode.w)
    found = []
    for position in each[0][0]:
        counts = [sum(weight[position] != 0 for weight in column) for column in each]
        at_least = not config.elide or (config.zero_points and zero[position] != 0)
        found.append((max([*counts, int(at_least)]), counts))
    if not sum(cycles for cycles, _ in found):
        found[0] = (1, found[0][1])
    return found


@pytest.mark.parametrize("number", range(12))
def test_cycles_of_the_digits_of_a_beat(number, seed):
    """And how many digits every column has at each bit weight."""
    rng = np.random.default_rng(seed)
    config = random_skip(rng)
    bench = Bench(config, rng)
    for _ in range(4):
        work = bench.work(tiles=1, start=0, group_len=0)
        cfg, nest = work.cfg, work.cfg.get("nest", FULL)
        low = work.beats["w_low"] or [0] * len(work.beats["w"])
        high = work.beats["w"] or [0] * len(low)
        job = Job(config.mode[cfg["mode"]], cfg["length"], nest=nest,
                  w_signed=bench.signs(cfg)[1], w_zero=cfg.get("w_zero", 0))
        for beat, words in enumerate(zip(high, low, strict=True)):
            w = work.w[0][beat * config.beat_k:(beat + 1) * config.beat_k]
            expected = steps_in_python(config, cfg, w, nest)
            if config.arch == "serial":
                expected = [(1, []) for _ in expected]
            assert steps(config, job, *words) == expected, f"{config!r}, seed {seed}"


def cycles_per_weight(config, rng, beats=1500, sigma=20):
    """Mean cycles that a column's weight takes, normal with deviation `sigma`."""
    job = Job(config.mode[0], config.beat_k)
    values = np.clip(np.round(rng.normal(0, sigma, (beats, config.cols * config.beat_k))),
                     -128, 127).astype(int)
    port = config.port("w")
    taken = [sum(cycles for cycles, _ in steps(config, job, port.pack({"data": row})))
             for row in values.tolist()]
    return np.mean(taken) / config.beat_k, np.std(taken) / config.beat_k / sqrt(beats)


def test_a_column_that_skips_takes_no_cycle_but_for_digits_that_are_not_zero(seed, capsys):
    """At most 2.12 cycles a weight: the mean count of digits, and empty groups hardly add."""
    config = load("bitslice-array", preset="tpe-opt4c").config
    mean, deviation = cycles_per_weight(config, np.random.default_rng(seed))
    digits = nonzero_per_weight("sparse", 20)
    assert mean == pytest.approx(digits, abs=5 * deviation), f"seed {seed}"
    assert mean <= 2.12, f"seed {seed}"
    with capsys.disabled():
        print(f"\none column: {mean:.3f} cycles a weight; {digits:.3f} digits")


def test_columns_side_by_side_wait_for_the_slowest(seed, capsys):
    """Still fewer cycles than digits, which one digit a cycle takes."""
    config = load("bitslice-array", preset="tpe-opt3").config
    mean, _ = cycles_per_weight(config, np.random.default_rng(seed), 400)
    assert nonzero_per_weight("sparse", 20) < mean < config.digits_of(8), f"seed {seed}"
    with capsys.disabled():
        print(f"\n{config.cols} columns: {mean:.3f} cycles a weight")
