"""MAC units of PIM banks, compiled by Verilator, against their golden model."""

import itertools
import subprocess
from functools import cache

import numpy as np
import pytest
from mutants import broken
from pim_mac import Macs, rtlil_text, verilog
from pim_operands import operands

from pimlico.generators.lint import WAIVERS
from pimlico.hdl.pim import dot_aligned, mac
from pimlico.hdl.pim.config import PimConfig
from pimlico.sim.tools import require
from pimlico.verif.pim.arithmetic import accumulate, dots, flags

INTEGERS = [{"fmt": "int8", "lanes": 16}, {"fmt": "int8", "lanes": 8, "reuse": 2, "acc_latency": 3},
            {"fmt": "int8", "lanes": 4, "reuse": 2, "arith": "lane_mac", "acc_latency": 2}]
SIZES = [{"lanes": 4, "reuse": 2}, {"lanes": 8, "acc_slots": 5}, {"lanes": 4, "acc_slots": 8}]
WIDTHS = [24, 12, 28, 17, 13]
FLOATS = [
    {"fmt": fmt, "arith": arith, "acc": acc, "subnormals": subnormals, "allow_lossy": True,
     "align_bits": WIDTHS[number % 5], "acc_latency": 1 + number % 4, **SIZES[number // 2 % 3]}
    for number, (fmt, arith, acc, subnormals) in enumerate(itertools.product(
        ("bf16", "fp16"), ("aligned", "ieee_tree", "lane_mac"), ("fp32", "fmt"),
        ("keep", "flush")))]
CASES = [*INTEGERS, *FLOATS, {}]
DEEP = [{"fmt": fmt, "arith": arith, "subnormals": subnormals, "lanes": lanes, "reuse": 2}
        for fmt, arith, subnormals, lanes in itertools.product(
            ("bf16", "fp16"), ("aligned", "ieee_tree"), ("keep", "flush"), (16, 32))]
FAST = {"timing": {"base": "hbm2_neupims", "tccd_mac": 1}}


def made(case):
    return PimConfig(**{"acc_slots": 4, **FAST, **case})


@cache
def compiled():
    return Macs([made(case) for case in CASES])


def label(case):
    return "-".join(map(str, case.values())) or "default"


def play(macs, config, columns, vectors, starts, every, slots):
    """Accumulators and flags after each column.

    Parameters
    ----------
    columns, vectors : arrays of shape (n, 1, lanes), (n, reuse, lanes)
    starts : array of shape (n, values)
        What a column's slot is loaded with, where `every` is at least the latency; else only
        what the slots are loaded with before all columns.
    every : array of shape (n,)
        Cycles from a column to the next one.
    slots : array of shape (n,)
    """
    latency = config.dot_latency + config.acc_latency
    first = 1 + config.acc_slots
    at = first + np.concatenate([[0], np.cumsum(every)[:-1]])
    cycles = at[-1] + latency + 1
    ports = {name: np.zeros(cycles, np.uint32)
             for name in ("valid", "slot", "load", "load_slot", "read_slot")}
    rng = np.random.default_rng(len(at))
    for name, width, count in (("column", config.fmt_bits, config.lanes),
                               ("vectors", config.fmt_bits, config.lanes * config.reuse),
                               ("load_data", config.acc_bits, starts.shape[1])):
        # what comes without valid, or without load, is anything
        ports[name] = rng.integers(0, 1 << width, (cycles, count)).astype(np.uint64)
    ports["valid"][at], ports["slot"][at] = 1, slots
    ports["column"][at], ports["vectors"][at] = columns[:, 0], vectors.reshape(len(at), -1)
    ports["read_slot"][at + latency] = slots
    loads = at - 1
    if every.min() < latency:
        loads, slots = np.arange(config.acc_slots), np.arange(config.acc_slots)
        starts = starts[:config.acc_slots]
    ports["load"][loads], ports["load_slot"][loads] = 1, slots
    ports["load_data"][loads] = starts
    accs, special = macs.run(config, ports)
    return accs[at + latency], special[at + latency]


def same(found, expected):
    wrong = np.argwhere(found != expected)
    first = [(place.tolist(), hex(found[tuple(place)]), hex(expected[tuple(place)]))
             for place in wrong[:5]]
    assert not first, f"{len(wrong)} of {found.size}, first: {first}"


def check_dots(macs, config, rng, count):
    """Added to what leaves them as they are: -0, or 0 of integers."""
    columns, vectors = operands(rng, config, count)
    nothing = 1 << config.acc_bits - 1 if config.floating else 0
    starts = np.full((count, config.reuse * config.acc_lanes), nothing, np.uint64)
    every = np.full(count, config.dot_latency + config.acc_latency + 1)
    found, special = play(macs, config, columns, vectors, starts, every,
                          rng.integers(0, config.acc_slots, count))
    expected = dots(config, columns, vectors).reshape(count, -1)
    same(found, expected)
    same(special, flags(config, expected))


def check_burst(macs, config, rng, count):
    """Columns as fast as their slots allow, slots in turn, with pauses."""
    columns, vectors = operands(rng, config, count)
    starts = dots(config, columns, vectors).reshape(count, -1)[::-1]
    turn = max(config.acc_slots, config.acc_latency)
    places = np.flatnonzero(rng.random(3 * count) < 0.8)[:count]
    places = places[places % turn < config.acc_slots]
    columns, vectors, starts = columns[:len(places)], vectors[:len(places)], starts[:len(places)]
    found, special = play(macs, config, columns, vectors, starts,
                          np.diff(places, append=places[-1] + 1), places % turn)
    accs = starts[:config.acc_slots].copy()
    addends = dots(config, columns, vectors).reshape(len(places), -1)
    expected = np.empty_like(found)
    for number, slot in enumerate(places % turn):
        expected[number] = accs[slot] = accumulate(config, accs[slot], addends[number])
    same(found, expected)
    same(special, flags(config, expected))


@pytest.mark.parametrize("case", CASES, ids=label)
def test_dots(case, seed):
    check_dots(compiled(), made(case), np.random.default_rng(seed), 2000)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_bursts(case, seed):
    check_burst(compiled(), made(case), np.random.default_rng(seed), 500)


@pytest.mark.parametrize("case", [{"fmt": "int8", "reuse": 2}, {"acc_latency": 3, "reuse": 2},
                                  {"fmt": "fp16", "arith": "ieee_tree", "acc": "fmt",
                                   "acc_slots": 1}], ids=label)
def test_verilog_is_clean(case, tmp_path):
    file = tmp_path / "dut.v"
    file.write_text(verilog([rtlil_text(made({"lanes": 4, **case}), "dut_0")])[0] + "\n")
    run = subprocess.run([require("verilator"), "--lint-only", "-Wall", "--timing",
                          "--top-module", "dut_0", *(f"-Wno-{rule}" for rule in WAIVERS), file],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


LIMITED = {"fmt": "fp16", "acc": "fmt", "lanes": 4}
FLUSHED = {"lanes": 4, "subnormals": "flush"}
deep = pytest.mark.deep


@pytest.mark.parametrize(("case", "sound", "wrong"), [
    pytest.param(LIMITED, "scale < self.least", "scale < 0", id="least scale"),
    pytest.param(FLUSHED, ".any() | product.zero", ".any()", id="zero product"),
    pytest.param(FLUSHED, "(below ^ carry)", "below", id="last carry", marks=deep),
    pytest.param({**FLUSHED, "align_bits": 28}, "normal[:cut - 1].any()",
                 "normal[cut - 2]", id="sticky", marks=deep),
    pytest.param(FLUSHED, " | (plus & minus)", "", id="infinities of both signs", marks=deep)])
def test_a_broken_dot_is_seen(case, sound, wrong, monkeypatch, seed):
    broken(monkeypatch, dot_aligned, sound, wrong, [mac])
    monkeypatch.setitem(mac.DOTS, "aligned", mac.DotAligned)
    config = made(case)
    macs, rng = Macs([config]), np.random.default_rng(seed)
    with pytest.raises(AssertionError, match="first"):
        check_dots(macs, config, rng, 2000)


@pytest.mark.deep
@pytest.mark.parametrize("case", DEEP, ids=label)
def test_many_dots(case, seed):
    config = made(case)
    check_dots(Macs([config], "-O2"), config, np.random.default_rng(seed), 200_000)
