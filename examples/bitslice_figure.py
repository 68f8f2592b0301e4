"""The plots of the bit-sliced array's examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

COLOURS = {"booth4": "#0072B2", "ent": "#D55E00"}
GREEN, GREY = "#009E73", "0.45"

Run = dict[str, Any]


def draw_skipping(path: Path, runs: Sequence[Run], weights: int, seed: int) -> None:
    """Cycles a weight against the spread of the weights, a panel for each number of columns.

    Parameters
    ----------
    path : Path
        Its suffix chooses the format.
    runs : sequence of dict
        Of `bitslice_skipping.demonstrate`.
    weights, seed : int
        Said below the panels.
    """
    columns = list(dict.fromkeys(run["columns"] for run in runs))
    figure = Figure(figsize=(5.2 * len(columns), 5.4), layout="constrained")
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for axes, cols in zip(panels, columns, strict=True):
        for run in runs:
            if run["columns"] == cols:
                _skipping_line(axes, run)
        axes.axhline(4, color=GREY, linewidth=1, linestyle=(0, (1, 2)))
        axes.set(xlabel="standard deviation σ of the int8 weights, LSB",
                 title=f"{cols} column{'s that wait for one another' * (cols > 1)}",
                 ylim=(1, 4.3))
        axes.grid(alpha=0.3)
    panels[0].annotate("serial: 4 digits, zero or not", (0.98, 4.05),
                       xycoords=("axes fraction", "data"), ha="right", color=GREY,
                       fontsize="small")
    panels[0].set_ylabel("cycles a weight")
    keys = [Line2D([], [], color=colour, label=encoding) for encoding, colour in COLOURS.items()]
    keys += [
        Line2D([], [], color="black", linestyle="none", marker="o", markerfacecolor="white",
               label="RTL"),
        Line2D([], [], color="black", linestyle="none", marker="o", label="RTL, elide"),
        Line2D([], [], color="black", label="golden prediction"),
        Line2D([], [], color="black", linestyle=":", label="mean of digits not 0")]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False,
                  fontsize="small")
    figure.suptitle(f"Zero digits left out: {weights} weights a column, groups of 8, seed {seed}")
    figure.savefig(path, dpi=150)


def _skipping_line(axes: Any, run: Run) -> None:
    points, colour = run["points"], COLOURS[run["encoding"]]
    sigma = [point["sigma"] for point in points]
    axes.plot(sigma, [point["golden"] for point in points], color=colour, linewidth=1.2)
    axes.plot(sigma, [point["rtl"] for point in points], color=colour, linestyle="none",
              marker="o", markersize=5, markerfacecolor=colour if run["elide"] else "white")
    if run["elide"]:
        axes.plot(sigma, [point["digits"] for point in points], color=colour, linestyle=":",
                  linewidth=1.2)


def draw_products(path: Path, runs: Sequence[Run], shape: tuple[int, int, int],
                  array: tuple[int, int]) -> None:
    """Products a PE a cycle of each run.

    Parameters
    ----------
    path : Path
    runs : sequence of dict
        Of `bitslice_gemm.demonstrate`.
    shape, array : tuple of int
        Said in the title.
    """
    figure = Figure(figsize=(8, 1.4 + 0.34 * len(runs)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(runs))
    axes.barh(places, [run["rate"] for run in runs], color=COLOURS["booth4"])
    for place, run in zip(places.tolist(), runs, strict=True):
        axes.annotate(f"{run['rate']:.2f}", (run["rate"], place), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize="small")
    axes.set(yticks=places, yticklabels=[run["case"] for run in runs],
             xlabel="products of the matrices a PE a cycle, padding and drain included",
             title=f"{' × '.join(map(str, shape))} (M × K × N) on {array[0]} × {array[1]} PEs")
    axes.margins(x=0.1)
    axes.invert_yaxis()
    axes.set_axisbelow(True)
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=150)


def draw_halves(path: Path, passes: Sequence[Run], agreeing: Sequence[float],
                differing: Sequence[float]) -> None:
    """Bits of weights and cycles of the passes, and how far the draft's choices were ahead.

    Parameters
    ----------
    path : Path
    passes : sequence of dict
        Of `bitslice_speculative.demonstrate`.
    agreeing, differing : sequence of float
        By how much the full pass's first choice leads its second in the contexts where the draft
        chooses the same, and in those where it does not.
    """
    figure = Figure(figsize=(11, 4), layout="constrained")
    bits, spent, margins = figure.subplots(1, 3, width_ratios=(1, 1, 1.2))
    names = [each["pass"].replace(", ", ",\n") for each in passes]
    for axes, key, label, colour in (
            (bits, "weight_bits", "Bits of weights read, in thousands", GREEN),
            (spent, "cycles", "Cycles, in thousands", COLOURS["booth4"])):
        bars = axes.bar(names, [each[key] / 1000 for each in passes], color=colour, width=0.6)
        axes.bar_label(bars, [f"{each[key]:,}".replace(",", " ") for each in passes],
                       fontsize="small", padding=2)
        axes.set_title(label, fontsize="medium")
        axes.margins(y=0.12)
        axes.tick_params(axis="x", labelsize="small")
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    edges = np.linspace(0, max([*agreeing, *differing, 1]) / 1000, 25)
    margins.hist([np.array(leads) / 1000 for leads in (agreeing, differing)], edges.tolist(),
                 stacked=True, color=[COLOURS["booth4"], COLOURS["ent"]],
                 label=["draft chooses the same", "draft chooses another"])
    margins.set_title("Where the draft chooses another symbol", fontsize="medium")
    margins.set(xlabel="lead of the full pass's first choice, thousands", ylabel="contexts tested")
    margins.legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=150)
