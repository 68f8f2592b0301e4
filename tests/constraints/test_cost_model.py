"""The cost model of the ternary core against synthesis.

Cores of 3000 to 40 000 transistors by the model, up to twice that where a draw insists on what
is large, by a seed and in the order of the draw; none is left out. The coefficients were fitted to
other cores, but for those of a serial build and of floating tables. Smaller cores are outside of
what the model claims.
"""

from itertools import islice

import pytest

from pimlico.constraints.synth import synthesise
from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.generators.ternary_cost.estimate import estimate
from pimlico.generators.ternary_cost.samples import FLOAT, SERIAL, draw
from pimlico.generators.verilog import emit

SEED = 1581
MOST = 40_000
WIDE = {"mu": (4, 5), "table": ("ff",)}
SCALED = {"out": ("int8_requant", "fp32_scaled")}
CORES = {
    **{f"parallel-{number}": config
       for number, config in enumerate(islice(draw(SEED, 3000, MOST), 14))},
    **{f"serial-{number}": config
       for number, config in enumerate(islice(draw(SEED + 1, 3000, MOST, **SERIAL), 6))},
    **{f"wide-{number}": config
       for number, config in enumerate(islice(draw(SEED, 3000, 2 * MOST, **WIDE), 4))},
    **{f"scaled-{number}": config
       for number, config in enumerate(islice(draw(SEED, 3000, 2 * MOST, **SCALED), 4))},
    **{f"float-{number}": config
       for number, config in enumerate(islice(draw(SEED, 3000, 70_000, **FLOAT), 3))},
    **{name: load("ternary-gemm", preset=name).config
       for name in ("tiny", "bitnet-2b4t", "best-int4", "best-int8", "micas-int8",
                     "kintex-lutram", "tellme-kv260")},
}
QUICK = {"cmos": ("parallel-0", "parallel-1", "parallel-2", "serial-0"),
         "ecp5": ("parallel-0", "parallel-1", "serial-0"),
         "xcup": ("parallel-0", "serial-0")}
"""Few enough for every run; the others are long ones."""
LIMIT = {"cmos": 0.10, "ecp5": 0.25, "xcup": 0.15}
"""Relative errors. Wider for ECP5: there many LUTs go into speed where a path happens to be the
longest. The same core, one table by five rows of int4, took 561 LUTs with n_max = 4096, 461 with
4095 and 354 with 6912."""
SIZE = {"cmos": "transistors", "ecp5": "lut", "xcup": "lut"}

LEAST = {"cmos": 3000, "ecp5": 300, "xcup": 300}
"""Smaller cores, by the model, are outside of what it claims."""


def cases(target):
    """Every core that is large enough, those not in `QUICK` as deep."""
    return [pytest.param(name, marks=[] if name in QUICK[target] else [pytest.mark.deep])
            for name, config in CORES.items()
            if estimate(config)[target][SIZE[target]] >= LEAST[target]]


def check(name, target):
    config = CORES[name]
    emitted = emit(find("ternary-gemm"), config)
    real = synthesise(emitted.text, emitted.top, target)
    model = estimate(config)[target]
    error = model[SIZE[target]] / real[SIZE[target]] - 1
    assert abs(error) <= LIMIT[target], f"{100 * error:.1f} % of {real[SIZE[target]]}"
    return config, real, model


@pytest.mark.parametrize("name", cases("cmos"))
def test_transistors(name):
    config, real, model = check(name, "cmos")
    assert model["memory_bits"] == real["memory_bits"]
    if not config.serial and config.out != "fp32_scaled":
        assert model["ff_bits"] == real["ff_bits"]


@pytest.mark.parametrize("name", cases("ecp5"))
def test_luts_of_ecp5(name):
    config, real, model = check(name, "ecp5")
    assert model["lutram"] == real["lutram"]
    if not config.serial and config.out != "fp32_scaled":
        assert model["ff"] == real["ff"]


@pytest.mark.parametrize("name", cases("xcup"))
def test_luts_of_ultrascale(name):
    config, real, model = check(name, "xcup")
    if not config.serial and config.out != "fp32_scaled":
        assert (model["ff"], model["lutram"]) == (real["ff"], real["lutram"])
