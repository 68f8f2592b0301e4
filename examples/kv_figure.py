"""The plot of the KV history example: what skipping saves, and who skipped what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from kv_model import Trace
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

TRAFFIC, SAVED, HELD = "#0072B2", "#D55E00", "#E69F00"
REPORTED = 25.4
"""Storage that SkipOPU (arXiv 2603.14785) reports as saved, at most, in percent."""


def draw(path: Path, runs: Sequence[dict[str, Any]], keep: float, trace: Trace) -> None:
    """Write the plot; the suffix of `path` chooses the format.

    Parameters
    ----------
    path : Path
    runs : sequence of dict
        Results of `kv_run.run`, a keep rate each.
    keep : float
        Keep rate of `trace`.
    trace : Trace
    """
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.55))
    _savings(left, sorted(runs, key=lambda each: each["keep"]))
    _routing(right, keep, trace)
    figure.savefig(path, dpi=150)


def _savings(axes: Any, runs: Sequence[dict[str, Any]]) -> None:
    keep = [100 * each["keep"] for each in runs]
    for key, colour, marker, label in (
            ("traffic", TRAFFIC, "o", "off-chip K/V bytes read"),
            ("saved", SAVED, "s", "off-chip K/V storage saved")):
        values = [100 * each[key] for each in runs]
        axes.plot(keep, values, color=colour, marker=marker, label=label)
    axes.axhline(REPORTED, color="0.45", linestyle="--", linewidth=1,
                 label=f"SkipOPU: up to {REPORTED} % of storage saved")
    axes.set(xlabel="keep rate asked of the routers, %", ylabel="of a model without skipping, %",
             ylim=(0, 100), title="What the skipped tokens save")
    axes.grid(alpha=0.3)
    _legend(axes, axes.get_legend_handles_labels()[0])


def _routing(axes: Any, keep: float, trace: Trace) -> None:
    visits = trace.visits
    executed = np.array([visit.executed for visit in visits[-1 - visits[-1].layer:]])
    layers, tokens = executed.shape
    prompt = len(visits[0].executed)
    axes.imshow(executed, cmap=ListedColormap([HELD, TRAFFIC]), vmin=0, vmax=1, aspect="auto",
                interpolation="nearest", extent=(0, tokens, layers, 0))
    axes.vlines(range(1, tokens), 0, layers, color="white", linewidth=0.4)
    axes.hlines(range(1, layers), 0, tokens, color="white", linewidth=0.8)
    axes.axvline(prompt, color="black", linewidth=1.5)
    step = -(-layers // 8)
    axes.set(title=f"One routing trace, keep rate {100 * keep:.1f} %", ylabel="layer",
             xlabel=f"token: {prompt} of the prompt, {tokens - prompt} decoded (right of the line)",
             yticks=np.arange(0, layers, step) + 0.5, yticklabels=range(0, layers, step))
    _legend(axes, [Patch(color=TRAFFIC, label="executed: fresh row, streamed"),
                   Patch(color=HELD, label="skipped: held row, from the buffer")])


def _legend(axes: Any, handles: Sequence[Any]) -> None:
    """Below the axes, where it hides nothing."""
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False,
                fontsize="small")
