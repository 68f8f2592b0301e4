"""Bit-sliced arrays of every kind go through synthesis, to gates and to FPGA cells; the packed
ones to as many DSP blocks as they have PEs."""

import subprocess
import sys
from time import perf_counter

import pytest

from pimlico.constraints.synth import synthesise
from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.bitslice.config import BitsliceConfig

BLOCK = find("bitslice-array")
TINY = {"rows": 2, "cols": 1, "a_width": 4, "w_width": 4, "max_k": 16, "sum_stages": 1}
ARCHS = {
    "parallel": {}, "tree": {"arch": "tree"}, "serial": {"arch": "serial"},
    "skip": {"arch": "skip", "group": 2, "encoding": "ent"}, "mac": {"arch": "mac"},
    "stationary": {"dataflow": "ws", "max_k": 2},
    "nested": {"nested": True, "w_width": 8, "zero_points": True},
}
FPGA = {"parallel": "ecp5", "tree": "ice40", "serial": "xcup", "skip": "ecp5", "mac": "ice40",
        "stationary": "xcup", "nested": "gowin"}
USUAL = {"gates": {"parallel", "skip"}, "fpga": {"parallel", "mac"}}
"""The others are for long runs."""


def synth(config, target):
    emitted = emit(BLOCK, config)
    return synthesise(emitted.text, emitted.top, target)


COUNT = """
from pyosys import libyosys as ys
design = ys.Design()
for command in ("read_verilog design.v", "synth_ice40 -dsp -top {top}",
                "tee -q -o count.txt select -count t:SB_MAC16"):
    ys.run_pass(command, design)
"""


def dsps(config, target, folder):
    """DSP blocks; of an iCE40 that has some, such as the UP5K, which is not the target's."""
    if target != "ice40":
        return synth(config, target)["dsp"]
    emitted = emit(BLOCK, config)
    (folder / "design.v").write_text(emitted.text)
    subprocess.run([sys.executable, "-c", COUNT.format(top=emitted.top)], cwd=folder, check=True,
                   capture_output=True)
    return int((folder / "count.txt").read_text().split()[0])


def cases(kind):
    return [pytest.param(name, marks=[pytest.mark.deep] * (name not in USUAL[kind]))
            for name in ARCHS]


def queued_bits(config):
    """Bits of the results that wait, and of those that are kept; less than any core has."""
    data = config.results * config.result_width
    return config.fifo_depth * data + (config.bands * data if config.dataflow == "os" else 0)


@pytest.mark.parametrize("case", cases("gates"))
def test_gates(case):
    config = BitsliceConfig(**TINY | ARCHS[case])
    result = synth(config, "cmos")
    assert result["memory_bits"] >= queued_bits(config)
    assert result["ff_bits"] >= config.rows * config.columns * config.shape.state_width
    assert result["transistors"] == result["logic_transistors"] + 16 * result["ff_bits"]
    assert result["depth"] > 5


@pytest.mark.parametrize("case", cases("fpga"))
def test_one_fpga_family_each(case):
    config = BitsliceConfig(**TINY | ARCHS[case])
    result = synth(config, FPGA[case])
    assert result["lut"] > 0
    assert result["ff"] >= config.rows * config.columns * config.shape.state_width
    assert result["dsp"] == 0 or case == "mac"
    assert not result["large_ram"]
    assert result["uncounted"] == {}


@pytest.mark.parametrize(("dsp", "target"), [("dsp48e2", "xcup"), ("ecp5", "ecp5"),
                                             ("ice40", "ice40")])
@pytest.mark.parametrize("dataflow", [
    "os", pytest.param("ws", marks=pytest.mark.deep)])
def test_a_pe_is_a_dsp_block(dsp, target, dataflow, tmp_path):
    """Whatever the columns that it has the products of: no more, and no multiplier in gates."""
    config = BitsliceConfig(rows=2, cols=6, w_width=4, multiplier="dsp_packed", dsp=dsp,
                            max_k=16, sum_stages=1, pipeline=1, dataflow=dataflow)
    assert config.columns * config.packing.count == config.cols
    assert dsps(config, target, tmp_path) == config.rows * config.columns
    assert config.columns == {"dsp48e2": 2, "ecp5": 3, "ice40": 3}[dsp]


@pytest.mark.deep
def test_the_packed_preset_has_a_dsp_block_a_pe():
    config = load("bitslice-array", preset="skipopu-dsp").config
    assert synth(config, "xcup")["dsp"] == config.rows * config.columns == 32


@pytest.mark.parametrize("preset", [
    pytest.param(name, marks=[pytest.mark.deep] * (name != "tpe-opt2"))
    for name in BLOCK.preset_names if load("bitslice-array", preset=name).config.rows == 16])
def test_verilog_of_16_rows_is_short(preset, capsys):
    """Each distinct PE is emitted once; at most 2 MB."""
    config = load("bitslice-array", preset=preset).config
    begun = perf_counter()
    text = emit(BLOCK, config).text
    with capsys.disabled():
        print(f"\n{preset}: {len(text) / 1e6:.2f} MB in {perf_counter() - begun:.1f} s")
    assert len(text) <= 2_000_000


@pytest.mark.deep
def test_verilog_of_the_largest_array_is_short(capsys):
    begun = perf_counter()
    text = emit(BLOCK, BitsliceConfig(rows=64, cols=64)).text
    with capsys.disabled():
        print(f"\n64x64: {len(text) / 1e6:.2f} MB in {perf_counter() - begun:.1f} s")
    assert len(text) <= 2_000_000
