"""The command line: exit codes, JSON keys, the one line each mistake gives, nothing left behind."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from running_sum import BLOCK as RUNNING_SUM
from typer.testing import CliRunner

from pimlico import results
from pimlico.cli import app
from pimlico.generators.pack import make_gguf
from pimlico.generators.ternary import BLOCK as TERNARY
from pimlico.hdl.kv.config import KvConfig

COMMANDS = ["list", "show", "doctor", "generate", "pack", "verify", "prove", "mutate", "synth",
            "build", "report"]
FAULTY_MODEL = """
from running_sum.cycles import RunningSumCycles

class Faulty(RunningSumCycles):
    def outputs(self, inputs):
        return {**super().outputs(inputs), "count": (self.count + (self.count == 9)) % 16}
"""


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """The blocks, as if the outside package were installed."""
    known = {block.name: block for block in (RUNNING_SUM, TERNARY)}
    monkeypatch.setattr("pimlico.generators.block.blocks", lambda: known)


@pytest.fixture
def pimlico(tmp_path, monkeypatch):
    """Runs the command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr
    return run


@pytest.fixture
def as_json(pimlico):
    """Runs a command with ``--json``: exit code and the object on stdout."""
    def run(*arguments):
        code, out, _ = pimlico(*arguments, "--json")
        return code, json.loads(out)
    return run


def test_list(pimlico, as_json):
    code, told = as_json("list")
    assert code == 0
    assert [entry["block"] for entry in told["blocks"]] == ["running-sum", "ternary-gemm"]
    assert told["blocks"][0] == {"block": "running-sum", "summary": RUNNING_SUM.summary,
                                 "presets": ["narrow"]}
    code, out, err = pimlico("list")
    assert (code, err) == (0, "") and "running-sum" in out


def test_list_imports_nothing_heavy():
    script = ("import sys; sys.argv = ['pimlico', 'list']; from pimlico.cli import main\n"
              "try: main()\nexcept SystemExit: pass\n"
              "print([m for m in ('amaranth', 'numpy', 'cocotb', 'pyosys') if m in sys.modules])")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_show_json(as_json):
    code, told = as_json("show", "ternary-gemm", "--set", "pipeline=3")
    assert code == 0
    assert {"block", "summary", "parameters", "presets", "ports", "latency", "interval"} \
        <= told.keys()
    assert (told["block"], told["latency"], told["interval"]) == ("ternary-gemm", 6, 1)
    assert told["presets"] == TERNARY.preset_names
    mu = told["parameters"]["properties"]["mu"]
    assert (mu["type"], mu["minimum"], mu["maximum"]) == ("integer", 1, 5)
    assert told["parameters"]["properties"]["act"]["enum"] == [
        "int4", "int8", "int16", "fp16", "bf16"]
    assert [port["name"] for port in told["ports"]] == [
        "cfg", "a", "w", "o", "status", "status_clear"]
    first = told["ports"][1]["fields"][1]
    assert (first["name"], first["signal"], first["lsb"]) == ("first", "tdata", 96)


def test_show_tells_values_of_a_configuration(pimlico):
    code, out, err = pimlico("show", "ternary-gemm", "--preset", "tiny")
    assert (code, err) == (0, "")
    assert re.search(r"n_max .* 256 ", out) and "value" in out
    assert re.search(r"latency 3 cycles, a beat a cycle", out)
    assert "default" in pimlico("show", "ternary-gemm")[1]


def test_show_tells_that_a_parameter_may_stay_unset():
    field = KvConfig.model_json_schema()["properties"]["on_chip_bits"]
    assert results._legal(field) == "at least 1, or unset"


