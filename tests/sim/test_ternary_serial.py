"""The serially built ternary core in both simulators, its proofs, and that broken ones fail."""

from pathlib import Path

import numpy as np
import pytest
from long_runs import without
from mutants import broken
from ternary_serial_configs import SERIAL

from pimlico.generators.block import find
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary import (
    gemm,
    partial_sums,
    serial_column,
    serial_copies,
    serial_core,
    serial_sequencer,
    serial_table,
    serial_walk,
)
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.prove import prove
from pimlico.sim.verify import verify

BLOCK = find("ternary-gemm")
USERS = (gemm, serial_core)
COMPILED = ["usual", "batch", "tq1_0"]
"""Compiled by Verilator too in every run; the others in long ones."""


def check(config, cycles, seed, simulators=("verilator", "icarus")):
    result = verify(BLOCK, config, simulators=simulators, cycles=cycles, seed=seed)
    assert result["passed"], f"{config!r}, seed {seed}: {result['mismatch']}"


@pytest.mark.parametrize("case", without(
    SERIAL, "wide-acc", "two_bit-mu1", "wrap", "ff-tree", "mu4", "base3x5", "batch-requant",
    "exposed-mu2"))
def test_parameters_in_lockstep(case, seed):
    check(TernaryConfig(**SERIAL[case]), 2500, seed,
          ["verilator", "icarus"] if case in COMPILED else ["icarus"])


@pytest.mark.deep
@pytest.mark.parametrize("case", [case for case in SERIAL if case not in COMPILED])
def test_parameters_in_compiled_lockstep(case, seed):
    check(TernaryConfig(**SERIAL[case]), 20_000, seed, ["verilator"])


def random_config(rng):
    """Parameters drawn until they go together."""
    while True:
        parameters = {
            "act": str(rng.choice(["int4", "int8", "int16"])),
            "build": "serial", "table": str(rng.choice(["ff", "lutram", "lutram"])),
            "mu": int(rng.integers(1, 5)), "luts": int(rng.choice([1, 2, 3, 4, 5, 8, 10])),
            "keys": int(rng.integers(1, 10)), "batch": int(rng.choice([1, 1, 2, 3])),
            "mux": str(rng.choice(["andor", "tree"])),
            "adder": str(rng.choice(["carry", "compressor"])),
            "n_max": 256 * int(rng.integers(1, 5)), "m_max": int(rng.integers(1, 200)),
            "addend": bool(rng.integers(2)), "pipeline": int(rng.integers(5)),
            "weight_format": str(rng.choice(["keys", "base3x5", "two_bit", "tq1_0", "tq2_0"])),
            "out": str(rng.choice(["raw", "int8_requant", "fp32_scaled"])),
            "allow_exposed_build": True,
        }
        try:
            return TernaryConfig(**parameters)
        except ConfigError:
            continue


@pytest.mark.parametrize("number", without(range(3), 1, 2))
def test_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 1500, seed, ["icarus"])


FAULTS = {
    "an entry is added instead of subtracted": (
        "usual", serial_walk, "digits[digit] < before[digit]", "False"),
    "the sum of a table goes on from the last": (
        "usual", serial_table, "m.d.sync += before.eq(0)", "pass"),
    "activations past n are taken": (
        "usual", serial_table, "m.d.sync += activation.eq(0)",
        "m.d.sync += activation.eq(self.activations.word_select(digit, bits))"),
    "the copy in use is written": (
        "usual", serial_table, "Cat(self.entry, self.fill)", "Cat(self.entry, self.use)"),
    "flip-flops of the copy in use are written": (
        "ff", serial_table, "(self.fill == copy)", "(self.use == copy)"),
    "a build ends an entry early": (
        "usual", serial_walk, "len(steps) - 1)", "len(steps) - 2)"),
    "a third copy is let in": (
        "usual", serial_copies, "(self.build & complete.any())", "0"),
    "the next build waits for the copy to be free": (
        "usual", serial_copies, "self.leave | ~(", "~("),
    "a second operand keeps its sign": (
        "usual", serial_column, "self.signs[position] ^ self.signs[position + 1]",
        "self.signs[position]"),
    "the first column tile adds what was there": (
        "mu2", partial_sums, "m.d.sync += word.eq(0)", "m.d.sync += word.eq(fetch.data)"),
    "the sum of a single row tile is read too early": (
        "mu1", serial_core, "& ~settling", ""),
    "sums are kept of the first column tile only": (
        "usual", serial_core, "sums.store.eq(step & ~partial.last)",
        "sums.store.eq(step & partial.first)"),
    "a stalled result is overwritten": (
        "usual", serial_core, "room.eq(~partial.last | ~acc_full | output.ready)", "room.eq(1)"),
    "partial sums wait for the output that they do not need": (
        "usual", serial_core, "room.eq(~partial.last | ", "room.eq("),
    "rows are counted on from the column tile before": (
        "usual", serial_sequencer, "Mux(self.first, self.m, rows_left)", "rows_left"),
    "addends are taken for every column tile": (
        "addend", serial_core, "step.eq(stage_full & room & (~partial.first | ",
        "step.eq(stage_full & room & (0 | "),
}


