"""Runs all workloads through the sound OMAP controller and through six with a deliberate fault,
prints what the statistics of their traces say, and draws it: docs/img/omap-statistics.svg."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from math import inf, isinf
from pathlib import Path

from pimlico.generators.omap import BLOCK
from pimlico.generators.svg import INK, MUTED, box, picture, text
from pimlico.generators.verilog import emit
from pimlico.verif.omap.statistics import LIMIT, Report, report
from pimlico.verif.omap.workloads import WORKLOADS

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from omap_faults import CONFIG, FAULTS, faulty, watch  # noqa: E402

PICTURE = ROOT / "docs" / "img" / "omap-statistics.svg"
EACH = 12_500
SEED = 1

ROWS = ("order of requests", "χ² of a position", "lags 1 to 8, as sets", "lags 1 to 8, in order",
        "last on the same key", "pairs of pages", "pages by operation", "timing by operation",
        "lag 1, against others", "KS, against others")
BOUNDS = (2, LIMIT, 10, 30, 100)
SHADES = ("#ffffff", "#dbeafe", "#fdd49e", "#fc8d59", "#d7301f", "#7f0000")
INKS = (MUTED, MUTED, INK, INK, "#ffffff", "#ffffff")
SANS = "Helvetica, Arial, 'Liberation Sans', sans-serif"
_WIDE, _HIGH, _LEFT, _TOP = 27, 17, 136, 62
_ACROSS = 4


def run(each: int = EACH) -> dict[str, Report]:
    """The reports of `each` operations of every workload: of the sound core, and of each fault."""
    designs = {"sound": emit(BLOCK, CONFIG)} | dict.fromkeys(FAULTS, faulty(CONFIG))
    return {name: report(watch(design, CONFIG, each, SEED, "" if name == "sound" else name))
            for name, design in designs.items()}


def row_of(statistic: str) -> int:
    """The row of the picture that a statistic is in."""
    for row, (begin, end) in enumerate((
            ("shape", ""), ("chi2", ""), ("lag", "set"), ("lag", ("first", "second")),
            ("same key", ""), ("pair", ""), (("first", "second"), ""), ("", "operation"),
            ("lag", "others"), ("KS", "others"))):
        if statistic.startswith(begin) and statistic.endswith(end):
            return row
    raise ValueError(f"no row for {statistic}")


def figure(reports: Mapping[str, Report], path: Path = PICTURE) -> None:
    """Draw the greatest absolute z of each row and workload, a panel a core.

    Parameters
    ----------
    reports : mapping of str to Report
        By the name of the core; as many as there are faults, and the sound one.
    path : Path
        The SVG file.
    """
    across = len(WORKLOADS) * _WIDE + 22
    down = len(ROWS) * _HIGH + _TOP + 18
    body = []
    for number, (name, found) in enumerate(reports.items()):
        y, x = divmod(number, _ACROSS)
        body += _panel(_LEFT + x * across, _TOP + y * down, name, found)
        if x == 0:
            body += [text(_LEFT - 8, _TOP + y * down + at * _HIGH + 12, row, size=11,
                          anchor="end") for at, row in enumerate(ROWS)]
    body += _legend(_LEFT + 3 * across, _TOP + down)
    path.write_text(picture(_LEFT + _ACROSS * across, 2 * down + 8,
                            "z of the statistics of traces, by core and workload", body),
                    encoding="utf-8", newline="\n")


def _panel(x: float, y: float, name: str, found: Report) -> Iterator[str]:
    cells: dict[tuple[int, str], float] = {}
    for (workload, statistic), z in found.z.items():
        at = row_of(statistic), workload
        cells[at] = max(cells.get(at, 0.0), abs(z))
    yield text(x, y - 44, name, size=14, bold=True)
    placed = []
    for column, workload in enumerate(WORKLOADS):
        left = x + column * _WIDE
        yield (f'<g transform="translate({left + 17:g} {y - 5:g}) rotate(-40)">'
               f"{text(0, 0, workload, size=10, colour=MUTED)}</g>")
        placed += [(left, y + row * _HIGH, cells[row, workload]) for row in range(len(ROWS))]
    for low, high, shade, ink in zip((0, *BOUNDS), (*BOUNDS, inf), SHADES, INKS, strict=True):
        here = [(left, top, z) for left, top, z in placed if low <= z and (z < high or isinf(high))]
        path = "".join(f"M{left:g} {top:g}h{_WIDE}v{_HIGH}h-{_WIDE}z" for left, top, _ in here)
        yield f'<path d="{path}" fill="{shade}" stroke="#cbd5e1" stroke-width="0.6"/>'
        yield f'<g font-family="{SANS}" font-size="9" fill="{ink}" text-anchor="middle">'
        yield from (f'<text x="{left + _WIDE / 2:g}" y="{top + 12:g}">{_number(z)}</text>'
                    for left, top, z in here if z)
        yield "</g>"


def _number(z: float) -> str:
    return "∞" if isinf(z) else f"{z:.1f}" if z < 9.95 else f"{z:.0f}"


def _legend(x: float, y: float) -> Iterator[str]:
    yield text(x, y + 12, "greatest |z| of a row, 4 is the limit", size=12)
    bounds = (0, *BOUNDS, inf)
    for at, shade in enumerate(SHADES):
        low, high = bounds[at:at + 2]
        yield box(x, y + 24 + at * 22, 32, 16, fill=shade, stroke="#94a3b8", radius=0, thick=0.8)
        label = f"{low:g} to {high:g}" if high < inf else f"{low:g} and more"
        yield text(x + 42, y + 37 + at * 22, label, size=11)
    yield text(x, y + 50 + len(SHADES) * 22, "∞: what may never be seen at all", size=11)


def main() -> int:
    reports = run()
    for name, found in reports.items():
        print(f"{name}: {found}")
    figure(reports)
    return 0 if reports["sound"].sound else 1


if __name__ == "__main__":
    sys.exit(main())
