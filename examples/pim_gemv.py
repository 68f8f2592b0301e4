"""Matrix by vector on a PIM channel, through the RTL, for the timing rules of published DRAMs.

A matrix of 4096 x 1024 fp16 elements is larger than the channel's arrays: load by load, its rows
are written into the banks and multiplied there, all banks at once. With two row buffers the next
load is written meanwhile. One timing preset multiplies all of the matrix, the others its first
rows, on a single bank. Results are compared with NumPy bit for bit, and cycles with their closed
form.

Exit codes: 0 all correct, 1 something is not, 2 bad input or a missing tool.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from bitslice_show import MARK, Result, Tell, count, finish, grouped, prefixed
from rich.table import Table

from pimlico.generators.block import find
from pimlico.generators.verilog import emit
from pimlico.hdl.pim.config import PimConfig
from pimlico.sim.pim_trace import run_trace
from pimlico.verif.pim.gemv import decode, encode, expected
from pimlico.verif.pim.gemv_run import Product, gemv
from pimlico.verif.pim.play import Array, Played, Trace

TIMINGS = ("hbm2_neupims", "hbm2_samsung", "gddr6_aim", "hbm3_attacc")
BUFFERS = ("single", "dual")


@dataclass(frozen=True)
class Case:
    """A channel, and how many rows of the matrix it multiplies.

    Attributes
    ----------
    config : PimConfig
    rows : int
        Rows of the matrix.
    load_rows : int
        DRAM rows that are multiplied while as many others are written.
    """

    config: PimConfig
    rows: int
    load_rows: int

    @property
    def name(self) -> str:
        return f"{self.config.timing.base}, {self.buffers}"

    @property
    def buffers(self) -> str:
        return BUFFERS[self.config.dual_row_buffer]


def demonstrate(tell: Tell, cases: Sequence[Case], shape: tuple[int, int], seed: int) -> Result:
    """Do it all.

    Parameters
    ----------
    tell : callable
    cases : sequence of Case
        Whose configurations have elements of one format, and as many vectors.
    shape : (m, k)
    seed : int

    Returns
    -------
    dict
        ``correct``, ``failure`` (the first, as text, or None), ``seed``, ``runs`` (see `run`),
        ``seconds``.
    """
    began = time.monotonic()
    matrix, vectors = operands(cases[0].config, shape, np.random.default_rng(seed))
    runs: list[Result] = []
    for case in cases:
        runs.append(run(case, matrix, vectors, prefixed(tell, case.name)))
    for each in runs:
        other = [run["cycles"] for run in runs
                 if run["timing"] == each["timing"] and run["buffers"] == "single"]
        dual = each["buffers"] == "dual"
        each["speedup"] = other[0] / each["cycles"] if dual and other else None
    failures = [f"{each['timing']}, {each['buffers']}: {each['failure']}" for each in runs
                if each["failure"]]
    return {"correct": not failures, "failure": failures[0] if failures else None, "seed": seed,
            "runs": runs, "seconds": round(time.monotonic() - began, 1)}


def operands(config: PimConfig, shape: tuple[int, int],
             rng: np.random.Generator) -> tuple[Array, Array]:
    """A random matrix, and as many vectors as the channel takes, of shape (k, v)."""
    m, k = shape
    if config.floating:
        return rng.normal(scale=k ** -0.5, size=(m, k)), rng.normal(size=(k, config.reuse))
    return rng.integers(-128, 128, (m, k)), rng.integers(-128, 128, (k, config.reuse))


def run(case: Case, matrix: Array, vectors: Array, tell: Tell) -> Result:
    """Multiply the first rows of a matrix, and check.

    Returns
    -------
    dict
        ``timing``, ``buffers``, ``rows`` and ``k`` of the matrix, ``banks``, ``loads``;
        ``compute`` and ``formula``, cycles in which loads are multiplied, as counted and by the
        closed form; ``utilisation``, the share of them in which the banks multiply at their full
        rate; ``cycles`` of all; ``overlap``, the share of columns that were written beside a
        product; ``exact``, whether all bits are NumPy's; ``error``, root mean square of the
        differences from float64, relative to the results'; ``failure``, text or None;
        ``rate``, simulated cycles a second.
    """
    config = case.config
    tell("writing Verilog", 0, 1)
    design = emit(find("pim-channel"), config)
    tell("writing Verilog", 1, 1)
    spent = 0.0

    def player(config: PimConfig, played: Played) -> Trace:
        nonlocal spent
        began = 0.0

        def watch(what: str, done: int, total: int) -> None:
            nonlocal began
            if what.endswith("running"):
                began = began or time.monotonic()
            tell(what, done, total)

        trace = run_trace(config, played, design, watch)
        spent = time.monotonic() - began
        return trace

    mine = matrix[:case.rows]
    told: Result = {"timing": config.timing.base, "buffers": case.buffers, "rows": len(mine),
                    "k": mine.shape[1], "banks": config.banks}
    try:
        made = gemv(config, mine, vectors, player, case.load_rows)
    except ValueError as error:
        return told | {"failure": str(error), "cycles": 1}
    return told | check(made, mine, vectors, tell) | {"rate": round(made.cycles / spent)}


def check(made: Product, matrix: Array, vectors: Array, tell: Tell) -> dict[str, Any]:
    """What `run` tells of a product."""
    config, plan = made.plan.config, made.plan
    tell("golden model", 0, 1)
    codes, xs = encode(config, matrix), encode(config, vectors.T)
    wrong = np.argwhere(made.bits != expected(plan, codes, xs))
    reference = decode(config, codes).astype(np.float64) @ decode(config, xs).T.astype(np.float64)
    tell("golden model", 1, 1)
    failure = None
    if len(wrong):
        row, vector = wrong[0]
        failure = (f"row {row}, vector {vector}: {made.y[row, vector]} is not the golden model's, "
                   f"nor are {len(wrong) - 1} others")
    off = made.y - reference
    return {"loads": plan.loads, "compute": sum(made.compute), "formula": sum(made.formula),
            "utilisation": made.busy, "cycles": made.cycles,
            "overlap": made.overlap / (plan.lines * plan.columns * config.banks),
            "exact": not len(wrong), "failure": failure,
            "error": float(np.sqrt(np.mean(off ** 2) / np.mean(reference ** 2)))}


def table(result: Result) -> list[Table | str]:
    """A column for each run, and what the rows say."""
    runs = [each for each in result["runs"] if "compute" in each]
    drawn = Table(title="Matrix by vector in the banks of pim-channel", title_justify="left",
                  title_style="bold")
    drawn.add_column("", no_wrap=True)
    for each in runs:
        drawn.add_column("\n".join([*each["timing"].split("_"), each["buffers"]]),
                         justify="right", no_wrap=True)

    def row(name: str, cell: Callable[[Result], str], end: bool = False) -> None:
        drawn.add_row(name, *map(cell, runs), end_section=end)

    row("rows of matrix", lambda each: grouped(each["rows"]))
    row("columns of matrix", lambda each: grouped(each["k"]))
    row("banks", lambda each: str(each["banks"]))
    row("loads", lambda each: str(each["loads"]), end=True)
    row("multiply, cycles", lambda each: grouped(each["compute"]))
    row("by closed form", lambda each: grouped(each["formula"]))
    row("utilisation", lambda each: f"{each['utilisation']:.1%}", end=True)
    row("all, cycles", lambda each: grouped(each["cycles"]))
    row("written beside", lambda each: f"{each['overlap']:.0%}")
    row("dual to single", lambda each: f"{each['speedup']:.2f}x" if each["speedup"] else "",
        end=True)
    row("equal to NumPy", lambda each: MARK[each["exact"]])
    row("error", lambda each: f"{each['error']:.1e}")
    return [drawn, (
        "Multiply: from a load's refresh until its rows are closed, all loads. Utilisation: of "
        "these cycles, bursts' columns times tCCD. All: with writing the matrix and reading "
        "results. Written beside: part of the matrix written while the rest was multiplied. "
        "Error: root mean square, relative, against float64.")]


def chosen(options: argparse.Namespace) -> list[Case]:
    """A case for each timing and number of row buffers.

    Arrays have room for two loads, or for all of the matrix if that is not more.
    """
    made = []
    for timing in options.timing:
        whole = timing in options.whole
        for buffers in options.buffers:
            rows = options.m if whole else min(options.m, options.piece)
            banks = options.banks if whole else options.piece_banks
            made.append(Case(PimConfig(
                fmt=options.fmt, lanes=options.lanes, banks=banks, bank_groups=min(2, banks),
                rows=2 * options.load_rows, gb_cols=options.gb_cols, reuse=options.vectors,
                acc_slots=options.slots, dual_row_buffer=buffers == "dual", timing=timing,
                **({"arith": options.arith} if options.arith else {})), rows, options.load_rows))
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--seed", type=partial(count, least=0), default=0,
                        help="of matrix and vectors")
    for name, default, about in (
            ("m", 4096, "rows of the matrix"), ("k", 1024, "elements of a row"),
            ("banks", 4, "banks that multiply the whole, a power of two"),
            ("piece", 256, "rows of the matrix for timings that do not multiply the whole"),
            ("piece-banks", 1, "banks that multiply those"),
            ("vectors", 1, "vectors at once"), ("lanes", 16, "elements of a column"),
            ("gb-cols", 64, "columns of the global buffer"), ("slots", 4, "accumulators"),
            ("load-rows", 128, "DRAM rows of a bank that are multiplied while others are written, "
             "a power of two")):
        parser.add_argument(f"--{name}", type=count, default=default, metavar="N",
                            help=f"{about} (%(default)s)")
    parser.add_argument("--fmt", choices=("fp16", "bf16", "int8"), default="fp16",
                        help="format of elements (%(default)s)")
    parser.add_argument("--arith", help="how products are summed, as in `pimlico show "
                        "pim-channel`")
    parser.add_argument("--timing", nargs="+", choices=TIMINGS, default=list(TIMINGS),
                        metavar="NAME", help=", ".join(TIMINGS))
    parser.add_argument("--whole", nargs="*", choices=TIMINGS, default=[TIMINGS[0]],
                        metavar="NAME", help=f"timings that multiply the whole ({TIMINGS[0]})")
    parser.add_argument("--buffers", nargs="+", choices=BUFFERS, default=list(BUFFERS),
                        metavar="KIND", help=", ".join(BUFFERS))
    parser.set_defaults(plot=None)
    options = parser.parse_args(arguments)

    def work(tell: Tell) -> Result:
        return demonstrate(tell, chosen(options), (options.m, options.k), options.seed)

    return finish(options, work, table)


if __name__ == "__main__":
    sys.exit(main())
