"""A design with many mutants in one netlist, of which an input chooses one; made by Yosys.

``python -m pimlico.sim.mutants FOLDER`` reads ``job.json`` and ``design.v`` in the folder, and
leaves ``mutated.v`` and ``mutants.json`` there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sys
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pimlico.generators.verilog import Emitted, TopPort

from .yosys import call_yosys

SELECT = "mutant_select"
"""The input that chooses: 0 is the design as it is, k the mutant of number k."""
SOUND = "sound.il"
"""File of the folder with the design that the mutants are of, flat."""

_MODES = {"inv": "inverted", "const0": "stuck at 0", "const1": "stuck at 1",
          "cnot0": "inverted where bit {ctrlbit} is 0",
          "cnot1": "inverted where bit {ctrlbit} is 1"}


@dataclass(frozen=True)
class Mutant:
    """One change of one bit.

    Attributes
    ----------
    number : int
        From 1.
    change : str
        What happens to the bit.
    signal : str
        Name of the signal that it is of, or of the cell and port where that has none.
    line : int
        Line of the emitted Verilog that the cell comes from; 0 if unknown.
    command : str
        For Yosys.
    """

    number: int
    change: str
    signal: str
    line: int
    command: str


def mutate(design: Emitted, count: int, seed: int, folder: Path) -> tuple[Emitted, list[Mutant]]:
    """A design with `count` mutants of it, drawn over its cells and wires by Yosys.

    Memories are left out: Yosys cannot write one whose enable was changed as Verilog. What drives
    their ports is not.

    Parameters
    ----------
    design : Emitted
    count : int
        Fewer come back where the design has not so many.
    seed : int
        Chooses them.
    folder : Path
        Where to work.

    Returns
    -------
    Emitted, list of Mutant
        The design, with `SELECT` beside its ports, and its mutants.

    Raises
    ------
    ToolError
        If pyosys is missing, or Yosys fails.
    """
    (folder / "design.v").write_text(design.text)
    job = {"top": design.top, "count": count, "seed": seed, "bits": max(1, count.bit_length())}
    (folder / "job.json").write_text(json.dumps(job))
    result = call_yosys(__name__, folder, "mutants.json", "make the mutants")
    ports = [*design.ports, TopPort(SELECT, "input", job["bits"], None, "wire")]
    return (replace(design, text=(folder / "mutated.v").read_text(), ports=ports),
            [Mutant(**each) for each in json.loads(result.read_text())])


def _read(command: str, number: int) -> dict[str, Any]:
    """What a line of Yosys' list says of a mutant."""
    words = shlex.split(command.replace("\\", "\\\\"))
    given = {word[1:]: value for word, value in pairwise(words) if word.startswith("-")}
    named = "wire" in given
    place = given["wire"].removeprefix("\\") if named else f"{_cell(given['cell'])} {given['port']}"
    bit = given["wirebit"] if named else given["portbit"]
    line = re.search(r":(\d+)\.", given.get("src", ""))
    return {"number": number, "change": _MODES[given["mode"]].format(**given),
            "signal": f"{place}[{bit}]", "line": int(line[1]) if line else 0, "command": command}


def _cell(name: str) -> str:
    """A cell's name for people: where it is, and what."""
    made = re.fullmatch(r"(?:\$flatten)?(.*?)\$(\w+)\$.*", name)
    return f"{made[1]}{made[2]}".replace("\\", "") if made else name.removeprefix("\\")


def _make(folder: Path, top: str, count: int, seed: int, bits: int) -> None:
    from pyosys import libyosys as ys

    design = ys.Design()

    def run(*commands: str) -> None:
        for command in commands:
            ys.run_pass(command, design)

    os.chdir(folder)  # names of cells have the file's in them
    run("read_verilog design.v", f"hierarchy -check -top {top}", "proc", "flatten",
        # of two choices at once, as mutants have them, tools make different things
        "pmuxtree", "opt_clean -purge", "memory_collect",
        f"mutate -list {count} -seed {seed} -ctrl {SELECT} {bits} 1 -o list "
        "t:* t:$mem_v2 %d")
    commands = [line for line in Path("list").read_text().splitlines()
                if line.startswith("mutate ")]
    run(f"write_rtlil {SOUND}", *commands, "write_verilog -noattr -noparallelcase mutated.v")
    Path("mutants.json").write_text(json.dumps(
        [_read(command, number) for number, command in enumerate(commands, 1)]))


if __name__ == "__main__":
    # Yosys never returns to the interpreter inside a pass, where ^C would be seen
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _folder = Path(sys.argv[1])
    _make(_folder, **json.loads((_folder / "job.json").read_text()))
