"""The PIM banks in both simulators, every parameter at every kind of value."""

import subprocess
from functools import cache

import numpy as np
import pytest
from long_runs import without
from pim_cases import DUAL, QUICK, SINGLE
from pim_configs import SMALL, random_config
from pim_jobs import cases
from pim_table_cases import TABLES, TABLES_DUAL

from pimlico.generators.block import find
from pimlico.generators.lint import waivers
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.pim.commands import Code
from pimlico.hdl.pim.config import PimConfig
from pimlico.sim.tools import require
from pimlico.sim.verify import verify

BANK, CHANNEL = find("pim-bank"), find("pim-channel")
PRESETS = [(block.name, preset) for block in (BANK, CHANNEL) for preset in block.preset_names]
FEWER = {"aim": {"banks": 2, "bank_groups": 2}, "pim-gpt": {"banks": 2, "bank_groups": 2},
         "hbm-pim": {"banks": 2, "bank_groups": 2}, "neupims": {"banks": 2}, "duplex": {"reuse": 2},
         "aqpim": {"banks": 2, "bank_groups": 1}}
"""What runs of the larger presets; all else is as in the preset."""
COMPILED = ["int8-dual", "bf16", "fp16-lanes"]
"""Compiled by Verilator in every run: each kind of sum, one and two row buffers."""


def check(config, cycles, seed, simulators=("icarus",), block=CHANNEL, **options):
    result = verify(block, config, simulators=simulators, cycles=cycles, seed=seed, **options)
    assert result["passed"], f"{config!r}, seed {seed}: {result['mismatch']}"
    return result


@cache
def design(case):
    """Verilog of a small configuration, made once."""
    return emit(CHANNEL, PimConfig(**SMALL[case]))


@pytest.mark.parametrize("case", without(SMALL, "pq-wide", "pq-many"))
def test_parameters_in_lockstep(case, seed):
    check(PimConfig(**SMALL[case]), 4000, seed, design=design(case))


@pytest.mark.parametrize("case", without(SMALL, *set(SMALL) - set(COMPILED)))
def test_parameters_in_compiled_lockstep(case, seed):
    check(PimConfig(**SMALL[case]), 20_000, seed, ["verilator"], design=design(case))


@pytest.mark.parametrize("case", without(SMALL, "pq-wide", "pq-many"))
def test_verilog_is_clean(case, tmp_path):
    emitted = design(case)
    source, allowed = tmp_path / f"{emitted.top}.v", tmp_path / f"{emitted.top}.vlt"
    source.write_text(emitted.text)
    allowed.write_text(waivers(emitted))
    run = subprocess.run([require("verilator"), "--lint-only", "-Wall", allowed, source],
                         capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(("block", "preset"), PRESETS)
def test_preset_in_lockstep(block, preset, seed):
    """With fewer banks or vectors, the larger ones."""
    config = load(block, preset=preset).config
    config = type(config)(**config.model_dump() | FEWER.get(preset, {}))
    check(config, 2000, seed, block=find(block))


@pytest.mark.parametrize("parameters", [
    SINGLE, DUAL, QUICK, pytest.param(TABLES, marks=pytest.mark.deep), TABLES_DUAL],
    ids=["single", "dual", "in turn", "tables", "tables dual"])
def test_each_rule_by_itself(parameters, seed):
    """In the RTL as in the rules: refused a cycle too early with its code, carried out on time."""
    config = PimConfig(**parameters)
    expected = [code for *_, codes in cases(config) for code in codes]
    assert expected
    result = check(config, 50_000, seed, stimulus="pim_jobs:rules_by_themselves", record=True)
    run = result["simulators"]["icarus"]
    port = config.port("status")
    assert [Code(port.unpack(word)["code"]) for word in run["recorded"]["status"]] == expected


@pytest.mark.parametrize("case", ["int8-dual", "int8-reuse", "int8-waits", "fp16-lanes"])
def test_nothing_is_left_after_a_reset(case, seed):
    result = check(PimConfig(**SMALL[case]), 6000, seed, design=design(case),
                   stimulus="pim_jobs:resets")
    assert result["simulators"]["icarus"]["episodes"] > 10


@pytest.mark.parametrize("case", ["int8-dual", "int8"])
def test_reads_beside_the_multiplication(case, seed):
    """A schedule in which every command comes as soon as it is legal."""
    config = PimConfig(**SMALL[case])
    result = check(config, 20_000, seed, design=design(case), record=True,
                   stimulus="pim_jobs:reads_beside")
    traffic = result["simulators"]["icarus"]["traffic"]
    assert traffic["rdata"]["beats"] == 96
    assert traffic["status"]["beats"] == 0


@pytest.mark.parametrize("number", without(range(2), 1))
def test_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 1200, seed)


@pytest.mark.deep
@pytest.mark.parametrize("number", range(100))
def test_many_random_parameters_in_lockstep(number, seed):
    config = random_config(np.random.default_rng(seed), pq=bool(number % 2))
    check(config, 20_000, seed, ["verilator", "icarus"])


@pytest.mark.deep
@pytest.mark.parametrize("case", SMALL)
def test_parameters_in_long_lockstep(case, seed):
    check(PimConfig(**SMALL[case]), 200_000, seed, ["verilator", "icarus"], design=design(case))


@pytest.mark.deep
@pytest.mark.parametrize("case", SMALL)
def test_many_resets(case, seed):
    check(PimConfig(**SMALL[case]), 20_000, seed, stimulus="pim_jobs:resets")


@pytest.mark.deep
@pytest.mark.parametrize(("block", "preset"), PRESETS)
def test_whole_preset_in_lockstep(block, preset, seed):
    check(load(block, preset=preset).config, 100_000, seed, ["verilator"], block=find(block))
