"""Attention over product-quantized keys and values on a PIM channel, through the RTL.

Keys and values of 2048 tokens are clustered, subspace by subspace, with tokens weighed by their
importance; the banks hold codebooks and indices. A query's scores are sums of looked-up products,
its output is of weights in bins, so that most products fall away. The same query over the same
keys and values as they are goes through the same RTL. Both are compared with NumPy bit for bit,
and with attention in float64; what is multiplied, added, read and written is told by the
channel's own counters.

Exit codes: 0 all correct, 1 something is not, 2 bad input or a missing tool.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from bitslice_show import MARK, Result, Tell, count, finish, grouped, prefixed
from pim_attention_run import ASKED, Tokens, dense, quantized, sweep, tokens
from rich.table import Table

from pimlico.generators.block import find
from pimlico.generators.verilog import Emitted, emit
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.pim.attention_layout import Layout

TIMINGS = ("hbm2_neupims", "hbm2_samsung", "gddr6_aim", "hbm3_attacc")
STAGES = {"scores": "Scores: the query by every key", "output": "Output: values by their weights"}
PARTS = {"query": "writing the query", "tables": "building tables", "scores": "lookups",
         "weights": "writing weights", "bins": "adding to bins", "products": "bins by codebooks"}
PLOT_SIZES = (16, 32, 64, 128, 256)


def demonstrate(tell: Tell, configs: Sequence[PimConfig], count: int, topics: int, seed: int,
                plot: Path | None = None) -> Result:
    """Do it all.

    Parameters
    ----------
    tell : callable
    configs : sequence of PimConfig
        Channels that differ in how vectors are cut. The first one does it densely too.
    count : int
        Number of tokens.
    topics : int
        As of `tokens`.
    seed : int
    plot : Path, optional
        Where to draw.

    Returns
    -------
    dict
        ``correct``, ``failure`` (the first, as text, or None), ``seed``, ``tokens``,
        ``head_dim``, ``banks``, ``timing``; ``runs``, the dense one first: ``name`` and what
        `dense` and `quantized` tell; ``sweep``, what `sweep` tells, if there is a plot;
        ``seconds``.
    """
    began = time.monotonic()
    first = configs[0]
    given = tokens(first, count, topics, np.random.default_rng(seed))
    runs: list[Result] = []
    for config in configs:
        name = f"m = {config.pq_m}"
        design = _design(config, prefixed(tell, name))
        if not runs:
            runs.append({"name": "dense", "m": None, "k": None}
                        | dense(config, given, design, prefixed(tell, "dense")))
        runs.append({"name": name, "m": config.pq_m, "k": config.pq_k} | quantized(
            config, given, design, np.random.default_rng(seed), prefixed(tell, name)))
    failures = [f"{each['name']}: {each['failure']}" for each in runs if each["failure"]]
    return {"correct": not failures, "failure": failures[0] if failures else None, "seed": seed,
            "tokens": count, "head_dim": first.head_dim, "banks": first.banks,
            "timing": first.timing.base, "runs": runs,
            "sweep": _draw(plot, given, runs, seed, tell) if plot else None,
            "seconds": round(time.monotonic() - began, 1)}


def _design(config: PimConfig, tell: Tell) -> Emitted:
    tell("writing Verilog", 0, 1)
    design = emit(find("pim-channel"), config)
    tell("writing Verilog", 1, 1)
    return design


def _draw(path: Path, given: Tokens, runs: Sequence[Result], seed: int,
          tell: Tell) -> list[Result]:
    from pim_attention_figure import draw
    width = given.keys.shape[1]
    parts = [m for m in (8, 16, 32, 64) if width % m == 0] or [width]
    sizes = [k for k in PLOT_SIZES if k <= len(given.keys)]
    made = sweep(given, parts, sizes, lambda: np.random.default_rng(seed), tell)
    draw(path, made, [each for each in runs if "output" in each])
    return made


def table(result: Result, stage: str) -> Table:
    """A column for each run."""
    runs = [each for each in result["runs"] if stage in each]
    drawn = Table(title=STAGES[stage], title_justify="left", title_style="bold")
    drawn.add_column("", no_wrap=True, min_width=24)
    for each in runs:
        drawn.add_column(each["name"], justify="right", no_wrap=True, min_width=10)

    def row(name: str, cell: Callable[[Result], str], end: bool = False) -> None:
        drawn.add_row(name, *(cell(each[stage]) for each in runs), end_section=end)

    row("products", lambda each: grouped(each["products"]))
    row("additions", lambda each: grouped(each["additions"]), end=True)
    row("columns", lambda each: grouped(each["columns"]))
    row("bytes of columns", lambda each: grouped(each["bytes"]), end=True)
    row("cycles", lambda each: grouped(each["cycles"]))
    for part in dict.fromkeys(part for each in runs for part in each[stage]["parts"]):
        row(f"  {PARTS[part]}", lambda each, part=part: (  # type: ignore[misc]
            grouped(each["parts"][part]) if part in each["parts"] else ""))
    drawn.add_section()
    row("equal to NumPy", lambda each: MARK[each["exact"]])
    row("error", lambda each: f"{each['error']:.1e}")
    row(f"error, {ASKED} queries", lambda each: (
        "" if each["typical"] is None else f"{each['typical']:.1e}"))
    return drawn


def memory(result: Result) -> Table:
    """What the banks hold for the query."""
    drawn = Table(title=f"{grouped(result['tokens'])} tokens of {result['head_dim']} elements, "
                  f"{result['banks']} banks, {result['timing']}", title_justify="left",
                  title_style="bold")
    drawn.add_column("", no_wrap=True, min_width=24)
    runs = [each for each in result["runs"] if "stored" in each]
    for each in runs:
        drawn.add_column(each["name"], justify="right", no_wrap=True, min_width=10)
    drawn.add_row("bytes of all tokens", *(grouped(each["stored"]) for each in runs))
    drawn.add_row("codebooks, each bank", *(grouped(each["codebooks"]) for each in runs))
    return drawn


def tables(result: Result) -> list[Table | str]:
    """Tables of both stages, and what the rows say."""
    return [
        memory(result), *(table(result, stage) for stage in STAGES), (
            "Products and additions (of entries of tables to scores, of weights to bins): of all "
            "banks. Columns: read from the arrays and written to them for this query; a lookup "
            "reads a whole one for one entry, and takes its turn, in which a dense MAC has a "
            "product a lane. Each bank builds all tables. Equal: all bits, and counters to their "
            "closed form. Error: root mean square, relative, against float64 attention over the "
            f"same elements; that of {ASKED} queries, in float64 over the restored elements.")]


def chosen(options: argparse.Namespace) -> list[PimConfig]:
    """A channel for each number of subspaces, of as many rows as any of them needs."""
    configs = []
    for m in options.m:
        if options.head_dim % m:
            raise ConfigError("m", m, f"divide head_dim = {options.head_dim}")
        configs.append(PimConfig(
            fmt=options.fmt, lanes=options.lanes, row_bytes=options.row_bytes,
            rows=options.rows or 1 << 16, banks=options.banks, bank_groups=min(2, options.banks),
            gb_cols=max(32, 1 << (m - 1).bit_length()), pq=True, pq_m=m, pq_k=options.k,
            pq_dsub=options.head_dim // m, timing=options.timing,
            **({"arith": options.arith} if options.arith else {})))
    layouts = [Layout(config, options.tokens) for config in configs]
    if options.rows:
        return configs
    rows = max(layout.need for layout in layouts)
    return [PimConfig(**config.model_dump() | {"rows": max(2, 1 << (rows - 1).bit_length())})
            for config in configs]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--seed", type=partial(count, least=0), default=0,
                        help="of tokens, queries and clusters")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw errors by subspaces and "
                        "centroids; the suffix chooses the format")
    parser.add_argument("--m", type=count, nargs="+", default=[32, 8], metavar="N",
                        help="subspaces that vectors are cut into (32 8)")
    for name, default, about in (
            ("tokens", 2048, "keys and values"), ("head-dim", 128, "elements of a vector"),
            ("k", 256, "centroids of a subspace, a power of two"),
            ("topics", 300, "kinds of tokens"), ("banks", 4, "banks, a power of two"),
            ("lanes", 16, "elements of a column"), ("row-bytes", 1024, "size of a row")):
        parser.add_argument(f"--{name}", type=count, default=default, metavar="N",
                            help=f"{about} (%(default)s)")
    parser.add_argument("--rows", type=count, metavar="N",
                        help="rows of a bank (as many as are needed)")
    parser.add_argument("--fmt", choices=("fp16", "bf16"), default="fp16",
                        help="format of elements (%(default)s)")
    parser.add_argument("--arith", choices=("aligned", "ieee_tree"), help="how products are "
                        "summed (aligned)")
    parser.add_argument("--timing", choices=TIMINGS, default=TIMINGS[0], metavar="NAME",
                        help=", ".join(TIMINGS))
    options = parser.parse_args(arguments)

    def work(tell: Tell) -> Result:
        return demonstrate(tell, chosen(options), options.tokens, options.topics, options.seed,
                           options.plot)

    return finish(options, work, tables)


if __name__ == "__main__":
    sys.exit(main())
