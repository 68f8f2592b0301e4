"""The bit-sliced array in simulators, every parameter at every kind of value."""

import re
import subprocess

import numpy as np
import pytest
from bitslice_configs import DEEP, SMALL, random_config

from pimlico.generators.block import find
from pimlico.generators.deliver import generate
from pimlico.generators.load import load
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.sim.tools import require
from pimlico.sim.verify import verify

BLOCK = find("bitslice-array")
ON_BOTH = ["ice40-tiny"]
CUT = {"tpe-opt2", "tpe-opt3", "elmoe3d"}
"""Presets that run here with 4 rows and 4 columns; all else is as in the preset."""
SLOW = {"lanes", "many-lanes", "serial-nested", "precisions", "wide", "serial-precisions", "ent",
        "zero-points", "tree", "nested"}
"""Those of which Icarus runs few hundred cycles a second."""


def check(config, cycles, seed, simulators=("icarus",), **options):
    result = verify(BLOCK, config, simulators=simulators, cycles=cycles, seed=seed, **options)
    assert result["passed"], f"{config!r}, seed {seed}: {result['mismatch']}"
    return result


def results_of(result):
    return min(simulator["traffic"]["o"]["beats"]
               for simulator in result["simulators"].values())


@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_in_lockstep(preset, seed):
    """A job or two; on Verilator all presets run in full among the long ones."""
    smaller = {"rows": 4, "cols": 4} if preset in CUT else {}
    parameters = load("bitslice-array", preset=preset).config.model_dump() | smaller
    smoke(BitsliceConfig(**parameters), seed,
          ("verilator", "icarus") if preset in ON_BOTH else ("icarus",))


@pytest.mark.deep
@pytest.mark.parametrize("preset", sorted(CUT))
def test_preset_of_full_size_in_lockstep(preset, seed):
    smoke(load("bitslice-array", preset=preset).config, seed, ("icarus",))


def smoke(config, seed, simulators):
    """As many cycles as the first results take, whatever their digits."""
    tile = 6 * config.steps if config.arch == "skip" else 6 * config.interval
    assert results_of(check(config, config.latency + tile + 40, seed, simulators)) > 0


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=[pytest.mark.deep] * (case in DEEP)) for case in SMALL])
def test_parameters_in_lockstep(case, seed):
    """The corners: full rate, extremes, every mode, stalls, refusals, misplaced ``last``; of
    slow ones the first."""
    result = check(BitsliceConfig(**SMALL[case]), 400 if case in SLOW else 1300, seed)
    assert results_of(result) > 20


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=[pytest.mark.deep] * (case not in ("zero-unsigned", "nested")))
    for case in SMALL])
def test_longest_sums_of_extremes_in_lockstep(case, seed):
    """``max_k`` equal products of every sign, with zero points at the other ends; results are
    those of plain Python, for so are the cycle model's."""
    config = BitsliceConfig(**SMALL[case])
    result = check(config, 20_000, seed, stimulus="bitslice_jobs:longest")
    assert result["simulators"]["icarus"]["episodes"] == 1
    assert results_of(result) > 0


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=[pytest.mark.deep] * (case != "serial-precisions"))
    for case in SMALL if SMALL[case].get("dataflow") != "ws"])
def test_results_that_go_on_in_lockstep(case, seed):
    result = check(BitsliceConfig(**SMALL[case]), 5_000, seed, stimulus="bitslice_jobs:going_on")
    assert result["simulators"]["icarus"]["episodes"] == 3


@pytest.mark.parametrize("number", range(2))
def test_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 400, seed)


def test_the_testbench_of_a_preset_passes(tmp_path):
    """Plain Verilog: a recorded run, without Python or cocotb."""
    config = load("bitslice-array", preset="ice40-tiny").config
    out = tmp_path / "out"
    generate(BLOCK, config, out, "core", "active-low")
    program = tmp_path / "tb.vvp"
    subprocess.run([require("iverilog"), "-Wall", "-Wno-timescale", "-o", program,
                    "pimlico_core.v", "pimlico_core_tb.v"], cwd=out, check=True)
    run = subprocess.run([require("vvp"), program], cwd=out, check=True, capture_output=True,
                         text=True)
    verdict = re.fullmatch(r"PASS: (\d+) cycles, (\d+) result beats", run.stdout.splitlines()[-1])
    assert verdict, run.stdout
    assert int(verdict[1]) == 2000 and int(verdict[2]) > 50


@pytest.mark.deep
@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_in_long_lockstep(preset, seed):
    config = load("bitslice-array", preset=preset).config
    result = check(config, 20_000, seed, ["verilator"])
    assert results_of(result) > 200


@pytest.mark.deep
@pytest.mark.parametrize("case", SMALL)
def test_parameters_in_long_lockstep(case, seed):
    check(BitsliceConfig(**SMALL[case]), 50_000, seed, ["verilator", "icarus"])


@pytest.mark.deep
@pytest.mark.parametrize("number", range(60))
def test_many_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 3_000, seed)
    check(random_config(np.random.default_rng(seed)), 20_000, seed,
          stimulus="bitslice_jobs:longest")
