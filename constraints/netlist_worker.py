"""What makes a netlist to be simulated: a process of its own, as `worker` is.

``python -m pimlico.constraints.netlist_worker FOLDER`` reads ``job.json`` and ``design.v`` in the
folder, and leaves ``netlist.v`` and then ``result.json`` there once everything went well.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .deep import send_to_block_ram
from .models import Models
from .outreg import absorb
from .targets import Target, find
from .worker import ABC_SCRIPT

INNER = "pimlico_netlist"
"""The module with the cells, inside one with the ports of the core."""

MEMORY = "pimlico_memory_"
"""Modules of the memories that are kept behavioural, with a number behind."""

_QUIET = "".join(f"/* verilator lint_off {rule} */\n" for rule in (
    "CASEINCOMPLETE", "INITIALDLY", "PINMISSING", "UNOPTFLAT", "WIDTH"))

# The labels around the mapping of memories in a family's script, and the pattern of what they
# map to that has a model. Families that are not here have models of all their memories.
_STAGES = {
    "gowin": ("map_ram", "map_ffram", r"\$__GOWIN_LUTRAM_"),
    "nexus": ("map_ram", "map_ffram", r"\$__NEXUS_DPR16X4_"),
    "xcup": ("map_memory", "map_ffram", r"\$__XILINX_LUTRAM_.*"),
}
_MAPPED = re.compile(r"mapping memory (\S+) via (\S+)")


class _Run:
    """A design of Yosys's on its way from ``design.v`` to ``netlist.v``."""

    def __init__(self, folder: Path, top: str, target: Target):
        from pyosys import libyosys as ys

        self.ys = ys
        self.design = ys.Design()
        self.folder = folder
        self.top = top
        self.target = target

    def run(self, *commands: str) -> None:
        for command in commands:
            self.ys.run_pass(command.format(top=self.top), self.design)

    def make(self) -> dict[str, Any]:
        """Map the design and write the netlist, with the models of its cells.

        Returns
        -------
        dict
            ``cells`` (number of each type), ``memories`` (bits of each that is kept behavioural,
            by name), ``own`` (cells whose model is not Yosys's), ``missing`` (cells without one).
        """
        self.run(f"read_verilog {self.folder / 'design.v'}", "hierarchy -top {top}")
        if not self.target.counts:
            memories = self.map_gates()
        elif self.target.name in _STAGES:
            memories = self.map_in_stages(*_STAGES[self.target.name])
        else:
            self.run(*self.target.passes)
            memories = {}
        if self.target.output_registers:
            absorb(self.ys, self.design)
        kinds = (_name(cell.type) for cell in self.design.top_module().cells_.values())
        cells = Counter(kind for kind in kinds
                        if kind != "$scopeinfo" and not kind.startswith(MEMORY))
        models, own, missing = Models(self.ys, self.target.name, self.folder).of(
            kind for kind in cells if not kind.startswith("$"))
        outer = self.split()
        kept = [path.read_text() for path in sorted(self.folder.glob(f"{MEMORY}*.v"))]
        self.run(f"write_verilog -noattr {self.folder / 'cells.v'}")
        (self.folder / "netlist.v").write_text("\n".join(
            [_QUIET, outer, (self.folder / "cells.v").read_text(), *kept, models]))
        return {"cells": dict(sorted(cells.items())), "memories": memories, "own": own,
                "missing": missing}

    def map_gates(self) -> dict[str, int]:
        """Map logic to gates; writable memories are kept."""
        self.design.scratchpad_set_string("abc.script", ABC_SCRIPT)
        self.run("synth -flatten -top {top} -run begin:fine")
        memories = self.keep(lambda cell: self.number(cell, "WR_PORTS") > 0)
        self.run("synth -run fine:", *self.target.passes)
        return memories

    def map_in_stages(self, before: str, after: str, modelled: str) -> dict[str, int]:
        """Map all but what would go to memories without a model, which is kept."""
        script, = self.target.passes
        told = self.folder / "memories"
        self.run(f"{script} -run begin:{before}")
        if self.target.deep_memories:
            send_to_block_ram(self.ys, self.design)
        self.run("design -save unmapped",
                 f"tee -o {told} {script} -run {before}:{after}", "design -load unmapped")
        chosen = {name for name, kind in _MAPPED.findall(told.read_text())
                  if not re.fullmatch(modelled, kind)}
        memories = self.keep(lambda cell: f"{self.top}.{_name(cell.name)}" in chosen)
        self.run(f"{script} -run {before}:")
        return memories

    def keep(self, chosen: Callable[[Any], bool]) -> dict[str, int]:
        """Put memories into modules of their own, written as Verilog; their bits by name."""
        kept = {}
        cells = [cell for cell in self.design.top_module().cells_.values()
                 if cell.type.str() == "$mem_v2" and chosen(cell)]
        for index, cell in enumerate(cells):
            name, module = _name(cell.name), f"{MEMORY}{index}"
            kept[name] = self.number(cell, "WIDTH") * self.number(cell, "SIZE")
            self.run(f"submod -name {module} {{top}}/c:{name}", f"select -module {module}",
                     f"write_verilog -noattr -selected {self.folder / module}.v",
                     "select -clear", f"blackbox {module}")
        return kept

    def split(self) -> str:
        """Make every net one of one bit; return a module around it with the ports as before.

        Verilator takes a vector for one signal, and would see a carry chain as a loop.
        """
        module = self.design.top_module()
        ports = [(_name(wire.name), wire.width, "input" if wire.port_input else "output")
                 for wire in map(module.wire, module.ports)]
        self.run(f"rename {{top}} {INNER}", "splitnets -ports")
        heads = (f"  {direction} {f'[{width - 1}:0] ' if width > 1 else ''}{name}"
                 for name, width, direction in ports)
        pins = (f"  .\\{name}[{bit}] ({name}[{bit}])" if width > 1 else f"  .{name}({name})"
                for name, width, direction in ports for bit in range(width))
        return "\n".join([f"module {self.top} (", ",\n".join(heads), ");", f"{INNER} netlist (",
                          ",\n".join(pins), ");", "endmodule\n"])

    def number(self, cell: Any, parameter: str) -> int:
        return cell.getParam(self.ys.IdString(f"\\{parameter}")).as_int()


def _name(identifier: Any) -> str:
    return identifier.str().removeprefix("\\")


def main(folder: Path) -> None:
    # Yosys never returns to the interpreter inside a pass, where ^C would be seen
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    job = json.loads((folder / "job.json").read_text())
    result = _Run(folder, job["top"], find(job["target"])).make()
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
