"""The ternary core in both simulators, every parameter at every kind of value."""

import numpy as np
import pytest
from long_runs import without
from ternary_configs import COSTLY, FLOATING, LARGE, SMALL

from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.replay import replay
from pimlico.sim.verify import verify
from pimlico.verif.ternary.cycles import TernaryCycles
from pimlico.verif.ternary.random_jobs import Jobs

BLOCK = find("ternary-gemm")
COMPILED = ["smallest", "mu3", "tq2_0"]
COMPILED_PRESETS = ["tiny"]
"""Compiled by Verilator too in every run; the others in long ones."""


def check(config, cycles, seed, simulators=("verilator", "icarus")):
    result = verify(BLOCK, config, simulators=simulators, cycles=cycles, seed=seed)
    assert result["passed"], f"{config!r}, seed {seed}: {result['mismatch']}"
    return result


@pytest.mark.parametrize("preset", without(BLOCK.preset_names, "bf16-mu3", "fp16-mu3"))
def test_preset_in_lockstep(preset, seed):
    config = load("ternary-gemm", preset=preset).config
    check(config, 60 if config.floating else 3000, seed,
          ["verilator", "icarus"] if preset in COMPILED_PRESETS else ["icarus"])


@pytest.mark.deep
@pytest.mark.parametrize("preset", [preset for preset in BLOCK.preset_names
                                    if preset not in COMPILED_PRESETS])
def test_preset_in_compiled_lockstep(preset, seed):
    config = load("ternary-gemm", preset=preset).config
    check(config, 2000 if config.floating else 20_000, seed, ["verilator"])


@pytest.mark.parametrize("case", without(
    SMALL, "mu5-wide", "fp16-mu4", "bf16-mu5", "batch-requant", "scaled-batch", "fp16-none",
    "bf16-act", "mu4", "none-compressor", "base3x5-mu5", "tq1_0-mu3"))
def test_parameters_in_lockstep(case, seed):
    check(TernaryConfig(**SMALL[case]), 1500 if case in COSTLY + FLOATING else 2500, seed,
          ["verilator", "icarus"] if case in COMPILED else ["icarus"])


@pytest.mark.deep
@pytest.mark.parametrize("case", [case for case in SMALL if case not in COMPILED])
def test_parameters_in_compiled_lockstep(case, seed):
    check(TernaryConfig(**SMALL[case]), 20_000, seed, ["verilator"])


@pytest.mark.parametrize("case", without(
    FLOATING, *(case for case in FLOATING if case != "fp16-flush")))
def test_floating_sums_in_verilator(case, seed):
    check(TernaryConfig(**SMALL[case]), 20000, seed, ["verilator"])


@pytest.mark.parametrize("case", ["most-luts", "most-keys"])
def test_largest_tiles_in_lockstep(case, seed):
    check(TernaryConfig(**LARGE[case]), 600, seed, ["icarus"])


def random_parameters(rng):
    return {
        "act": str(rng.choice(["int4", "int8", "int16", "fp16", "bf16"])),
        "batch": int(rng.choice([1, 1, 2, 3])),
        "table": str(rng.choice(["ff", "ff", "none"])),
        "luts": int(rng.choice([1, 2, 3, 4, 5, 8, 10, 16])),
        "keys": int(rng.integers(1, 7)),
        "mux": str(rng.choice(["andor", "tree"])),
        "adder": str(rng.choice(["carry", "compressor"])),
        "n_max": int(rng.integers(1, 2000)), "m_max": int(rng.integers(1, 200)),
        "addend": bool(rng.integers(2)), "pipeline": int(rng.integers(5)),
        "weight_format": str(rng.choice(["keys", "base3x5", "two_bit", "tq1_0", "tq2_0"])),
        "out": str(rng.choice(["raw", "fp32_scaled", "int8_requant"])),
    }


def random_config(rng):
    """Parameters drawn until they go together."""
    while True:
        parameters = random_parameters(rng)
        floating = parameters["act"] in ("fp16", "bf16")
        if parameters["table"] == "ff":
            parameters["mu"] = int(rng.integers(1, 4 if floating else 6))
        if floating:
            parameters |= {"acc_format": str(rng.choice(["fp32", "act"])),
                           "subnormals": str(rng.choice(["keep", "flush"])),
                           "luts": min(4, parameters["luts"]), "keys": min(3, parameters["keys"])}
        if parameters["weight_format"].startswith("tq"):
            parameters["n_max"] = 256 * int(rng.integers(1, 5))
        try:
            return TernaryConfig(**parameters)
        except ConfigError:
            continue


@pytest.mark.parametrize("number", range(2))
def test_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 600, seed, ["icarus"])


@pytest.mark.parametrize("weight_format", ["keys", "tq2_0"])
def test_status_codes(weight_format, seed):
    """Every code is reached, in the RTL as in the model."""
    config = TernaryConfig(mu=2, luts=8, keys=2, weight_format=weight_format, n_max=512,
                           m_max=6)
    jobs = Jobs(config, np.random.default_rng(seed))
    codes = []
    for cfg in (jobs.cfg(size.n, size.m) for size in jobs.refused()):
        model = TernaryCycles(config)
        model.tick({"cfg_valid": 1, "cfg_payload": cfg, "a_valid": 0, "w_valid": 0, "o_ready": 1,
                    "status_clear": 0})
        assert model.idle
        codes.append(model.status)
    assert set(codes) == ({1, 2, 3, 4, 5} if weight_format == "tq2_0" else {1, 2, 3, 4})
    result = verify(BLOCK, config, cycles=3000, seed=seed, record=True,
                    stimulus="ternary_configs:offences")
    assert result["passed"], result["mismatch"]
    for simulator in result["simulators"].values():
        assert len(simulator["recorded"]["o"]) == len(codes) + 2


@pytest.mark.deep
@pytest.mark.parametrize("case", LARGE)
def test_large_in_lockstep(case, seed):
    check(TernaryConfig(**LARGE[case]), 20000, seed)


@pytest.mark.deep
@pytest.mark.parametrize("number", range(100))
def test_many_random_parameters_in_lockstep(number, seed):
    check(random_config(np.random.default_rng(seed)), 20000, seed)


@pytest.mark.deep
@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_in_long_lockstep(preset, seed):
    config = load("ternary-gemm", preset=preset).config
    result = replay(BLOCK, config, cycles=20_000 if config.floating else 2_000_000, seed=seed)
    assert result["passed"], f"{config!r}, seed {seed}: {result['failure']}"
