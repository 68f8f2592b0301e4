"""What skipping zero digits saves: cycles an int8 weight against the spread of the weights.

Weights of normal distribution, rounded, go through the RTL of one column of digit-skipping PEs and
of several that wait for one another; for both encodings, and with and without cycles for bit
weights whose digits are all 0. The cycles counted must be those that the golden model predicts.

Exit codes: 0 all correct, 1 something is not, 2 bad input or a missing tool.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from bitslice_run import Product, Task, multiply
from bitslice_show import MARK, Result, Tell, count, finish, parser, prefixed, titled
from bitslice_tiles import Array
from rich.table import Table

from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.sim.runner import Simulator
from pimlico.verif.bitslice.digits import digits_of

SIGMAS = (5, 10, 20, 30, 40, 50, 60)
COLUMNS = (1, 4)
PRESET = "tpe-opt4c"
ENCODINGS = ("booth4", "ent")


def demonstrate(tell: Tell, seed: int, sigmas: Sequence[int], columns: Sequence[int],
                weights: int, simulator: Simulator, plot: Path | None = None) -> Result:
    """Do it all.

    Parameters
    ----------
    tell : callable
    seed : int
    sigmas : sequence of int
        Standard deviations of weights, in their least significant bit.
    columns : sequence of int
        Columns of the arrays.
    weights : int
        Of each column, a multiple of 8.
    simulator : str
    plot : Path, optional

    Returns
    -------
    dict
        ``correct``, ``failure`` (the first, as text, or None), ``seed``, ``runs`` (an array
        each: ``columns``, ``encoding``, ``elide``, ``points``, see `check`), ``seconds``.
    """
    began = time.monotonic()
    rng = np.random.default_rng(seed)
    drawn = {sigma: np.clip(np.rint(rng.normal(0, sigma, (weights, max(columns)))), -128,
                            127).astype(np.int64) for sigma in sigmas}
    a = rng.integers(-128, 128, (1, weights))
    runs: list[Result] = []
    for cols, encoding, elide in product(columns, ENCODINGS, (False, True)):
        block, config, top = load("bitslice-array", preset=PRESET, settings=[
            "rows=1", f"cols={cols}", f"encoding={encoding}", f"elide={elide}",
            f"max_k={weights}"])
        assert isinstance(config, BitsliceConfig)
        label = f"{cols} columns, {encoding}, {'elide' if elide else 'no elide'}"
        tasks = [Task(a, drawn[sigma][:, :cols]) for sigma in sigmas]
        made = multiply(tasks, config, emit(block, config, top), simulator, prefixed(tell, label))
        runs.append({"columns": cols, "encoding": encoding, "elide": elide, "points": [
            check(sigma, encoding, *each)
            for sigma, *each in zip(sigmas, tasks, made, strict=True)]})
    if plot:
        from bitslice_figure import draw_skipping
        draw_skipping(plot, runs, weights, seed)
    failures = [f"{run['columns']} columns, {run['encoding']}, σ = {point['sigma']}: "
                f"{point['failure']}" for run in runs for point in run["points"]
                if point["failure"]]
    return {"correct": not failures, "failure": failures[0] if failures else None, "seed": seed,
            "runs": runs, "seconds": round(time.monotonic() - began, 1)}


def check(sigma: int, encoding: str, task: Task, made: Product) -> Result:
    """Cycles of one product, and whether they and the results are right.

    Returns
    -------
    dict
        ``sigma``; ``rtl``, cycles an int8 weight of a column counted on the RTL, less those before
        the first and after the last digit; ``golden``, those predicted; ``digits``, mean digits
        of a weight that are not 0; ``failure`` (text or None).
    """
    weights = len(task.w)
    counted = made.cycles - (made.formula - made.steps)
    failure = made.failure
    if failure is None and (made.result != task.a.astype(np.int64) @ task.w).any():
        failure = "results are not as NumPy has them"
    if failure is None and counted != made.steps:
        failure = f"{counted} cycles of digits instead of {made.steps}"
    return {"sigma": sigma, "rtl": counted / weights, "golden": made.steps / weights,
            "digits": nonzero(task.w, encoding), "failure": failure}


def nonzero(w: Array, encoding: str) -> float:
    """Mean digits of an int8 weight that are not 0; under ``ent`` as few as can be."""
    digits = digits_of(w, 8, "sparse" if encoding == "ent" else encoding)
    return float((digits != 0).sum(axis=-1).mean())


def table(result: Result) -> list[Table | str]:
    """A line for each array, a column for each spread."""
    points = result["runs"][0]["points"]
    drawn = titled("Cycles an int8 weight, counted on the RTL", "columns,\nencoding",
                   *(f"σ = {point['sigma']}" for point in points), "as\npredicted")
    for run in result["runs"]:
        exact = not any(point["failure"] for point in run["points"])
        drawn.add_row(f"{run['columns']}, {run['encoding']}{', elide' * run['elide']}",
                      *(f"{point['rtl']:.3f}" for point in run["points"]), MARK[exact])
    drawn.add_section()
    for encoding in ENCODINGS:
        run = next(run for run in result["runs"] if run["encoding"] == encoding)
        drawn.add_row(f"mean digits not 0, {encoding}",
                      *(f"{point['digits']:.3f}" for point in run["points"]), "")
    return [drawn]


def main(arguments: Sequence[str] | None = None) -> int:
    options_of = parser(__doc__, "weights and activations")
    options_of.add_argument("--sigma", nargs="+", type=partial(count, least=1),
                            default=list(SIGMAS), help="standard deviations of weights")
    options_of.add_argument("--columns", nargs="+", type=partial(count, least=1),
                            default=list(COLUMNS), help="columns of the arrays")
    options_of.add_argument("--weights", type=partial(count, least=8), default=256,
                            help="weights of a column, a multiple of 8 (%(default)s)")
    options = options_of.parse_args(arguments)

    def work(tell: Tell) -> Result:
        return demonstrate(tell, options.seed, options.sigma, options.columns, options.weights,
                           options.sim, options.plot)

    return finish(options, work, table)


if __name__ == "__main__":
    sys.exit(main())
