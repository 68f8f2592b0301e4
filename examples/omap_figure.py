"""The plot of the embedding example: the addresses that two texts leave in host memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from omap_observer import Seen

COLOURS = ("#D55E00", "#0072B2")
SHOWN = 600
"""Lookups of which every read is drawn; the histograms are of all."""

_BINS = 64
_LABELS = 6


def draw(path: Path, seen: Mapping[str, Mapping[str, Seen]], excerpts: Mapping[str, str],
         words: Mapping[str, Mapping[int, str]]) -> None:
    """Write the plot; the suffix of `path` chooses the format.

    Parameters
    ----------
    path : Path
    seen : mapping of str to mapping of str to Seen
        What the host sees, by memory (a row of panels each) and by text (a column each).
    excerpts : mapping of str to str
        How each text begins.
    words : mapping of str to mapping of int to str
        By memory, what its addresses mean to whoever knows the table.
    """
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    grid = figure.subplots(len(seen), 2 * len(excerpts), sharey="row",
                           width_ratios=(5, 1) * len(excerpts))
    for axes, (memory, texts), colour in zip(grid, seen.items(), COLOURS, strict=True):
        for place, (text, trace) in enumerate(texts.items()):
            main, side = axes[2 * place:2 * place + 2]
            _panel(main, side, trace, colour)
            _label(side, trace, words.get(memory, {}))
            reads = f"{len(trace.address):,}".replace(",", " ")
            main.set_title(f"{memory}: text {text}, {reads} reads", fontsize="medium",
                           fontweight="bold")
        axes[0].set_ylabel("address read in host memory")
    for place, (text, excerpt) in enumerate(excerpts.items()):
        grid[-1][2 * place].set_xlabel(f"lookup of text {text}\n“{excerpt} …”")
        grid[-1][2 * place + 1].set_xlabel("share of\nall reads")
    figure.suptitle("What the host sees of two texts whose embedding rows are looked up")
    figure.savefig(path, dpi=150)


def _panel(axes: Any, side: Any, trace: Seen, colour: str) -> None:
    shown = trace.time < SHOWN
    axes.plot(trace.time[shown], trace.address[shown], linestyle="none", marker=".",
              markersize=4, markeredgewidth=0, color=colour)
    axes.set(xlim=(0, min(SHOWN, trace.time[-1] + 1)), ylim=(0, trace.size))
    edges = np.linspace(0, trace.size, min(_BINS, trace.size) + 1)
    side.hist(trace.address, edges, orientation="horizontal", color=colour, alpha=0.8)
    side.set_xticks([])
    side.tick_params(left=False)
    for edge in ("top", "right", "bottom"):
        side.spines[edge].set_visible(False)


def _label(side: Any, trace: Seen, words: Mapping[int, str]) -> None:
    """The words that are read most, each at its address, where there is room."""
    labelled: list[int] = []
    for address in np.argsort(-trace.counts().ravel(), kind="stable").tolist():
        if len(labelled) == _LABELS or address not in words:
            break
        if all(abs(address - other) > trace.size / 25 for other in labelled):
            labelled.append(address)
            side.annotate(words[address], (0.06, address), xycoords=("axes fraction", "data"),
                          va="center", fontsize="small",
                          bbox={"facecolor": "white", "alpha": 0.75, "pad": 0.6, "linewidth": 0})
