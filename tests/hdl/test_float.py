"""Floating-point parts, compiled by Verilator, against their golden model."""

import gc
import subprocess
from functools import cache

import numpy as np
import pytest
from amaranth.back import rtlil, verilog
from amaranth.hdl import Module
from float_dut import Duts
from float_operands import integers, numbers, pairs
from mutants import broken

from pimlico.generators.lint import WAIVERS
from pimlico.hdl.common.float import add, multiply, place
from pimlico.hdl.common.float.add import FloatAdd
from pimlico.hdl.common.float.config import BF16, FORMATS, FP16, FP32, FloatFormat
from pimlico.hdl.common.float.convert import FloatConvert
from pimlico.hdl.common.float.integer import IntToFloat
from pimlico.hdl.common.float.multiply import FloatMultiply
from pimlico.hdl.common.parts import PartLibrary
from pimlico.hdl.common.parts import place as place_part
from pimlico.sim.tools import require
from pimlico.verif import floating

FP8 = FloatFormat("fp8_e4", 4, 3)
MODES = ("keep", "flush")
SUMS = [(FP16, FP16, FP16), (BF16, BF16, BF16), (FP32, FP32, FP32), (FP32, FP16, FP32),
        (FP32, BF16, FP32), (FP16, FP16, FP32), (BF16, BF16, FP32), (FP16, BF16, FP32),
        (FP32, FP32, BF16)]
PRODUCTS = [(FP16, FP16, FP16), (BF16, BF16, BF16), (FP32, FP32, FP32), (FP16, FP16, FP32),
            (BF16, BF16, FP32), (FP16, BF16, FP16), (FP32, FP32, FP16), (FP8, FP8, FP16)]
CONVERSIONS = [(source, out) for source in FORMATS.values() for out in FORMATS.values()]
INTEGERS = [(2, FP16), (8, FP16), (8, BF16), (13, FP16), (24, FP16), (24, FP32), (32, FP32),
            (64, FP16), (64, BF16), (64, FP32)]
STAGED = [(FloatAdd, FP16, FP16, FP16, "keep"), (FloatAdd, FP32, FP16, FP32, "flush"),
          (FloatMultiply, FP16, FP16, FP16, "keep"), (FloatMultiply, BF16, BF16, FP32, "flush"),
          (FloatConvert, FP32, FP16, "keep"), (FloatConvert, FP16, FP32, "flush"),
          (IntToFloat, 24, FP16)]
CASES = {
    FloatAdd: [(*formats, mode) for formats in SUMS for mode in MODES],
    FloatMultiply: [(*formats, mode) for formats in PRODUCTS for mode in MODES],
    FloatConvert: [(*formats, mode) for formats in CONVERSIONS for mode in MODES],
    IntToFloat: INTEGERS,
    "staged": [(*part, stages) for part in STAGED for stages in range(1, 5)],
}


@cache
def made(group):
    return {case: case[0](*case[1:]) if group == "staged" else group(*case)
            for case in CASES[group]}


@cache
def compiled(group):
    return Duts(made(group).values())


def run(group, case, *operands):
    return compiled(group).run(made(group)[case], *operands)


def label(case):
    return "-".join(getattr(value, "name", None) or getattr(value, "__name__", str(value))
                    for value in case)


def same(found, expected, *operands):
    """Where they differ, the first operands and results in hexadecimal."""
    wrong = np.flatnonzero(found != expected)
    first = [[hex(array[at]) for array in (*operands, found, expected)] for at in wrong[:5]]
    assert not first, f"{wrong.size} of {found.size}, first: {first}"


def draws(a, b):
    """How often each pair of exponents is drawn: more where there are fewer."""
    return max(2, 60_000 >> a.exponent_bits + b.exponent_bits)


@pytest.mark.parametrize("case", CASES[FloatAdd], ids=label)
def test_add(case, seed):
    a, b, *_ = case
    x, y = pairs(np.random.default_rng(seed), a, b, draws(a, b))
    same(run(FloatAdd, case, x, y), floating.add(x, y, *case), x, y)


@pytest.mark.parametrize("case", CASES[FloatMultiply], ids=label)
def test_multiply(case, seed):
    a, b, *_ = case
    x, y = pairs(np.random.default_rng(seed), a, b, draws(a, b))
    same(run(FloatMultiply, case, x, y), floating.multiply(x, y, *case), x, y)


@pytest.mark.parametrize("case", CASES[FloatConvert], ids=label)
def test_convert(case, seed):
    source, *_ = case
    x = numbers(np.random.default_rng(seed), source, 2000)
    same(run(FloatConvert, case, x), floating.convert(x, *case), x)


@pytest.mark.parametrize("case", CASES[IntToFloat], ids=label)
def test_int_to_float(case, seed):
    width, out = case
    x = integers(np.random.default_rng(seed), width, 100_000)
    word = x.view(np.uint64) & np.uint64((1 << width) - 1)
    same(run(IntToFloat, case, word), floating.from_int(x, out), word)


