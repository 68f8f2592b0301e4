"""Matrix products of any size on bit-sliced arrays of every kind, through the RTL.

One call multiplies: `gemm` of bitslice_run, or `multiply`, several in one simulation, tiles the
product and pads its edges, and splits K where it is longer than the accumulators allow. Every
output is compared with the cycle model on every cycle, every result with NumPy, and the cycles
with their closed form.

Exit codes: 0 all correct, 1 something is not, 2 bad input or a missing tool.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bitslice_run import Product, Task, multiply
from bitslice_show import MARK, Result, Tell, count, finish, grouped, parser, prefixed, titled
from bitslice_tiles import Array, Operation
from rich.table import Table

from pimlico.generators.load import load
from pimlico.generators.verilog import Emitted, emit
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.sim.runner import Simulator

PLAIN = Operation()
"""The widest precision, no groups."""


@dataclass(frozen=True)
class Core:
    """An array's parameters beside its size; its precisions, widest first."""

    parameters: dict[str, Any]
    modes: tuple[str, ...] = ("w8a8",)


@dataclass(frozen=True)
class Case:
    """A product on a core."""

    core: str
    operation: Operation = PLAIN


CORES = {
    "os": Core({}, ("w8a8", "w4a8", "w2a8")),
    "ws": Core({"dataflow": "ws"}, ("w8a8", "w4a8")),
    "tree": Core({"arch": "tree", "k_lanes": 4}),
    "serial": Core({"arch": "serial", "k_lanes": 2}, ("w8a8", "w4a8")),
    "skip": Core({"arch": "skip", "encoding": "ent", "elide": True}),
    "zero points": Core({"a_signed": "unsigned", "zero_points": True, "pipeline": 1}),
    "dsp": Core({"multiplier": "dsp_packed", "w_width": 4, "pipeline": 2}, ("w4a8",)),
}
CASES = {
    "os, W8A8": Case("os"),
    "os, W4A8, 2 products": Case("os", Operation(mode=1)),
    "os, W2A8, 4 products": Case("os", Operation(mode=2)),
    "os, groups of 32": Case("os", Operation(group_len=32)),
    "ws, W8A8": Case("ws"),
    "ws, W4A8, 2 products": Case("ws", Operation(mode=1)),
    "tree, 4 lanes": Case("tree"),
    "serial, 2 lanes, W8A8": Case("serial"),
    "serial, 2 lanes, W4A8": Case("serial", Operation(mode=1)),
    "skip, zero digits left out": Case("skip"),
    "zero points, u8 by s8": Case("zero points", Operation(a_zero=128, w_zero=-3, a_signed=False)),
    "DSP blocks, W4A8": Case("dsp"),
}


def demonstrate(tell: Tell, seed: int, shape: tuple[int, int, int], array: tuple[int, int],
                max_k: int, simulator: Simulator, names: Sequence[str] = tuple(CASES),
                plot: Path | None = None) -> Result:
    """Do it all.

    Parameters
    ----------
    tell : callable
    seed : int
    shape : (M, K, N)
    array : (rows, cols)
    max_k : int
        K beyond which sums are split.
    simulator : str
    names : sequence of str
        Of `CASES`.
    plot : Path, optional

    Returns
    -------
    dict
        ``correct``, ``failure`` (the first, as text, or None), ``seed``, ``runs`` (see `check`),
        ``seconds``.
    """
    began = time.monotonic()
    rng = np.random.default_rng(seed)
    wanted = dict.fromkeys(CASES[name].core for name in names)
    cores: dict[str, tuple[BitsliceConfig, Emitted]] = {}
    for name in wanted:
        tell("writing Verilog", len(cores), len(wanted))
        cores[name] = _core(name, array, max_k)
    tell("writing Verilog", len(cores), len(wanted))
    found: dict[str, Result] = {}
    for core, (config, design) in cores.items():
        own = [name for name in names if CASES[name].core == core]
        tasks = [Task(*operands(config, CASES[name].operation, shape, rng), CASES[name].operation)
                 for name in own]
        made = multiply(tasks, config, design, simulator, prefixed(tell, core))
        found |= {name: check(name, config, *each)
                  for name, *each in zip(own, tasks, made, strict=True)}
    runs = [found[name] for name in names]
    if plot:
        from bitslice_figure import draw_products
        draw_products(plot, runs, shape, array)
    failures = [f"{each['case']}: {each['failure']}" for each in runs if each["failure"]]
    return {"correct": not failures, "failure": failures[0] if failures else None, "seed": seed,
            "runs": runs, "seconds": round(time.monotonic() - began, 1)}


def _core(name: str, array: tuple[int, int], max_k: int) -> tuple[BitsliceConfig, Emitted]:
    core = CORES[name]
    block, _, top = load("bitslice-array", name=f"bitslice_{name.replace(' ', '_')}")
    config = block.config(rows=array[0], cols=array[1], max_k=max_k, modes=core.modes,
                          **core.parameters)
    assert isinstance(config, BitsliceConfig)
    return config, emit(block, config, top)