def test_generate(pimlico, as_json, tmp_path):
    code, told = as_json("generate", "running-sum", "--out", "new/out", "--name", "sums",
                         "--reset", "active-low")
    assert code == 0
    assert told["manifest"] == str(tmp_path / "new" / "out" / "pimlico_sums.json")
    assert sorted(told["files"]) == sorted(map(str, (tmp_path / "new" / "out").iterdir()))
    assert "aresetn" in (tmp_path / "new" / "out" / "pimlico_sums.v").read_text()
    code, out, _ = pimlico("generate", "running-sum", "--out", "new/out")
    assert code == 0 and "pimlico_running_sum.v" in out
    assert (tmp_path / "new" / "out" / "pimlico_sums.v").exists()


def test_generate_with_registers(as_json, tmp_path):
    code, told = as_json("generate", "running-sum", "--out", "out", "--axil", "--keep", "count")
    assert code == 0
    wrapped = json.loads((tmp_path / "out" / "pimlico_running_sum.json").read_text())["axil"]
    assert [entry["name"] for entry in wrapped["registers"]] == [
        "CORE_ID", "STREAM_STATUS", "NEGATE"]
    assert str(tmp_path / "out" / f"{wrapped['top']}.rdl") in told["files"]


def test_generate_takes_block_and_name_from_the_file(pimlico, tmp_path):
    (tmp_path / "core.yaml").write_text("block: running-sum\nname: mine\nwidth: 4\n")
    assert pimlico("generate", "--config", "core.yaml", "--out", "out")[0] == 0
    told = json.loads((tmp_path / "out" / "pimlico_mine.json").read_text())
    assert told["config"] == {"width": 4}


WIDTH = "width = 33: must be 1 to 32 (bits of a value and of a sum)"


@pytest.mark.parametrize(("arguments", "message"), [
    (["running-sum", "--set", "width=33"], WIDTH),
    (["running-sum", "--set", "widht=3"],
     "widht = 3: must be one of width; did you mean width?"),
    (["running-sums"], "BLOCK = running-sums: must be one of running-sum, ternary-gemm; "
                       "did you mean running-sum?"),
    (["running-sum", "--preset", "narow"],
     "--preset = narow: must be one of narrow; did you mean narrow?"),
    (["running-sum", "--name", "my core"],
     "--name = my core: must be a Verilog identifier: up to 64 letters, digits and underscores, "
     "not beginning with a digit"),
    (["running-sum", "--keep", "count"], "--keep = count: must go with --axil; add --axil"),
    (["running-sum", "--axil", "--keep", "counts"],
     "--keep = counts: must be one of i, o, negate, count; did you mean count?"),
    (["running-sum", "--set", "width"],
     "--set = width: must have the form key=value; for example --set keys=16"),
    (["--config", "wide.yaml"], WIDTH),
    (["--config", "typo.yaml"], "wdth = 4: must be one of width; did you mean width?"),
    (["running-sum", "--set", "width=\n33\n"], WIDTH),
])
def test_bad_input_gives_one_line_and_writes_nothing(pimlico, tmp_path, arguments, message):
    (tmp_path / "wide.yaml").write_text("block: running-sum\nwidth: 33\n")
    (tmp_path / "typo.yaml").write_text("block: running-sum\nwdth: 4\n")
    before = set(tmp_path.iterdir())
    code, out, err = pimlico("generate", *arguments, "--out", "deep/out")
    assert (code, out, err) == (2, "", f"error: {message}\n")
    assert set(tmp_path.iterdir()) == before


def test_unwritable_folder(pimlico, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = pimlico("generate", "running-sum", "--out", "file/out")
    assert (code, out) == (2, "")
    assert err == (f"error: --out = {tmp_path / 'file' / 'out'}: must be a folder that can be "
                   "written; not a directory\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.parametrize("arguments", [
    ["generate", "running-sum"], ["verify", "running-sum", "--sim", "vcs"],
    ["verify", "running-sum", "--cycles", "0"], ["synth", "running-sum"],
    ["synth", "running-sum", "--target", "tsmc"], ["nothing"], ["list", "--jsonn"]])
