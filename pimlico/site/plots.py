"""The plots of the site: how full a device is, and which presets no other one beats."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from itertools import count
from typing import Any

from pimlico.generators.errors import ToolError
from pimlico.generators.svg import AMBER, BLUE, INK, LINE, TEAL

DEVICES = {
    "ecp5": ("LFE5U-85F", {"lut": 83640, "ff": 83640, "dsp": 156, "bram": 208}),
    "ice40": ("iCE40 UP5K", {"lut": 5280, "ff": 5280, "dsp": 8, "bram": 30}),
    "gowin": ("GW2A-18", {"lut": 20736, "ff": 15552, "dsp": 48, "bram": 46}),
    "xcup": ("ZU9EG", {"lut": 274080, "ff": 548160, "dsp": 2520, "bram": 912}),
}
"""For each target a device, and how much it has, by its data sheet."""
_COLOURS = {"lut": BLUE, "ff": TEAL, "dsp": AMBER, "bram": LINE}
_LABELS = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "block RAM"}
_numbers = count()


def utilisation(target: str, named: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Bars of what each core takes of the target's device, in percent, as SVG text.

    Parameters
    ----------
    target : str
        A key of `DEVICES`.
    named : sequence of tuple of str and dict
        A label, and the result of ``pimlico synth``.
    """
    device, there = DEVICES[target]
    figure, axes = _axes(1.1 + 0.62 * len(named))
    height = 0.8 / len(there)
    for number, (resource, limit) in enumerate(there.items()):
        shares = [100 * (result.get(resource) or 0) / limit for _, result in named]
        places = [row + number * height for row in range(len(named))]
        axes.barh(places, shares, height * 0.9, color=_COLOURS[resource],
                  label=_LABELS[resource])
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(named))],
                    [label for label, _ in named])
    axes.invert_yaxis()
    axes.axvline(100, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlabel(f"percent of {device}")
    axes.legend(frameon=False, fontsize=8, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    return _svg(figure)


def pareto(points: Sequence[tuple[str, float, float]], cost: str, gain: str) -> str:
    """Cores by cost and gain, with the line of those that no other beats, as SVG text.

    Parameters
    ----------
    points : sequence of tuple of str, float and float
        A label, the cost and the gain.
    cost, gain : str
        What the axes say.
    """
    figure, axes = _axes(3.4)
    best = front(points)
    axes.step([point[1] for point in best], [point[2] for point in best], where="post",
              color=TEAL, linewidth=1.2, zorder=1)
    axes.scatter([point[1] for point in points], [point[2] for point in points], s=26,
                 color=[TEAL if point in best else LINE for point in points], zorder=2)
    for label, x, y in points:
        axes.annotate(label, (x, y), xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    if min(point[2] for point in points) > 0:
        axes.set_yscale("log")
    axes.margins(x=0.2, y=0.2)
    axes.set_xlabel(cost)
    axes.set_ylabel(gain)
    return _svg(figure)


def front(points: Sequence[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """The points of which none costs less and gains as much, the cheapest first."""
    best: list[tuple[str, float, float]] = []
    for point in sorted(points, key=lambda point: (point[1], -point[2])):
        if not best or point[2] > best[-1][2]:
            best.append(point)
    return best


def _axes(height: float) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ToolError("matplotlib is missing; get it with: pip install 'pimlico[report]'"
                        ) from None
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
    return figure, axes


def _svg(figure: Any) -> str:
    """SVG text to stand inside a page: its ids are no other plot's, and it has no date."""
    import matplotlib

    out = io.StringIO()
    name = f"plot{next(_numbers)}"
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None}, transparent=True)
    text = out.getvalue()
    text = text[text.index("<svg"):]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    return re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