def operands(config: BitsliceConfig, operation: Operation, shape: tuple[int, int, int],
             rng: np.random.Generator) -> tuple[Array, Array]:
    """Random matrices; all values that the precision has can be in them."""
    m, k, n = shape
    mode = config.mode[operation.mode]
    low = -(1 << mode.a - 1) if operation.a_signed else 0
    return (rng.integers(low, low + (1 << mode.a), (m, k)),
            rng.integers(-(1 << mode.w - 1), 1 << mode.w - 1, (k, n)))


def plain(a: Array, w: Array, operation: Operation) -> Array:
    """The product without any of Pimlico's code, one for each group if there are groups."""
    a, w = a.astype(np.int64) - operation.a_zero, w.astype(np.int64) - operation.w_zero
    step = operation.group_len
    if not step:
        return a @ w
    return np.array([a[:, at:at + step] @ w[at:at + step] for at in range(0, len(w), step)])


def check(name: str, config: BitsliceConfig, task: Task, made: Product) -> Result:
    """What came out of the RTL for a product, and whether it is right.

    Returns
    -------
    dict
        ``case``, ``correct``: whether ``lockstep`` (every output on every cycle as the cycle
        model says) and ``exact`` (every result as NumPy has it) hold and ``cycles`` are as
        ``formula`` says; ``failure`` (text or None); ``steps`` of the cycles in which digits are
        issued; ``rate`` (products of the matrices a PE a cycle), ``utilisation`` (part of
        the most that the PEs can do; None where that depends on the weights).
    """
    operation = task.operation
    difference = _difference(made.result, plain(*task))
    untimely = None if made.cycles == made.formula else \
        f"{made.cycles} cycles instead of {made.formula}"
    failure = made.failure or difference or untimely
    rate = made.macs / made.cycles / config.rows / config.cols if made.cycles else 0.0
    most = _most(config, operation)
    return {"case": name, "correct": failure is None, "failure": failure,
            "lockstep": made.failure is None, "exact": difference is None,
            "cycles": made.cycles, "formula": made.formula, "steps": made.steps,
            "macs": made.macs, "rate": rate, "utilisation": rate / most if most else None}


def _most(config: BitsliceConfig, operation: Operation) -> float | None:
    """Products that a PE can make a cycle."""
    if config.arch == "skip":
        return None
    digits = config.digits_of(config.mode[operation.mode].w) if config.timed else 1
    return config.k_lanes * operation.products(config) / digits


def _difference(measured: Array, expected: Array) -> str | None:
    wrong = np.argwhere(measured != expected)
    if not wrong.size:
        return None
    at = tuple(wrong[0].tolist())
    return (f"result {', '.join(map(str, at))}: {measured[at]} came out, {expected[at]} is right; "
            f"{len(wrong)} are wrong")


def table(result: Result, shape: tuple[int, int, int], array: tuple[int, int]) -> list[Table | str]:
    """A line for each product."""
    drawn = titled(f"{' × '.join(map(str, shape))} (M × K × N) on {array[0]} × {array[1]} PEs",
                   "", "cycles", "closed\nform", "issuing", "products\na PE a cycle",
                   "of the\npeak", "as the\nmodel", "equal to\nNumPy")
    for each in result["runs"]:
        used = each["utilisation"]
        issuing = each["steps"] / each["cycles"] if each["cycles"] else 0
        drawn.add_row(each["case"], grouped(each["cycles"]), grouped(each["formula"]),
                      f"{issuing:.1%}", f"{each['rate']:.3f}", f"{used:.1%}" if used else "–",
                      MARK[each["lockstep"]], MARK[each["exact"]])
    return [drawn]


def main(arguments: Sequence[str] | None = None) -> int:
    options_of = parser(__doc__, "the matrices")
    for name, default, about in (
            ("m", 11, "rows of A"), ("k", 80, "columns of A, rows of B"), ("n", 22, "columns of B"),
            ("rows", 4, "rows of PEs"), ("cols", 6, "columns of PEs"),
            ("max-k", 64, "K beyond which sums are split")):
        options_of.add_argument(f"--{name}", type=partial(count, least=1), default=default,
                                help=f"{about} (%(default)s)")
    options_of.add_argument("--case", nargs="+", choices=list(CASES), default=list(CASES),
                            metavar="NAME", help="; ".join(CASES))
    options = options_of.parse_args(arguments)
    shape, array = (options.m, options.k, options.n), (options.rows, options.cols)

    def work(tell: Tell) -> Result:
        return demonstrate(tell, options.seed, shape, array, options.max_k, options.sim,
                           options.case, options.plot)

    return finish(options, work, lambda result: table(result, shape, array))


if __name__ == "__main__":
    sys.exit(main())
