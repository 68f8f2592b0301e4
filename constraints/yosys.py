"""Synthesis by Yosys, in a process of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import process
from .targets import TRANSISTORS, Target

HEADER = re.compile(r"\d+(?:\.\d+)*\. Executing (\S+) pass")


def synthesise(verilog: str, top: str, target: Target, folder: Path, *, booth: bool = False,
               pnr: bool = False, progress: Callable[[str], None] | None = None,
               verbose: bool = False) -> dict[str, Any]:
    """Run the passes of `target` on `verilog`; see `worker.synthesise` for the result.

    Parameters
    ----------
    folder : Path
        An empty folder for the run's files.
    booth : bool
        cmos: make multipliers by Booth's recoding.
    pnr : bool
        Make the netlist to route, and leave ``harness.json`` for `nextpnr.place_and_route`.

    Raises
    ------
    ToolError
        If pyosys is missing, or Yosys fails.
    """
    job = {"top": top, "target": target.name, "booth": booth, "pnr": pnr}
    return work("worker", job, verilog, folder, progress, verbose)


def work(module: str, job: dict[str, Any], verilog: str, folder: Path,
         progress: Callable[[str], None] | None = None, verbose: bool = False) -> dict[str, Any]:
    """Have a `module` of this folder do `job` on `verilog` in a process of its own.

    Raises
    ------
    ToolError
        If pyosys is missing, or Yosys fails.
    """
    process.need("pyosys", "synth")
    (folder / "design.v").write_text(verilog)
    (folder / "job.json").write_text(json.dumps(job))

    def line(text: str) -> None:
        header = HEADER.match(text)
        if progress is not None and header:
            progress(f"yosys: {header[1].lower()}")

    result = process.run("Yosys", ["-m", f"{__package__}.{module}", str(folder)], folder,
                         "result.json", line, verbose)
    return json.loads(result.read_text())


def transistors(cells: dict[str, int]) -> int:
    """Transistors of a netlist of NAND, NOR, NOT and flip-flops."""
    return sum(TRANSISTORS[cell] * number for cell, number in cells.items())
