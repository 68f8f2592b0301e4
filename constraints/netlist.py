"""The netlist of a core on a target, as Verilog that a simulator can run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import Emitted

from . import yosys
from .cache import result_file, store
from .targets import find


@dataclass(frozen=True)
class Netlist(Emitted):
    """A core after synthesis: its top and ports as before, and models of the cells.

    Parameters
    ----------
    target : str
    cells : dict of str to int
        Number of cells of each type. What is kept behavioural is not among them.
    memories : dict of str to int
        Memories kept behavioural, by name: their bits. The target's block RAM has no model, or
        the target has no memory.
    own : list of str
        Cells whose model is not Yosys's but in ``constraints/cells``.
    """

    target: str
    cells: dict[str, int]
    memories: dict[str, int]
    own: list[str]

    @property
    def behavioural(self) -> list[str]:
        """What is not of cells: a line each."""
        return [f"memory {name}, {bits} bits" for name, bits in self.memories.items()]

    @property
    def notes(self) -> list[str]:
        """What a reader of results must know."""
        notes = []
        if self.memories:
            many = "memories are" if len(self.memories) > 1 else "memory is"
            notes.append(f"{len(self.memories)} {many} kept behavioural: {_reason(self.target)}")
        if self.own:
            notes.append(f"simulated by models of Pimlico's own: {', '.join(self.own)}")
        return notes


def synthesise(emitted: Emitted, target: str, *, progress: Callable[[str], None] | None = None,
            verbose: bool = False, cached: bool = True) -> Netlist:
    """Synthesise a core, and write its netlist for simulation.

    The passes are those of `synth.synthesise`; cmos is without Booth's recoding.

    Parameters
    ----------
    emitted : Emitted
        The core.
    target : str
        One of `targets.TARGETS`.
    progress : callable, optional
        Called with a short text whenever something else begins.
    verbose : bool
        Copy Yosys's log to standard error.
    cached : bool
        Whether an earlier netlist of the same text and tools will do.

    Raises
    ------
    ConfigError
        On an unknown target.
    ToolError
        If pyosys is missing, if Yosys fails, or if a cell has no model.
    """
    find(target)
    job = {"top": emitted.top, "target": target}
    path = result_file("netlists", ["pyosys"], emitted.text, job)
    if cached and path.exists():
        made = json.loads(path.read_text())
    else:
        with tempfile.TemporaryDirectory(prefix="pimlico-netlist-") as name:
            folder = Path(name)
            made = yosys.work("netlist_worker", job, emitted.text, folder, progress, verbose)
            if made["missing"]:
                raise ToolError(f"no simulation model of {', '.join(made['missing'])}: this core "
                                f"cannot be verified as a netlist of {target}")
            made["text"] = (folder / "netlist.v").read_text()
        store(path, made)
    return Netlist(emitted.top, made["text"], emitted.ports, target, made["cells"],
                   made["memories"], made["own"])


def _reason(target: str) -> str:
    return ("gates alone are mapped" if not find(target).counts
            else f"Yosys has no model of the block RAM of {target}")
