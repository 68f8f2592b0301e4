"""Place and route by nextpnr, over several seeds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import process
from .targets import Device

PARALLEL = 2


def place_and_route(folder: Path, device: Device, seeds: int, *,
                    clock_mhz: float | None = None,
                    progress: Callable[[str], None] | None = None,
                    verbose: bool = False) -> dict[str, Any]:
    """Fmax of ``harness.json`` in `folder`: the median over seeds 1 to `seeds`.

    Returns
    -------
    dict
        ``fmax_mhz``; ``fmax_seeds``, one figure a seed; ``critical_path`` of the seed nearest
        the median (from and to, and nanoseconds in logic and in routing).

    Raises
    ------
    ToolError
        If nextpnr is missing, or fails, for instance where the design does not fit.
    """
    process.need(device.package, "fpga")
    (folder / "harness.cst").write_text(device.pins)
    done: list[int] = []

    def run(seed: int) -> dict[str, Any]:
        report = f"report{seed}.json"
        arguments = [*device.arguments, "--json", "harness.json", "--report", report,
                     "--timing-allow-fail", "--seed", str(seed)]
        if clock_mhz is not None:
            arguments += ["--freq", f"{clock_mhz:g}"]
        start = f"import sys, {device.package} as n; sys.exit(n.{device.entry}(sys.argv[1:]))"
        path = process.run("nextpnr", ["-c", start, *arguments], folder, report, verbose=verbose)
        done.append(seed)
        if progress is not None:
            progress(f"nextpnr: {len(done)} of {seeds} seeds")
        return json.loads(path.read_text())

    if progress is not None:
        progress(f"nextpnr: 0 of {seeds} seeds")
    with ThreadPoolExecutor(PARALLEL) as pool:
        reports = list(pool.map(run, range(1, seeds + 1)))
    speeds = [min(clock["achieved"] for clock in report["fmax"].values()) for report in reports]
    median = statistics.median(speeds)
    nearest = min(range(seeds), key=lambda index: abs(speeds[index] - median))
    return {
        "fmax_mhz": round(median, 2),
        "fmax_seeds": [round(speed, 2) for speed in speeds],
        "critical_path": critical_path(reports[nearest]),
    }


def critical_path(report: Mapping[str, Any]) -> dict[str, Any]:
    """The slowest path from register to register in a report of nextpnr."""
    paths = [path["path"] for path in report["critical_paths"]
             if "async" not in path["from"] and "async" not in path["to"]]
    slowest = max(paths, key=lambda path: sum(step["delay"] for step in path))
    routing = sum(step["delay"] for step in slowest if step["type"] == "routing")
    return {
        "from": slowest[0]["from"]["cell"],
        "to": slowest[-1]["to"]["cell"],
        "logic_ns": round(sum(step["delay"] for step in slowest) - routing, 3),
        "routing_ns": round(routing, 3),
    }