def test_wrong_usage_is_exit_code_2(pimlico, arguments):
    code, out, err = pimlico(*arguments)
    assert (code, out) == (2, "") and "Usage: " in err


def test_verify(as_json):
    code, told = as_json("verify", "running-sum", "--sim", "icarus", "--cycles", "600",
                         "--seed", "7")
    assert code == 0 and told["passed"] is True
    assert (told["cycles"], told["seed"]) == (600, 7) and told["comparisons"] > 600
    run = told["simulators"]["icarus"]
    assert run["passed"] is True and run["tests"] == 1 and run["cycles_per_second"] > 0


def test_verify_reports_a_mismatch(pimlico, tmp_path, monkeypatch):
    from dataclasses import replace

    (tmp_path / "faulty_model.py").write_text(FAULTY_MODEL)
    monkeypatch.syspath_prepend(tmp_path)
    faulty = replace(RUNNING_SUM, cycles="faulty_model:Faulty")
    monkeypatch.setattr("pimlico.generators.block.blocks", lambda: {faulty.name: faulty})
    code, out, _ = pimlico("verify", "running-sum", "--sim", "icarus", "--cycles", "600",
                           "--seed", "7")
    assert code == 1
    assert "FAIL" in out and "seed 7" in out
    assert re.search(r"mismatch on count in episode 'full rate', cycle \d+", out)
    assert re.search(r"expected 10\s+got +9", out)


def test_verify_writes_waves_here(as_json, tmp_path):
    code, told = as_json("verify", "running-sum", "--sim", "icarus", "--cycles", "50", "--waves")
    assert code == 0
    assert told["simulators"]["icarus"]["waves"] == str(tmp_path / "pimlico_running_sum.fst")
    assert (tmp_path / "pimlico_running_sum.fst").stat().st_size > 0


