"""Runs presets as netlists in lockstep, and writes docs/netlists.json and the table of its page."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from pimlico.constraints.targets import TARGETS
from pimlico.generators.block import blocks
from pimlico.generators.load import Design, load
from pimlico.generators.verilog import emit
from pimlico.verif.episode import Episode
from pimlico.verif.recording import Recording
from pimlico.verif.run import Pin

DATA = Path(__file__).parent / "netlists.json"
PAGE = Path(__file__).parent / "integration.md"
SEED = 1
LEAST, MOST = 1000, 60_000
"""Cycles of a run, whatever the directed episodes take."""
FIRST = 100
"""Cycles of the run that tells how many a second there will be."""
ORDER = ("ecp5", "ice40", "gowin", "nexus", "xcup", "cmos")
_TABLE = re.compile(r"^\| block \| preset \| `ecp5`.*?\n\n", re.M | re.S)

Row = dict[str, Any]


def presets(block: str) -> list[str]:
    """The presets of a block, by name."""
    folder = files("pimlico.generators") / "presets" / block
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir())


def directed(design: Design) -> tuple[int, bool]:
    """Cycles that the directed episodes take, at most `MOST`; and whether they end by then."""
    ended = False

    def episodes() -> Iterator[Episode]:
        nonlocal ended
        for episode in design.block.load("stimulus")(design.config, np.random.default_rng(SEED)):
            if episode.name.startswith("random"):
                break
            yield episode
        ended = True

    pins = [Pin(**asdict(port)) for port in emit(design.block, design.config).ports]
    recording = Recording(design.config.ports, pins, design.block.load("cycles")(design.config),
                          seed=SEED, cycles=MOST)
    for _ in recording.chunks(episodes()):
        pass
    return recording.outcome.cycles, ended


def command(block: str, preset: str, target: str, cycles: int) -> list[str]:
    """The arguments of `pimlico`."""
    return ["verify", block, "--preset", preset, "--netlist", target, "--sim", "icarus",
            "--cycles", str(cycles), "--seed", str(SEED)]


def run(block: str, preset: str, target: str, seconds: float, wanted: int, ended: bool) -> Row:
    """What a netlist does within some `seconds`, of synthesis and simulation together."""
    row: Row = {"block": block, "preset": preset, "target": target}
    begun = perf_counter()

    def left() -> float:
        return seconds - (perf_counter() - begun)

    told = _pimlico(command(block, preset, target, FIRST), left())
    if isinstance(told, str):
        return row | {"result": told, "seconds": round(perf_counter() - begun)}
    rate = max(1, told["simulators"]["icarus"]["cycles_per_second"])
    least = max(LEAST, wanted)
    cycles = min(least, int(rate * left() * 0.7))
    if told["passed"] and cycles > FIRST:
        cycles -= cycles % 100 if cycles < least else 0
        more = _pimlico(command(block, preset, target, cycles), left())
        told = told if isinstance(more, str) else more
    simulated = told["simulators"]["icarus"]
    return row | {
        "result": "pass" if told["passed"] else told["mismatch"], "cycles": simulated["cycles"],
        "directed": ended and simulated["cycles"] >= wanted, "cells": sum(told["cells"].values()),
        "behavioural": len(told["behavioural"]), "seconds": round(perf_counter() - begun)}


def _pimlico(arguments: list[str], seconds: float) -> dict[str, Any] | str:
    """What a command prints as JSON, or why it does not."""
    process = subprocess.Popen([sys.executable, "-m", "pimlico", *arguments, "--json"], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)
    try:
        out, err = process.communicate(timeout=max(1, seconds))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "out of time"
    if process.returncode <= 1:
        told: dict[str, Any] = json.loads(out)
        return told
    lines = err.splitlines() or [f"exit code {process.returncode}"]
    return next((line for line in lines if "ERROR" in line), lines[-1]).removeprefix("error: ")


def table(rows: list[Row]) -> str:
    """The results in Markdown."""
    found = {(row["block"], row["preset"], row["target"]): row for row in rows}
    lines = ["| block | preset | " + " | ".join(f"`{target}`" for target in ORDER) + " |",
             "| --- | --- |" + " ---: |" * len(ORDER)]
    for block in sorted(blocks()):
        for preset in presets(block):
            cells = [_cell(found.get((block, preset, target))) for target in ORDER]
            if any(cell != "–" for cell in cells):
                lines.append(f"| {block} | `{preset}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\n"


def _cell(row: Row | None) -> str:
    if row is None:
        return "–"
    if "cycles" not in row:
        return f"over {row['seconds']} s" if row["result"] == "out of time" else "none"
    if row["result"] != "pass":
        return "**differs**"
    kept = f", {row['behavioural']}" if row["behavioural"] else ""
    mark = "" if row["directed"] else "*"
    return f"{_spaced(row['cycles'])}{mark} ({_spaced(row['cells'])}{kept}) {row['seconds']} s"


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--block", action="append", help="only this block (repeatable)")
    parser.add_argument("--preset", action="append", help="only this preset (repeatable)")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS),
                        help="only this target (repeatable)")
    parser.add_argument("--seconds", type=float, default=480, help="for each netlist")
    parser.add_argument("--again", action="store_true", help="also those with a result")
    asked = parser.parse_args()
    rows = json.loads(DATA.read_text()) if DATA.exists() else []
    done = {(row["block"], row["preset"], row["target"]) for row in rows}
    for block in asked.block or sorted(blocks()):
        for preset in presets(block):
            targets = [target for target in asked.target or ORDER
                       if asked.again or (block, preset, target) not in done]
            if not targets or (asked.preset and preset not in asked.preset):
                continue
            wanted = directed(load(block, preset=preset))
            for target in targets:
                row = run(block, preset, target, asked.seconds, *wanted)
                print(" ".join(map(str, row.values())), flush=True)
                key = block, preset, target
                rows = [*(old for old in rows
                          if (old["block"], old["preset"], old["target"]) != key), row]
                rows.sort(key=lambda row: (row["block"], row["preset"], ORDER.index(row["target"])))
                DATA.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    PAGE.write_text(_TABLE.sub(lambda old: table(rows), PAGE.read_text(), count=1))
    return 0 if all("cycles" not in row or row["result"] == "pass" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
