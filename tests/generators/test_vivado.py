"""The Vivado script, in a Tcl interpreter whose Vivado commands only note how they are called."""

import re

import pytest
from running_sum import BLOCK as RUNNING_SUM

from pimlico.generators.block import find
from pimlico.generators.clocks import constraints
from pimlico.generators.deliver import deliverables
from pimlico.generators.load import load
from pimlico.generators.ternary import BLOCK as TERNARY
from pimlico.generators.verilog import Emitted, clock_and_reset
from pimlico.generators.vivado import PARTS, part_of, vivado_script

tkinter = pytest.importorskip("tkinter", reason="Python was built without Tcl")

CASES = [(block, preset) for block, presets in PARTS.items() for preset in presets]
COMMANDS = ("create_project", "read_verilog", "read_xdc", "synth_design", "report_utilization",
            "report_timing_summary")
XDC_COMMANDS = ("create_clock", "get_ports")
TOP = "pimlico_core"
EMITTED = Emitted(TOP, "", clock_and_reset("high"))


def calls_of(path, commands, *arguments):
    """Every call of `commands` while the file is sourced; any other unknown command is an error."""
    interpreter = tkinter.Tcl()
    calls = []

    def note(name):
        def call(*words):
            calls.append([name, *map(str, words)])
            return words[-1] if words else ""
        return call

    for name in commands:
        interpreter.createcommand(name, note(name))
    if arguments:
        interpreter.eval("set argv [list " + " ".join(arguments) + "]")
    interpreter.eval(f"source {{{path}}}")
    return calls


@pytest.mark.parametrize("arguments", [(), ("xczu7ev-ffvc1156-2-e",)])
def test_the_script(tmp_path, arguments):
    folder = tmp_path / "a folder"
    folder.mkdir()
    path = folder / f"{TOP}_vivado.tcl"
    path.write_text(vivado_script(EMITTED, "xck26-sfvc784-2LV-c"))
    part = arguments[0] if arguments else "xck26-sfvc784-2LV-c"
    assert calls_of(path, COMMANDS, *arguments) == [
        ["create_project", "-in_memory", "-part", part],
        ["read_verilog", f"{folder}/{TOP}.v"],
        ["read_xdc", "-mode", "out_of_context", f"{folder}/{TOP}.xdc"],
        ["synth_design", "-top", TOP, "-part", part, "-mode", "out_of_context"],
        ["report_utilization", "-file", f"{folder}/{TOP}_utilization.rpt"],
        ["report_timing_summary", "-file", f"{folder}/{TOP}_timing.rpt"]]


def test_the_constraints_are_tcl_too(tmp_path):
    path = tmp_path / f"{TOP}.xdc"
    path.write_text(constraints(EMITTED)[path.name])
    assert calls_of(path, XDC_COMMANDS) == [
        ["get_ports", "clk"], ["create_clock", "-name", "clk", "-period", "10.000", "clk"]]


def test_a_mistake_in_the_script_is_found(tmp_path):
    path = tmp_path / "script.tcl"
    text = vivado_script(EMITTED, "xck26-sfvc784-2LV-c")
    for right, wrong in (("\n}\n", "\n"), ("$here", "$there"), ("synth_design", "synth")):
        path.write_text(text.replace(right, wrong, 1))
        with pytest.raises(tkinter.TclError):
            calls_of(path, COMMANDS)


@pytest.mark.parametrize(("block", "preset"), CASES)
def test_presets_of_ultrascale_have_their_device(block, preset):
    part = part_of(find(block), load(block, preset=preset).config)
    assert part == PARTS[block][preset]
    assert re.fullmatch(r"xc[a-z0-9]+-[a-z]+\d+-2L?V?-[ec]", part)


def test_others_have_no_script():
    assert part_of(TERNARY, load("ternary-gemm", preset="tiny").config) is None
    assert part_of(RUNNING_SUM, RUNNING_SUM.config()) is None


def test_the_script_is_delivered_and_says_that_it_was_not_run():
    files = deliverables(TERNARY, load("ternary-gemm", preset="kintex-lutram").config, "core")
    assert "NOT RUN HERE" in files[f"{TOP}_vivado.tcl"]
    assert f"{TOP}.xdc" in files
