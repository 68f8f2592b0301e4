"""The few SVG shapes that the datasheet's drawings are made of, in one style."""

from __future__ import annotations

from html import escape
from typing import Literal

INK, MUTED, LINE = "#0f172a", "#64748b", "#475569"
BLUE, TEAL, AMBER, PAPER, TINT = "#2563eb", "#0f766e", "#d97706", "#ffffff", "#f1f5f9"

_SANS = "Helvetica, Arial, 'Liberation Sans', sans-serif"
_MONO = "'DejaVu Sans Mono', Menlo, Consolas, monospace"

Anchor = Literal["start", "middle", "end"]


def picture(width: float, height: float, title: str, body: list[str]) -> str:
    """A whole SVG file on white paper, so that it reads on a dark page too."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{PAPER}"/>',
        *body, "</svg>", ""])


def text(x: float, y: float, content: str, *, size: float = 12, colour: str = INK,
         anchor: Anchor = "start", bold: bool = False, mono: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (f'<text x="{x:g}" y="{y:g}" font-family="{_MONO if mono else _SANS}" '
            f'font-size="{size:g}"{weight} fill="{colour}" text-anchor="{anchor}">'
            f"{escape(content)}</text>")


def text_width(content: str, size: float = 12, mono: bool = False) -> float:
    """About how wide a text is drawn."""
    return len(content) * size * (0.61 if mono else 0.54)


def box(x: float, y: float, width: float, height: float, *, fill: str = PAPER,
        stroke: str = LINE, radius: float = 6, thick: float = 1.3) -> str:
    return (f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="{thick:g}"/>')


def line(points: list[tuple[float, float]], *, colour: str = LINE, thick: float = 1.5,
         dash: str = "") -> str:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{thick:g}" '
            f'stroke-linejoin="round"{dashes}/>')


def shape(points: list[tuple[float, float]], *, fill: str, stroke: str = "none") -> str:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polygon points="{path}" fill="{fill}" stroke="{stroke}"/>'


def arrow(start: tuple[float, float], end: tuple[float, float], *, colour: str = LINE,
          thick: float = 1.8, dash: str = "") -> str:
    """A straight arrow, level or upright, with its head at `end`."""
    (x0, y0), (x1, y1) = start, end
    if y0 == y1:
        back = x1 - 8 if x1 > x0 else x1 + 8
        head = [(x1, y1), (back, y1 - 4.5), (back, y1 + 4.5)]
        shaft = [(x0, y0), (back, y1)]
    else:
        back = y1 - 8 if y1 > y0 else y1 + 8
        head = [(x1, y1), (x1 - 4.5, back), (x1 + 4.5, back)]
        shaft = [(x0, y0), (x1, back)]
    return line(shaft, colour=colour, thick=thick, dash=dash) + shape(head, fill=colour)
