"""What runs Yosys: a process of its own, since a failed assertion inside Yosys ends the process.

``python -m pimlico.constraints.worker FOLDER`` reads ``job.json`` and ``design.v`` in the
folder, and leaves ``result.json`` there once everything went well.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

from .deep import MAPPING, send_to_block_ram
from .harness import TOP as HARNESS
from .harness import NetlistPort, harness
from .outreg import absorb
from .targets import Device, Target, find

# Yosys's own script for gates, but for the limit of conflicts: without one, the proof of two
# equivalent nodes in a multiplier can go on for hours.
ABC_SCRIPT = ("+strash;&get,-n;&fraig,-x,-C,1000;&put;scorr;dc2;dretime;strash;"
              "&get,-n;&dch,-f;&nf;&put")


def synthesise(folder: Path, top: str, target: Target, booth: bool, pnr: bool) -> dict[str, Any]:
    """Map ``design.v`` to be counted, or with `pnr` to ``harness.json``, the netlist to route.

    Returns
    -------
    dict
        ``cells`` (number of each type); ``multipliers`` (multiplications in the source);
        ``depth`` and ``memory_bits``, None but for cmos.
    """
    from pyosys import libyosys as ys

    design = ys.Design()
    depth = memory_bits = None

    def run(*commands: str) -> None:
        for command in commands:
            ys.run_pass(command, design)

    run(f"read_verilog {folder / 'design.v'}", f"hierarchy -top {top}")
    multipliers = sum(cell.type.str() == "$mul" for module in design.modules_.values()
                      for cell in module.cells_.values())
    if not target.counts:
        design.scratchpad_set_string("abc.script", ABC_SCRIPT)
        flag = "-booth " if booth else ""
        run(f"synth -flatten {flag}-top {top} -run begin:fine")
        memory_bits = _cut_memories(ys, design.top_module())
        run(f"synth {flag}-run fine:")
    device = target.device if pnr else None
    passes = device.passes if device and device.passes else target.passes
    commands = [command.format(top=top) for command in passes]
    if target.deep_memories:
        script, = commands
        run(f"{script} -run begin:{MAPPING}")
        send_to_block_ram(ys, design)
        commands = [f"{script} -run {MAPPING}:"]
    run(*commands)
    if target.output_registers:
        absorb(ys, design)
    if device and device.techmap:
        (folder / "techmap.v").write_text(device.techmap)
        run(f"techmap -map {folder / 'techmap.v'}")
    if memory_bits is not None:
        run(f"tee -q -o {folder / 'ltp'} ltp -noff")
        path = re.search(r"\(length=(\d+)\)", (folder / "ltp").read_text())
        depth = int(path[1]) if path else 0
    run(f"tee -q -o {folder / 'stat'} stat -json")
    if device:
        _add_harness(folder, design.top_module(), device, run)
    return {"cells": _cells(folder, top), "multipliers": multipliers, "depth": depth,
            "memory_bits": memory_bits}


def _cut_memories(ys: Any, module: Any) -> int:
    """Put every writable memory outside `module`, as a macro would be; return their bits.

    Its address, data and enables become outputs, which keeps the logic that makes them.
    """
    bits = 0
    memories = [cell for cell in module.cells_.values() if cell.type.str() == "$mem_v2"
                and cell.getParam(ys.IdString("\\WR_PORTS")).as_int() > 0]
    for number, cell in enumerate(memories):
        width, size = (cell.getParam(ys.IdString(name)).as_int() for name in ("\\WIDTH", "\\SIZE"))
        bits += width * size
        for port, signal_ in list(cell.connections_.items()):
            if not signal_.size():
                continue
            wire = module.addWire(ys.IdString(f"\\memory{number}_{port.str()[1:]}"),
                                  signal_.size())
            if cell.output(port):
                wire.port_input = True
                module.connect(signal_, ys.SigSpec(wire))
            else:
                wire.port_output = True
                module.connect(ys.SigSpec(wire), signal_)
        module.remove(cell)
    module.fixup_ports()
    return bits


def _cells(folder: Path, top: str) -> dict[str, int]:
    stat = json.loads((folder / "stat").read_text())
    cells = stat["modules"][f"\\{top}"]["num_cells_by_type"]
    return {name: number for name, number in cells.items() if name != "$scopeinfo"}


def _add_harness(folder: Path, module: Any, device: Device, run: Any) -> None:
    wires = [module.wire(name) for name in module.ports]
    ports = [NetlistPort(wire.name.str()[1:], "input" if wire.port_input else "output", wire.width)
             for wire in wires]
    text = harness(module.name.str()[1:], ports, device)
    (folder / "harness.v").write_text(text)
    run(f"read_verilog {folder / 'harness.v'}", f"hierarchy -top {HARNESS}", "flatten", "clean",
        f"write_json {folder / 'harness.json'}")


def main(folder: Path) -> None:
    # Yosys never returns to the interpreter inside a pass, where ^C would be seen
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    job = json.loads((folder / "job.json").read_text())
    result = synthesise(folder, job["top"], find(job["target"]), job["booth"], job["pnr"])
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
