"""Cores after synthesis, in lockstep with their cycle models, on every target."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bitslice_configs import SMALL as BITSLICE
from kv_configs import SMALL as KV
from omap_configs import SMALL as OMAP
from pim_configs import FAST
from pim_configs import SMALL as PIM
from ram_block import icarus, ram
from typer.testing import CliRunner

from pimlico.cli import app
from pimlico.constraints.netlist import synthesise
from pimlico.generators.block import find
from pimlico.generators.errors import ToolError
from pimlico.generators.load import load
from pimlico.generators.verilog import Emitted, TopPort, emit
from pimlico.hdl.common.config import ConfigError
from pimlico.sim.verify import verify

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import netlists

TARGETS = ("cmos", "ecp5", "ice40", "gowin", "nexus", "xcup")
SMALL = {
    "ternary": load("ternary-gemm", preset="tiny").config.model_dump(),
    "pim": {"fmt": "int8", "lanes": 4, "row_bytes": 256, "rows": 2, "gb_cols": 2,
            "acc_slots": 1, "timing": FAST},
    "pim-bf16": PIM["bf16"],
    "bitslice": BITSLICE["one"], "bitslice-ent": BITSLICE["ent"],
    "bitslice-dsp": BITSLICE["ecp5"],
    "kv": KV["block"], "kv-auto": KV["two-beats"],
    "omap": OMAP["least"], "omap-sealed": OMAP["sealed"],
    "ascon": load("ascon-aead128", preset="compact").config.model_dump(),
}
BLOCKS = {"ternary": "ternary-gemm", "pim": "pim-channel", "bitslice": "bitslice-array",
          "kv": "kv-history", "omap": "omap-controller", "ascon": "ascon-aead128"}
QUICK = [("pim", "ecp5"), ("bitslice", "gowin"), ("omap", "cmos"), ("ascon", "ice40")]
"""The other families and targets are in the tests of the command."""
BLOCK_RAM = {"ecp5": "DP16KD", "ice40": "SB_RAM40_4K"}
"""The targets whose block RAM has a model."""


def small(case):
    block = find(BLOCKS[case.partition("-")[0]])
    return block, block.config(**SMALL[case])


@pytest.mark.parametrize("case, target", [
    pytest.param(case, target, marks=[pytest.mark.deep] * ((case, target) not in QUICK))
    for case in SMALL for target in TARGETS])
def test_a_netlist_is_in_lockstep(case, target, seed):
    block, config = small(case)
    netlist = synthesise(emit(block, config), target, cached=False)
    result = verify(block, config, simulators=["icarus"], cycles=200, seed=seed, design=netlist)
    assert result["passed"], f"{case} on {target}, seed {seed}: {result['mismatch']}"
    assert result["cycles"] == 200
    assert all(target != "cmos" or cell.startswith("$_") for cell in netlist.cells)


ROWS = json.loads(netlists.DATA.read_text())
"""Presets that have been run as netlists, and those that do not fit."""


@pytest.mark.deep
@pytest.mark.parametrize("row", [
    pytest.param(row, id="-".join((row["block"], row["preset"], row["target"])))
    for row in ROWS if row["result"] == "pass"])
def test_the_netlist_of_a_preset_is_in_lockstep(row, seed):
    design = load(row["block"], preset=row["preset"])
    netlist = synthesise(emit(design.block, design.config), row["target"])
    result = verify(design.block, design.config, simulators=["icarus"],
                    cycles=min(row["cycles"], 300), seed=seed, design=netlist)
    assert result["passed"], f"seed {seed}: {result['mismatch']}"
    assert sum(netlist.cells.values()) == row["cells"]
    assert len(netlist.behavioural) == row["behavioural"]


def test_the_page_has_the_table_of_what_was_run():
    assert netlists.table(ROWS) in netlists.PAGE.read_text()
    assert [row for row in ROWS if "cycles" in row and row["result"] != "pass"] == []
    named = {name: netlists.presets(name) for name in {row["block"] for row in ROWS}}
    assert all(row["preset"] in named[row["block"]] and row["target"] in TARGETS for row in ROWS)


@pytest.mark.deep
def test_a_row_of_the_table():
    design = load("ternary-gemm", preset="tiny")
    wanted, ended = netlists.directed(design)
    assert ended and wanted < netlists.LEAST
    row = netlists.run("ternary-gemm", "tiny", "ecp5", 300, wanted, ended)
    assert (row["result"], row["cycles"], row["directed"]) == ("pass", netlists.LEAST, True)
    row = netlists.run("ternary-gemm", "tiny", "ecp5", 0, wanted, ended)
    assert row["result"] == "out of time" and "cycles" not in row


@pytest.mark.parametrize("target", [
    pytest.param(target, marks=[pytest.mark.deep] * (target not in ("gowin", "ice40")))
    for target in TARGETS])
def test_a_block_ram_is_of_cells_or_named_as_behavioural(tmp_path, target, seed):
    emitted = ram(width=8, depth=1024, kind="block")
    netlist = synthesise(emitted, target, cached=False)
    if target in BLOCK_RAM:
        assert BLOCK_RAM[target] in netlist.cells and netlist.behavioural == []
        assert (netlist.notes == []) is (target == "ice40")
    else:
        assert netlist.behavioural == ["memory core.ram.words, 8192 bits"]
        assert re.match("1 memory is kept behavioural: ", netlist.notes[0])
    rng = np.random.default_rng(seed)
    some = rng.choice(1024, 8, replace=False).tolist()
    steps = [{"address": some[rng.integers(8)], "enable": rng.integers(2),
              "write": rng.integers(2), "data": rng.integers(256)} for _ in range(500)]
    expected = icarus(tmp_path, emitted.text, emitted, steps)
    given = icarus(tmp_path, netlist.text, emitted, steps)
    known = [pair for pair in zip(expected, given, strict=True) if "x" not in pair[0]]
    assert len(known) > 300
    assert [pair for pair in known if pair[0] != pair[1]] == []


PRODUCTS = {"ecp5": "MULT18X18D", "gowin": "MULT18X18", "xcup": "DSP48E2"}


@pytest.mark.parametrize("sign", ["signed", "unsigned"])
@pytest.mark.parametrize("target", PRODUCTS)
def test_the_model_of_a_multiplier_multiplies(tmp_path, target, sign, seed):
    kind = "signed" if sign == "signed" else ""
    text = f"""