@pytest.mark.parametrize("case", CASES["staged"], ids=label)
def test_results_do_not_depend_on_the_stages(case, seed):
    """A new operand in every cycle that advances, and other operands while it stalls."""
    rng = np.random.default_rng(seed)
    kind, *arguments, _ = case
    y = None
    if kind is IntToFloat:
        width, out = arguments
        values = integers(rng, width, 30_000)
        x = values.view(np.uint64) & np.uint64((1 << width) - 1)
        expected = floating.from_int(values, out)
    elif kind is FloatConvert:
        x = numbers(rng, arguments[0], 200)
        expected = floating.convert(x, *arguments)
    else:
        x, y = pairs(rng, *arguments[:2], 2)
        golden = floating.add if kind is FloatAdd else floating.multiply
        expected = golden(x, y, *arguments)
    order = rng.permutation(x.size)
    found = run("staged", case, x[order], *([] if y is None else [y[order]]))
    same(found, expected[order], x[order])


@pytest.mark.parametrize(("module", "sound", "wrong", "part", "golden"), [
    (add, "Cat(sticky, moved)", "Cat(C(0, 1), moved)", "FloatAdd", floating.add),
    (add, "(some | ~subtract | special)", "(some | special)", "FloatAdd", floating.add),
    (multiply, "(a.special & b.zero)", "(a.special & ~a.special)", "FloatMultiply",
     floating.multiply),
    (place, '"sticky": dropped | below', '"sticky": below', "FloatMultiply", floating.multiply),
], ids=["sticky of the sum", "sign of a zero sum", "infinity times zero", "sticky of the product"])
def test_a_broken_part_is_seen(module, sound, wrong, part, golden, monkeypatch, seed):
    broken(monkeypatch, module, sound, wrong, [add, multiply])
    dut = getattr(add if part == "FloatAdd" else multiply, part)(FP16, FP16, FP16)
    x, y = pairs(np.random.default_rng(seed), FP16, FP16, draws(FP16, FP16))
    assert (Duts([dut]).run(dut, x, y) != golden(x, y, FP16, FP16, FP16)).any()


@pytest.mark.parametrize(("build", "told"), [
    (lambda: FloatAdd(FP32, FP16, FP16), "fp16 lacks that of fp32"),
    (lambda: FloatAdd(FP16, FP16, FP16, "drop"), "keep or flush"),
    (lambda: FloatMultiply(FP16, FP16, FP16, "keep", 5), "0 to 4"),
    (lambda: FloatConvert(FP16, FP32, "keep", -1), "0 to 4"),
    (lambda: IntToFloat(65, FP32), "2 to 64"), (lambda: IntToFloat(1, FP32), "2 to 64"),
    (lambda: IntToFloat(8, FloatFormat("e2", 2, 3)), "at least 3"),
    (lambda: FloatFormat("e1", 1, 3), "exponent_bits must be at least 2")])
@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_what_cannot_be_built_is_refused(build, told):
    with pytest.raises(ValueError, match=told):
        build()
    gc.collect()  # here Amaranth warns of a component that is never elaborated


def test_parts_are_shared_by_name():
    names = [part.part_name for group in CASES for part in made(group).values()]
    assert len(set(names)) == len(names)

    library = PartLibrary("top")
    m = Module()
    for number in range(4):
        m.submodules += place_part(library, FloatAdd(FP16, FP16, FP16, "keep", number // 2))
    rtlil.convert(m, ports=[], platform=library)
    assert sorted(library.modules) == [f"top_float_add_fp16_fp16_fp16_keep_{stages}"
                                       for stages in range(2)]


@pytest.mark.parametrize("case", [
    (FloatAdd, FP32, FP16, FP32, "keep", 4), (FloatAdd, FP16, FP16, FP16, "flush"),
    (FloatMultiply, FP16, FP16, FP32, "keep", 3), (FloatConvert, FP32, FP16),
    (IntToFloat, 24, FP16, 2)], ids=label)
def test_verilog_is_clean(case, tmp_path):
    part = case[0](*case[1:])
    file = tmp_path / "dut.v"
    file.write_text(verilog.convert(part, name="dut", emit_src=False, strip_internal_attrs=True,
                                    ports=[getattr(part, name)
                                           for name in part.signature.members]))
    run = subprocess.run([require("verilator"), "--lint-only", "-Wall", "--timing",
                          *(f"-Wno-{rule}" for rule in WAIVERS), file],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.deep
@pytest.mark.parametrize(("kind", "combine"), [(FloatAdd, np.add), (FloatMultiply, np.multiply)])
def test_all_pairs_of_fp16(kind, combine):
    """Sums and products of halves in float32, which NumPy then rounds to a half.

    Products are exact there, and 24 bits are enough for sums to be rounded twice (Figueroa,
    "When is double rounding innocuous?", 1995).
    """
    part = kind(FP16, FP16, FP16)
    dut = Duts([part], "-O2")
    every = np.arange(1 << 16, dtype=np.uint64)
    halves = every.astype(np.uint16).view(np.float16).astype(np.float32)
    rows = 16
    y = np.tile(every, rows)
    for first in range(0, 1 << 16, rows):
        x = np.repeat(every[first:first + rows], 1 << 16)
        with np.errstate(invalid="ignore", over="ignore"):
            expected = combine(halves[first:first + rows, None],
                               halves[None, :]).astype(np.float16).view(np.uint16).ravel()
        expected[(expected & 0x7FFF) > 0x7C00] = FP16.nan
        same(dut.run(part, x, y), expected, x, y)