def test_a_missing_tool_gives_one_line(pimlico, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert pimlico("verify", "running-sum", "--sim", "icarus") == (
        2, "", "error: iverilog is missing, needed for simulation with Icarus; "
               "get it with: apt-get install iverilog\n")


def test_synth(pimlico, as_json, tmp_path, monkeypatch):
    monkeypatch.setenv("PIMLICO_CACHE", str(tmp_path / "cache"))
    code, told = as_json("synth", "ternary-gemm", "--preset", "tiny", "--target", "cmos")
    assert code == 0
    assert {"target", "transistors", "logic_transistors", "ff_bits", "depth", "lut", "ff", "dsp",
            "bram", "lutram", "fmax_mhz", "cells"} <= told.keys()
    assert told["target"] == "cmos" and told["lut"] is None and told["fmax_mhz"] is None
    assert told["transistors"] == told["logic_transistors"] + 16 * told["ff_bits"]
    assert told["per_mac"] == round(told["transistors"] / told["macs"], 2)
    code, out, _ = pimlico("synth", "ternary-gemm", "--preset", "tiny", "--target", "cmos")
    assert code == 0 and re.search(r"transistors a MAC a cycle .* \d", out)


@pytest.mark.parametrize(("met", "exit_code"), [(True, 0), (None, 0), (False, 1)])
def test_missed_timing_is_exit_code_1(pimlico, monkeypatch, met, exit_code):
    monkeypatch.setattr("pimlico.constraints.synth.synthesise", lambda *_, **__: {
        "target": "ecp5", "lut": 10, "fmax_mhz": 90.0, "timing_met": met})
    code, out, _ = pimlico("synth", "running-sum", "--target", "ecp5", "--pnr", "--clock", "100")
    assert code == exit_code
    assert ("timing missed" in out) == (met is False)


def test_synth_refusals(pimlico):
    assert pimlico("synth", "running-sum", "--target", "ecp5", "--clock", "100") == (
        2, "", "error: --clock = 100: must go with --pnr; add --pnr\n")
    assert pimlico("synth", "running-sum", "--target", "cmos", "--pnr")[0] == 2


@pytest.mark.parametrize(("status", "exit_code"), [("proved", 0), ("failed", 1), ("unknown", 1)])
def test_prove(pimlico, monkeypatch, status, exit_code):
    entry = {"status": status, "mode": "bounded", "depth": 12, "seconds": 0.1, "config": {},
             "shows": "o keeps its payload", "counterexample": None, "trace": None}
    monkeypatch.setattr("pimlico.sim.prove.prove", lambda *_, **__: {
        "passed": status == "proved", "properties": {"o-holds": entry}})
    code, out, _ = pimlico("prove", "ternary-gemm")
    assert code == exit_code and "o-holds" in out and status in out.lower()
    code, out, _ = pimlico("prove", "ternary-gemm", "--json")
    assert code == exit_code and json.loads(out)["properties"]["o-holds"]["depth"] == 12


def test_prove_needs_properties(pimlico):
    assert pimlico("prove", "running-sum") == (
        2, "", "error: running-sum has no formal properties\n")


def test_pack(as_json, tmp_path):
    trits = np.random.default_rng(1).integers(-1, 2, (8, 256)).astype(np.float32)
    make_gguf(tmp_path / "model.gguf", {"blk.0.ffn_down.weight": trits}, "TQ2_0")
    code, told = as_json("pack", "model.gguf", "--tensor", "blk.0.ffn_down.weight", "--preset",
                         "bitnet-2b4t", "--out", "weights.bin")
    assert code == 0
    assert (told["n"], told["m"], told["format"]) == (256, 8, "tq2_0")
    data = (tmp_path / "weights.bin").read_bytes()
    assert len(data) == told["beats"] * told["beat_bytes"]


def test_pack_refuses_what_it_cannot_read(pimlico, tmp_path):
    code, out, err = pimlico("pack", "none.gguf", "--tensor", "t", "--out", "weights.bin")
    assert (code, out) == (2, "") and err.count("\n") == 1 and "none.gguf" in err
    assert not list(tmp_path.iterdir())


def test_doctor(pimlico, as_json):
    code, told = as_json("doctor")
    assert code == 0
    tools = {tool["name"]: tool for tool in told["tools"]}
    assert tools["iverilog"]["found"] and tools["iverilog"]["version"]
    assert "iverilog" in pimlico("doctor")[1]


def test_doctor_says_how_to_get_what_is_missing(as_json, monkeypatch):
    monkeypatch.setenv("PATH", "")
    code, told = as_json("doctor")
    tools = {tool["name"]: tool for tool in told["tools"]}
    assert (code, told["complete"]) == (0, False)
    assert tools["iverilog"]["found"] is False
    assert tools["iverilog"]["get"] == "apt-get install iverilog"


def test_mutate(pimlico, as_json):
    small = ("mutate", "running-sum", "--count", 30, "--cycles", 2000, "--seed", 5)
    code, told = as_json(*small)
    assert (code, told["seed"]) == (0, 5) and told["score"] >= 95
    code, out, _ = pimlico(*small)
    assert code == 0 and f"{told['killed']} of {told['total']}" in out
    code, told = as_json(*small[:-4], "--cycles", 30, "--seed", 5, "--least", 99)
    assert code == 1 and told["survivors"]


def test_help_lists_the_commands_each_with_an_example(pimlico):
    code, out, _ = pimlico("--help")
    assert code == 0
    assert re.findall(r"^│ (\w+) {2,}\S", out, flags=re.M) == COMMANDS
    for command in COMMANDS:
        code, out, _ = pimlico(command, "--help")
        assert code == 0 and f"Example: pimlico {command}" in out


def test_version_and_module(pimlico):
    run = subprocess.run([sys.executable, "-m", "pimlico", "--version"], capture_output=True,
                         text=True, check=True)
    assert re.fullmatch(r"pimlico \d+\.\d+\.\d+\n", run.stdout)
    assert pimlico("--version")[1] == run.stdout
