"""The plot of the attention example: what quantization costs in accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKERS = ("o", "s", "^", "D")


def draw(path: Path, swept: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]]) -> None:
    """Write the plot; the suffix of `path` chooses the format.

    Parameters
    ----------
    path : Path
    swept : sequence of dict
        Of `pim_attention_run.sweep`.
    runs : sequence of dict
        What the RTL gave: ``m`` and ``k``, None of the dense one, and ``scores`` and ``output``,
        each with ``typical``.
    """
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    parts = sorted({each["m"] for each in swept} | {run["m"] for run in runs if run["m"]})
    colours = dict(zip(parts, COLOURS * len(parts), strict=False))
    marks = dict(zip(parts, MARKERS * len(parts), strict=False))
    sizes = sorted({each["k"] for each in swept})
    for axes, stage in zip(figure.subplots(1, 2), ("scores", "output"), strict=True):
        for m in parts:
            for weighed in (True, False):
                line = [each for each in swept if (each["m"], each["weighed"]) == (m, weighed)]
                axes.plot([each["k"] for each in line], [100 * each[stage] for each in line],
                          color=colours[m], linestyle="-" if weighed else ":",
                          marker=marks[m] if weighed else None, markersize=5)
        for run in runs:
            if run["m"]:
                axes.plot(run["k"], 100 * run[stage]["typical"], marker="o", markersize=13,
                          markerfacecolor="none", markeredgecolor="black", linestyle="none",
                          zorder=3)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, labels=[str(size) for size in sizes])
        axes.set(xlabel="centroids of a subspace, k", ylim=(0, None),
                 ylabel=f"error of {'scores' if stage == 'scores' else 'the output'}, %")
        axes.grid(alpha=0.3)
    handles = [Line2D([], [], color=colours[m], marker=marks[m], label=f"m = {m}") for m in parts]
    handles += [
        Line2D([], [], color="0.3", label="important tokens weigh more"),
        Line2D([], [], color="0.3", linestyle=":", label="all tokens weigh alike"),
        Line2D([], [], color="black", marker="o", markersize=10, markerfacecolor="none",
               linestyle="none", label="as run on the RTL")]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False,
                  fontsize="small")
    figure.suptitle("Attention over product-quantized keys and values, against float64")
    figure.savefig(path, dpi=150)
