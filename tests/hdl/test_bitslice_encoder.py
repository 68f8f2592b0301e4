"""The digit encoders of the bit-sliced array, for all inputs, against the golden digits."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.sim import Simulator

from pimlico.hdl.bitslice.encoder import SliceEncoder, split
from pimlico.hdl.bitslice.shape import LINES, PeShape
from pimlico.verif.bitslice.digits import digits_of


def shape_of(digits, encoding="booth4", unsigned=False):
    return PeShape(a_width=8, lanes=1, slices=(digits + unsigned,), acc_widths=(20,),
                   encoding=encoding, unsigned=unsigned)


def digit_of(kind, lines):
    """The digit that lines stand for; lines that no digit has are refused."""
    legal = {"unit": {0: 0, 1: 1}, "ent": {0: 0, 1: 1, 2: 2, 4: -1},
             "booth": {0: 0, 1: 1, 2: 2, 5: -1, 6: -2}}
    return legal[kind][lines]


def encoded(shape, rows):
    """The digits for rows of value, carry and whether the value is unsigned."""
    dut = SliceEncoder(shape)
    results = []

    async def bench(context):
        for value, carry, unsigned in rows:
            context.set(dut.value, value)
            context.set(dut.carry, carry)
            if shape.unsigned:
                context.set(dut.unsigned, unsigned)
            await context.delay(1e-9)
            lines, row = context.get(dut.lines), []
            for kind in shape.kinds(0):
                row.append(digit_of(kind, lines & (1 << LINES[kind]) - 1))
                lines >>= LINES[kind]
            results.append(row)

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    return np.array(results)


@pytest.mark.parametrize("encoding", ["booth4", "ent"])
@pytest.mark.parametrize("digits", [1, 2, 4])
def test_digits_of_signed_values_are_the_golden_ones_and_weigh_what_they_should(digits, encoding):
    bits = 2 * digits
    rows = [(value, carry, 0) for value in range(1 << bits) for carry in range(2)]
    found = encoded(shape_of(digits, encoding), rows)
    values = np.array([value - (value >> bits - 1 << bits) for value, _, _ in rows])
    carries = np.array([carry for _, carry, _ in rows])
    assert (found == digits_of(values, bits, encoding, carry=carries)).all()
    assert (found @ 4 ** np.arange(digits) == values + carries).all()
    if encoding == "ent":
        assert (found[:, :-1] >= -1).all()


@pytest.mark.parametrize("encoding", ["booth4", "ent"])
@pytest.mark.parametrize("digits", [1, 2, 4])
def test_signedness_at_run_time_costs_a_digit_of_0_or_1(digits, encoding):
    bits = 2 * digits
    rows = list(itertools.product(range(1 << bits), range(2), range(2)))
    found = encoded(shape_of(digits, encoding, unsigned=True), rows)
    values = np.array([value if unsigned else value - (value >> bits - 1 << bits)
                       for value, _, unsigned in rows])
    carries = np.array([carry for _, carry, _ in rows])
    assert (found @ 4 ** np.arange(digits + 1) == values + carries).all()
    unsigned = np.array([unsigned for _, _, unsigned in rows], bool)
    for signed, mine in ((True, ~unsigned), (False, unsigned)):
        golden = digits_of(values[mine], bits, encoding, signed, True, carries[mine])
        assert (found[mine] == golden).all()


@pytest.mark.parametrize("slices", [1, 2, 4])
def test_slices_with_their_carries_make_up_the_weight(slices):
    weight = Signal(8)
    parts = Signal(8 + slices)
    m = Module()
    m.d.comb += parts.eq(Cat(*(Cat(value, carry) for value, carry in split(weight, slices))))
    bits = 8 // slices
    totals = []

    async def bench(context):
        for value in range(256):
            context.set(weight, value)
            await context.delay(1e-9)
            word, total = context.get(parts), 0
            for number in range(slices):
                part = word >> number * (bits + 1)
                low = part & (1 << bits) - 1
                total += (low - (low >> bits - 1 << bits) + (part >> bits & 1)) << number * bits
            totals.append(total)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    assert totals == [value - (value >> 7 << 8) for value in range(256)]
    assert isinstance(split(weight, slices)[0][1], Const)


@pytest.mark.parametrize(("change", "message"), [
    ({"acc_widths": (20, 20)}, "acc_widths must be 1 widths, one a slice, not (20, 20)"),
    ({"slices": (1,), "unsigned": True},
     "slices must have 2 digits or more to be unsigned, not (1,)"),
    ({"window": 4}, "a window or shifts must come with slices of one digit, (1,), not (4,)"),
    ({"shifts": 4}, "a window or shifts must come with slices of one digit, (1,), not (4,)"),
    ({"slices": (1,), "window": 4, "lanes": 2}, "lanes must be 1 with a window, not 2")])
def test_shapes_that_do_not_fit_together(change, message):
    with pytest.raises(ValueError) as error:
        PeShape(**{"a_width": 8, "lanes": 1, "slices": (4,), "acc_widths": (20,), **change})
    assert str(error.value) == message
