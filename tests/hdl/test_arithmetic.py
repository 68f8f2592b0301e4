"""The shared arithmetic against plain integers."""

import itertools
import random

import pytest
from amaranth.hdl import C, Elaboratable, Module, Signal, signed, unsigned
from amaranth.sim import Simulator

from pimlico.hdl.common.adder_tree import Term, add_level, add_with_carry, signed_bits
from pimlico.hdl.common.compressor import (
    carry_propagate,
    dadda_heights,
    dadda_stage,
    signed_columns,
)
from pimlico.hdl.common.rounding import saturate, shift_round_half_even


class Expression(Elaboratable):
    """Inputs of the given shapes and the value that `build` makes of them."""

    def __init__(self, shapes, build):
        self.inputs = [Signal(shape, name=f"i{number}") for number, shape in enumerate(shapes)]
        self.module = Module()
        value = build(self.module, *self.inputs)
        self.shape = value.shape()
        self.output = Signal(self.shape)
        self.module.d.comb += self.output.eq(value)

    def elaborate(self, platform):
        return self.module


def evaluate(expression, rows):
    """The output for every row of inputs."""
    results = []

    async def bench(context):
        for row in rows:
            for signal, value in zip(expression.inputs, row, strict=True):
                context.set(signal, value)
            await context.delay(1e-9)
            results.append(context.get(expression.output))

    simulator = Simulator(expression)
    simulator.add_testbench(bench)
    simulator.run()
    return results


def signed_range(width):
    return range(-(1 << width - 1), 1 << width - 1)


@pytest.mark.parametrize(("low", "high", "bits"), [
    (0, 0, 1), (-1, 0, 1), (0, 1, 2), (-128, 127, 8), (-128, 128, 9), (-129, 0, 9), (3, 200, 9)])
def test_signed_bits(low, high, bits):
    assert signed_bits(low, high) == bits


def test_add_with_carry_is_exact_for_all_inputs():
    add = Expression([signed(3), signed(4), unsigned(1)],
                     lambda m, a, b, c: add_with_carry(a, b, c))
    rows = list(itertools.product(signed_range(3), signed_range(4), range(2)))
    assert add.shape == signed(5)
    assert evaluate(add, rows) == [sum(row) for row in rows]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 8])
def test_adder_tree_is_exact_and_no_wider_than_its_bounds(count, seed):
    def build(m, *operands):
        terms = [Term.of(operand) for operand in operands[:count]]
        carries = list(operands[count:])
        while len(terms) > 1:
            terms, carries = add_level(terms, carries)
        assert len(carries) == 1
        assert len(terms[0].value) == signed_bits(-8 * count, 7 * count + count - 1)
        return add_with_carry(terms[0].value, C(0, signed(1)), carries[0])

    rng = random.Random(seed)
    rows = [[rng.choice(signed_range(4)) for _ in range(count)]
            + [rng.randrange(2) for _ in range(count)] for _ in range(400)]
    rows += [[-8] * count + [0] * count, [7] * count + [1] * count]
    tree = Expression([signed(4)] * count + [unsigned(1)] * count, build)
    assert evaluate(tree, rows) == [sum(row) for row in rows]


@pytest.mark.parametrize(("height", "heights"), [
    (1, []), (2, []), (3, [2]), (4, [3, 2]), (6, [4, 3, 2]), (7, [6, 4, 3, 2]),
    (13, [9, 6, 4, 3, 2]), (14, [13, 9, 6, 4, 3, 2])])
def test_dadda_heights(height, heights):
    assert dadda_heights(height) == heights


@pytest.mark.parametrize(("widths", "carries", "width"), [
    ([4], 1, 5), ([3, 5], 0, 6), ([4, 4, 4], 2, 7), ([9] * 6, 5, 13), ([2] * 11, 3, 8),
    ([6, 1, 6, 3], 4, 6)])
def test_compressor_tree_is_exact(widths, carries, width, seed):
    def build(m, *operands):
        columns = signed_columns(operands[:len(widths)], operands[len(widths):], width)
        for number, height in enumerate(dadda_heights(max(map(len, columns)))):
            columns = dadda_stage(m, columns, height, f"stage_{number}")
            assert max(map(len, columns)) <= height
        assert max(map(len, columns)) <= 2
        return carry_propagate(columns)

    rng = random.Random(seed)
    rows = [[rng.choice(signed_range(bits)) for bits in widths]
            + [rng.randrange(2) for _ in range(carries)] for _ in range(500)]
    rows += [[signed_range(bits)[0] for bits in widths] + [0] * carries,
             [signed_range(bits)[-1] for bits in widths] + [1] * carries]
    tree = Expression([signed(bits) for bits in widths] + [unsigned(1)] * carries, build)
    half = 1 << width - 1
    assert evaluate(tree, rows) == [(sum(row) + half) % (2 * half) - half for row in rows]


def test_compressor_spends_one_full_adder_a_bit_that_disappears():
    module = Module()
    columns = signed_columns([Signal(signed(9)) for _ in range(6)], [], 12)
    bits = sum(map(len, columns))
    for height in dadda_heights(max(map(len, columns))):
        before = sum(map(len, columns))
        columns = dadda_stage(module, columns, height, f"h{height}")
        assert sum(map(len, columns)) <= before
    assert bits - sum(map(len, columns)) >= 6 * 9 - 2 * 12


def test_shift_round_half_even_for_all_inputs():
    rounded = Expression([signed(7), unsigned(3)],
                         lambda m, value, shift: shift_round_half_even(m, value, shift))
    rows = list(itertools.product(signed_range(7), range(8)))
    assert evaluate(rounded, rows) == [round(value / 2**shift) for value, shift in rows]


@pytest.mark.parametrize("width", [1, 3, 6, 8])
def test_saturate_for_all_inputs(width):
    clip = Expression([signed(6)], lambda m, value: saturate(value, width))
    rows = [(value,) for value in signed_range(6)]
    low, high = -(1 << width - 1), (1 << width - 1) - 1
    assert evaluate(clip, rows) == [max(low, min(high, value)) for (value,) in rows]


def test_the_carry_of_a_bit_and_a_constant_one_is_that_bit():
    """With a second name, in a vector of carries, Verilator refuses a loop that is none."""
    bit, other = Signal(), Signal()
    low, high = dadda_stage(Module(), [[bit, C(1, 1), other], []], 2, "stage")
    assert len(low) == 2 and low[1] is other
    assert len(high) == 1 and high[0] is bit
