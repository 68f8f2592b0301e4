"""The cost model of the ternary core beside synthesis, on cores drawn at random.

``--fit`` also prints coefficients that fit these cores better, from those that stand in
``generators/ternary_cost/coefficients.py``.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from itertools import islice

import numpy as np
from rich.console import Console
from rich.table import Table

from pimlico.constraints.synth import synthesise
from pimlico.generators.block import find
from pimlico.generators.ternary_cost.coefficients import COEFFICIENTS, TARGETS
from pimlico.generators.ternary_cost.estimate import estimate, terms
from pimlico.generators.ternary_cost.samples import FLOAT, SERIAL, draw
from pimlico.generators.verilog import emit
from pimlico.hdl.ternary.config import TernaryConfig

KINDS = {"parallel": {}, "serial": SERIAL, "float": FLOAT}
SIZE = {"cmos": "transistors", "ecp5": "lut", "xcup": "lut"}
TRUST = 0.03
"""Relative error of a core that weighs as much as an old coefficient's change by itself."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="parallel")
    parser.add_argument("--target", choices=TARGETS, default="cmos")
    parser.add_argument("--seed", type=int, default=1581)
    parser.add_argument("--count", type=int, default=14)
    parser.add_argument("--most", type=int, default=40_000, help="transistors of a core")
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    cores = list(islice(draw(given.seed, 3000, given.most, **KINDS[given.kind]), given.count))
    sizes = []
    out = Table("core", SIZE[given.target], "model", "error, %", "FF", "model")
    for config in cores:
        real, model = measure(config, given.target), estimate(config)[given.target]
        size, guess = real[SIZE[given.target]], model[SIZE[given.target]]
        registers = "ff_bits" if given.target == "cmos" else "ff"
        sizes.append(size)
        out.add_row(name(config), str(size), str(guess), f"{100 * (guess / size - 1):.1f}",
                    str(real[registers]), str(model[registers]))
    Console().print(out)
    if given.fit:
        for unit, cost in fit(cores, sizes, given.target).items():
            print(f"{unit}: {cost:.3g}, was {COEFFICIENTS[unit][given.target]:.3g}")
    return 0


def name(config: TernaryConfig) -> str:
    """What of a configuration is not usual."""
    return " ".join(f"{field}={value}" for field, value in config.model_dump().items()
                    if value != TernaryConfig.model_fields[field].default
                    and field not in ("acc_width", "build", "acc_format"))


def measure(config: TernaryConfig, target: str) -> dict:
    """Synthesis of a core."""
    emitted = emit(find("ternary-gemm"), config)
    return synthesise(emitted.text, emitted.top, target)


def fit(cores: list[TernaryConfig], sizes: list[int], target: str) -> dict[str, float]:
    """Coefficients of least relative squares, not below 0, held back at those that stand."""
    counts = []
    for config in cores:
        units: Counter[str] = Counter()
        for term in terms(config):
            units.update(term.units)
        counts.append(units)
    names = sorted(set().union(*counts))
    costs = np.array([COEFFICIENTS[unit][target] for unit in names])
    rows = np.array([[units[unit] for unit in names] for units in counts]) / np.array(sizes)[
        :, None]
    hold = np.diag(TRUST / np.maximum(costs, 0.3))
    rows, wanted = np.vstack([rows, hold]), np.concatenate([np.ones(len(cores)), hold @ costs])
    for _ in range(1000):
        for unit in range(len(names)):
            rest = wanted - rows @ costs + rows[:, unit] * costs[unit]
            costs[unit] = max(0, rows[:, unit] @ rest / (rows[:, unit] @ rows[:, unit]))
    return dict(zip(names, costs, strict=True))


if __name__ == "__main__":
    sys.exit(main())
