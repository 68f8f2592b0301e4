"""Verilog models of a family's cells: those that Yosys brings, and our own in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

LIBRARIES = {"ecp5": "ecp5/cells_sim.v", "ice40": "ice40/cells_sim.v",
             "gowin": "gowin/cells_sim.v", "nexus": "nexus/cells_sim.v",
             "xcup": "xilinx/cells_sim.v"}
"""Where Yosys keeps the models of each target that has cells."""

_MODULE = re.compile(r"\bmodule\s+(\w+)\s*[#(;].*?\bendmodule\b", re.S)
_BODY = re.compile(r"\b(?:assign|always)\b|\)\s*\w+\s*\(|^\s*(?!module)\w+\s+\w+\s*\(", re.M)
_SPECIFY = re.compile(r"\bspecify\b.*?\bendspecify\b", re.S)


class Models:
    """The models of a target's cells, by name.

    Yosys's are taken from its installation, without their timing. Those of
    ``cells/<target>.v`` take the place of its black boxes, and of what does not simulate.

    Parameters
    ----------
    ys : module
        ``pyosys.libyosys``.
    target : str
    folder : Path
        Where a file can be left.
    """

    def __init__(self, ys: Any, target: str, folder: Path):
        self.known: dict[str, str] = {}
        self.own: set[str] = set()
        if target in LIBRARIES:
            library = Path(ys.__file__).parent / "share" / LIBRARIES[target]
            dump = folder / "models"
            ys.run_pass(f"tee -q -o {dump} read_verilog -defer -overwrite -ppdump "
                        f"-D NO_ICE40_DEFAULT_ASSIGNMENTS {library}", ys.Design())
            self.known |= _modules(dump.read_text())
        mine = files(__package__) / "cells" / f"{target}.v"
        if mine.is_file():
            own = _modules(mine.read_text())
            self.own = set(own)
            self.known |= own

    def of(self, cells: Iterable[str]) -> tuple[str, list[str], list[str]]:
        """The models that a netlist of `cells` needs.

        Returns
        -------
        text : str
            Verilog of the modules, with those that they are made of.
        own : list of str
            Those of `cells` whose model is our own.
        missing : list of str
            Those of `cells` without one.
        """
        wanted = sorted(set(cells))
        missing = [cell for cell in wanted if cell not in self.known]
        found: dict[str, str] = {}
        todo = [cell for cell in wanted if cell in self.known]
        while todo:
            cell = todo.pop()
            if cell not in found:
                found[cell] = self.known[cell]
                words = set(re.findall(r"\w+", found[cell]))
                todo += [name for name in self.known if name in words and name not in found]
        text = "\n".join(found[name] for name in sorted(found))
        return text, [cell for cell in wanted if cell in self.own], missing


def _modules(text: str) -> dict[str, str]:
    """Modules with a body, by name."""
    text = re.sub(r"^`file_(?:push|pop).*\n", "", text, flags=re.M)
    text = _SPECIFY.sub("", re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S))
    return {match[1]: match[0] for match in _MODULE.finditer(text) if _BODY.search(match[0])}