@pytest.mark.parametrize("fault", without(
    FAULTS, "an entry is added instead of subtracted", "a build ends an entry early",
    "flip-flops of the copy in use are written", "rows are counted on from the column tile before",
    "addends are taken for every column tile", "sums are kept of the first column tile only",
    "a third copy is let in"))
def test_broken_rtl_is_caught(monkeypatch, fault, seed):
    case, module, sound, wrong = FAULTS[fault]
    broken(monkeypatch, module, sound, wrong, users=USERS)
    result = verify(BLOCK, TernaryConfig(**SERIAL[case]), simulators=["icarus"],
                    cycles=30_000, seed=seed)
    assert not result["passed"], f"seed {seed}"
    assert result["mismatch"].startswith(("icarus: mismatch on", "icarus: stuck")), \
        result["mismatch"]


TINY = {"act": "int4", "mu": 1, "luts": 1, "keys": 1, "n_max": 5, "m_max": 5, "table": "lutram"}


@pytest.mark.parametrize("more", [
    {"mu": 2, "keys": 3, "m_max": 40},
    {"mu": 2, "addend": True, "pipeline": 2, "adder": "compressor", "batch": 2},
    {"weight_format": "tq1_0", "luts": 5, "n_max": 512},
    {"out": "int8_requant", "weight_format": "two_bit", "table": "ff", "build": "serial",
     "pipeline": 1},
], ids=["plain", "addend", "blocks", "requant"])
def test_every_property_is_proved(more):
    result = prove(BLOCK, TernaryConfig(**TINY | more))
    assert {name: each["status"] for name, each in result["properties"].items()
            if each["status"] != "proved"} == {}
    assert result["passed"]


BREAKS = [
    ("o-holds", serial_core, "room.eq(~partial.last | ~acc_full | output.ready)", "room.eq(1)",
     {}),
    ("job-length", serial_core, "sequencer.busy & copies.ready", "copies.ready", {}),
    ("no-beat-lost", serial_copies, "(self.build & complete.any())", "0", {}),
    ("no-beat-lost", serial_core, "advance.eq(~stage_full | step)", "advance.eq(1)", {}),
    ("sums-apart", serial_core, "& ~settling", "", {}),
    ("sums-apart", serial_sequencer, "Mux(self.last, 0, self.number + 1)", "0", {}),
    ("refusal", serial_core, "sequencer.take.eq(take)",
     "sequencer.take.eq(take & ~self.cfg.valid)", {}),
]


@pytest.mark.parametrize("name, module, sound, wrong, more", BREAKS,
                         ids=[f"{name}-{wrong}" for name, _, _, wrong, _ in BREAKS])
def test_a_broken_core_fails_its_proof(monkeypatch, tmp_path, name, module, sound, wrong, more):
    broken(monkeypatch, module, sound, wrong, users=USERS)
    result = prove(BLOCK, TernaryConfig(**TINY | more), only=[name], traces=tmp_path)
    found = result["properties"][name]
    assert found["status"] == "failed"
    assert Path(found["trace"]).read_text().startswith("$")


@pytest.mark.deep
@pytest.mark.parametrize("number", range(60))
def test_many_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 20000, seed)