module product(input clk, input rst, input {kind} [15:0] a, input {kind} [15:0] b,
               output [31:0] q);
wire {kind} [31:0] all = a * b;
assign q = all;
endmodule
"""
    wires = {"clk": "clk", "rst": "rst", "a": "wire", "b": "wire", "q": "wire"}
    widths = {"a": 16, "b": 16, "q": 32}
    ports = [TopPort(name, "output" if name == "q" else "input", widths.get(name, 1), name, role)
             for name, role in wires.items()]
    netlist = synthesise(Emitted("product", text, ports), target, cached=False)
    assert netlist.cells.get(PRODUCTS[target]) == 1
    assert PRODUCTS[target] in netlist.own
    assert netlist.notes[0].startswith("simulated by models of Pimlico's own: ")
    rng = np.random.default_rng(seed)
    corners = [0, 1, 0x7FFF, 0x8000, 0xFFFF]
    pairs = [(a, b) for a in corners for b in corners] + rng.integers(0, 1 << 16, (50, 2)).tolist()
    given = icarus(tmp_path, netlist.text, netlist, [{"a": a, "b": b} for a, b in pairs])
    half = 0x8000 if sign == "signed" else 1 << 16
    assert [int(bits, 2) for bits in given] == [
        (a - 2 * half * (a >= half)) * (b - 2 * half * (b >= half)) % (1 << 32) for a, b in pairs]


def test_a_lut_with_another_table_fails(seed):
    block, config = small("ternary")
    netlist = synthesise(emit(block, config), "ice40")
    pattern = re.compile(r"(LUT_INIT\(16'h)(\w{4})(\)[^;]*\.O\(s_axis_w_tready\))")
    assert pattern.search(netlist.text)
    broken = pattern.sub(lambda found: f"{found[1]}{0xFFFF ^ int(found[2], 16):04x}{found[3]}",
                         netlist.text, count=1)
    result = verify(block, config, simulators=["icarus"], cycles=400, seed=seed,
                    design=replace(netlist, text=broken))
    assert not result["passed"]
    assert "mismatch on s_axis_w_tready" in result["mismatch"]


def test_an_earlier_netlist_is_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("PIMLICO_CACHE", str(tmp_path))
    block, config = small("ternary")
    emitted = emit(block, config)
    made = synthesise(emitted, "ice40")
    monkeypatch.setattr("pimlico.constraints.yosys.work", None)
    assert synthesise(emitted, "ice40") == made
    with pytest.raises(TypeError):
        synthesise(emitted, "ice40", cached=False)


def test_a_cell_without_a_model_is_refused():
    text = ("module clocked(input clk, output y); "
            "SB_HFOSC osc (.CLKHFEN(1'b1), .CLKHFPU(1'b1), .CLKHF(y)); endmodule")
    with pytest.raises(ToolError, match=r"^no simulation model of SB_HFOSC: this core cannot be "
                                        "verified as a netlist of ice40$"):
        synthesise(Emitted("clocked", text, []), "ice40")


def test_an_unknown_target_is_refused():
    with pytest.raises(ConfigError, match=r"^target = virtex: must be one of cmos, ecp5"):
        synthesise(Emitted("top", "", []), "virtex")


@pytest.fixture
def pimlico(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
        return result.exit_code, result.stdout
    return run


def test_the_command(pimlico):
    code, out = pimlico("verify", "ternary-gemm", "--preset", "tiny", "--netlist", "xcup",
                        "--sim", "both", "--cycles", 300, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["simulators"].keys() == {"verilator", "icarus"}
    assert (told["passed"], told["netlist"], told["behavioural"]) == (True, "xcup", [])
    assert {"CARRY4", "FDRE", "LUT2"} <= told["cells"].keys()


def test_the_command_tells_what_is_behavioural(pimlico):
    settings = [part for key, value in KV["block"].items() for part in ("--set", f"{key}={value}")]
    code, out = pimlico("verify", "kv-history", *settings, "--netlist", "gowin", "--sim", "icarus",
                        "--cycles", 200)
    assert code == 0
    assert "Lockstep of the netlist for gowin against the cycle model" in " ".join(out.split())
    assert "behavioural: memory core.rows.bank_0.words, " in out
    assert "are kept behavioural: Yosys has no model of the block RAM of" in out


def test_the_command_refuses_an_unknown_target(pimlico):
    assert pimlico("verify", "kv-history", "--netlist", "virtex")[0] == 2
