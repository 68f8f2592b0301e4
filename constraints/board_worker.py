"""Synthesis of a board's top by Yosys, in a process of its own.

``python -m pimlico.constraints.board_worker FOLDER`` reads ``job.json`` and ``design.v`` in the
folder, and leaves the netlist ``netlist.json`` and, once all went well, ``cells.json``: how many
there are of each cell type.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from .outreg import absorb
from .targets import find


def synthesise(folder: Path, top: str, passes: list[str], target: str) -> dict[str, int]:
    """Make the netlist, and count its cells."""
    from pyosys import libyosys as ys

    design = ys.Design()

    def run(*commands: str) -> None:
        for command in commands:
            ys.run_pass(command, design)

    known = find(target)
    run(f"read_verilog {folder / 'design.v'}", f"hierarchy -top {top}",
        *(command.format(top=top) for command in passes))
    if known.output_registers:
        absorb(ys, design)
    if known.device and known.device.techmap:
        (folder / "techmap.v").write_text(known.device.techmap)
        run(f"techmap -map {folder / 'techmap.v'}")
    run(f"tee -q -o {folder / 'stat'} stat -json", f"write_json {folder / 'netlist.json'}")
    cells = json.loads((folder / "stat").read_text())["modules"][f"\\{top}"]["num_cells_by_type"]
    return {name: number for name, number in cells.items() if name != "$scopeinfo"}


def main(folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    job = json.loads((folder / "job.json").read_text())
    cells = synthesise(folder, job["top"], job["passes"], job["target"])
    (folder / "cells.json").write_text(json.dumps(cells))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
