"""Which mutants of a design are no mutants: shown to do the same, by SAT and by ABC's pdr.

``python -m pimlico.sim.equivalence FOLDER`` reads ``question.json`` and the sound design in the
folder, and leaves ``equivalent.json`` there.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from pimlico.generators.verilog import Emitted

from .differences import Differences
from .mutants import SOUND, Mutant
from .reachable import constants, reset_values, shown
from .stateless import OPEN, Stateless
from .yosys import DONE, call_yosys

TIMEOUT = 8
"""Seconds for one question about a mutant, after which it counts as different."""

MOST_OWN = 6
"""Registers that a mutant may have of its own."""

_CUT = "cut.json"
"""The design with what it leaves open as inputs, registers and memories taken out."""


def equivalent(design: Emitted, mutants: Iterable[Mutant], folder: Path,
               progress: Callable[[int], object] = lambda done: None) -> set[int]:
    """Numbers of those mutants that do what the design does, for all inputs.

    The outputs and the next state of both are compared, payloads while their valid is 1, and
    ports of a memory while it is enabled. First in any state, reachable or not; where the design
    leaves a value open, any will do. Then in the states that the design itself can be in after a
    reset of a cycle, with any inputs and any contents of its memories and of the registers that
    have no reset. A mutant with the same outputs and next state in all of them is in the same
    states, and has the same outputs, forever. Then some registers, up to `MOST_OWN`, are the
    mutant's own: nothing else may differ. Last, or first where few registers may differ at all,
    marks of what may differ (`Differences`) are followed to where they would be seen. What is
    shown here is equivalent; not all that is equivalent is shown.

    Parameters
    ----------
    design : Emitted
        Before it was mutated.
    mutants : iterable of Mutant
    folder : Path
        Where `mutate` worked.
    progress : callable, optional
        Called now and then with the number of mutants that are settled.

    Raises
    ------
    ToolError
        If Yosys fails.
    """
    valid = {port.stream: port.name for port in design.ports if port.role == "tvalid"}
    payloads = {port.name: valid[port.stream] for port in design.ports
                if port.direction == "output" and port.role in ("tdata", "tlast")}
    reset = next((port.name for port in design.ports if port.role == "rst"), "")
    question = {"payloads": payloads, "reset": reset,
                "commands": {each.number: each.command for each in mutants}}
    if not question["commands"]:
        return set()
    (folder / "question.json").write_text(json.dumps(question))
    result = call_yosys(__name__, folder, "equivalent.json", "compare the mutants by SAT",
                        progress)
    return set(json.loads(result.read_text()))


class _Comparison(Stateless):
    """A mutant beside the sound design."""

    def __init__(self, folder: Path, payloads: dict[str, str], reset: str):
        super().__init__(folder, payloads, reset)
        self._prepare(SOUND, "gold")
        self._begin: dict[str, str] = {}
        if reset:
            self._prepare(OPEN, "gold_open")
            self._run("design -load gold_open", f"write_json {folder / _CUT}")
            self._cut = (folder / _CUT).read_text()
            self._begin = self._after_reset("gold_open")

    def same(self, command: str) -> bool:
        """Whether the mutant that a command makes does what the sound design does."""
        change = re.sub(r" -ctrl \S+ \S+ \S+", "", command)
        self._prepare(SOUND, "gate", change)
        self._miter("gold", "gate", "-ignore_gold_x")
        self._merge()
        log = self._folder / "sat"
        self._run(f"tee -q -o {log} sat -prove trigger 0 -set-def-inputs -enable_undef "
                  f"-timeout {TIMEOUT} miter")
        if "SUCCESS!" in log.read_text():
            return True
        if not self._begin:
            return False
        netlist, registers = self._marked(change)
        if registers is None:
            return self._never_shows(change)
        if len(registers) < len(self._begin) // 3:  # data: no two copies of all arithmetic
            return self._unseen(netlist, registers) or self._never_shows(change)
        return self._never_shows(change) or self._unseen(netlist, registers)

    def _marked(self, command: str) -> tuple[dict[str, Any], list[str] | None]:
        """The sound design with the marks of a mutant, and the registers that have some."""
        words = shlex.split(command.replace("\\", "\\\\"))
        given = {word[1:]: value for word, value in pairwise(words) if word.startswith("-")}
        where, port = given["cell"], given["port"].removeprefix("\\")
        netlist = json.loads(self._cut)
        module = netlist["modules"]["gold_open"]
        known = port in ("D", "Q") if where in self._numbers else \
            (where := where.removeprefix("\\")) in module["cells"]
        if not known:
            return netlist, None
        registers = Differences(module, self._at_once).mark(
            self._numbers.get(where, where), port, int(given["portbit"]), given["mode"],
            int(given.get("ctrlbit", 0)))
        module["netnames"] = {}
        module["ports"] = {
            name if name == "trigger" else
            f"{'in' if port['direction'] == 'input' else 'gold'}_{name}": port
            for name, port in module["ports"].items()}
        return netlist, registers

    def _unseen(self, netlist: dict[str, Any], registers: list[str]) -> bool:
        """Whether no mark is ever seen after a reset."""
        marked = self._folder / "marked.json"
        marked.write_text(json.dumps(netlist))
        self._run("design -reset", f"read_json {marked}", "hierarchy -top gold_open",
                  "design -save marked")
        module = self._design.top_module()
        for name in registers:
            wire = module.wire(self._ys.IdString(f"\\in_mark_{name}_Q"))
            wire.port_input = False
            module.connect(self._ys.SigSpec(wire),
                           self._ys.SigSpec(self._ys.Const(0, wire.width)))
        first = reset_values(self._ys, self._run, module, f"in_{self._reset}")
        self._run("design -load marked")
        begin = {f"mark_{name}": first[f"gold_mark_{name}_D"].replace("x", "1")
                 for name in registers}
        return self._shown({**self._begin, **begin}, ["trigger"]) == {}

    def _shown(self, begin: Mapping[str, str], watched: Collection[str]) -> dict[str, int] | None:
        return shown(self._ys, self._run, self._design.top_module(), begin, watched, self._folder,
                     TIMEOUT)

    def _never_shows(self, change: str) -> bool:
        """Whether no output ever differs after a reset.

        At first both have one state, and nothing of the next one may differ either. Then each
        has registers of its own, those where what goes into them was seen to differ, and so on.
        """
        own: frozenset[int] = frozenset()
        begin: dict[str, str] = {}
        while len(own) <= MOST_OWN:
            self._prepare(OPEN, "gold_own", own=own, begin=self._begin)
            self._prepare(OPEN, "gate", change, own=own, begin=begin)
            if not own:
                begin = self._after_reset("gate")
            self._miter("gold_own", "gate", "-make_outputs -make_outcmp")
            self._merge()
            watched = self._differences()
            self._run("design -save miter")
            # the design's own state may be anything, if that will do, or what comes after a reset
            if own and self._shown({}, watched) == {}:
                return True
            self._run("design -load miter")
            found = self._shown(self._begin, watched)
            if found == {}:
                return True
            # where none is found soon, any of those that may differ by the netlist
            first = found or dict.fromkeys(watched, 0)
            registers = {name: cycle for name, cycle in first.items()
                         if re.fullmatch(r"differs_state\d+_D", name)}
            others = min((first[name] for name in first.keys() - registers), default=None)
            if not registers or (found and others is not None
                                 and others <= min(registers.values())):
                return False
            own |= {int(name[13:-2]) for name in registers}
        return False

    def _differences(self) -> list[str]:
        """Outputs for what may differ in a miter."""
        module, names = self._design.top_module(), []
        for name, bits in constants(module).items():
            if name.startswith("cmp_") and bits != "1":
                names.append(f"differs_{name[4:]}")
                wire = module.addWire(self._ys.IdString(f"\\{names[-1]}"), 1)
                wire.port_output = True
                module.addNot(self._ys.IdString(f"\\not_{name}"),
                              self._ys.SigSpec(module.wire(self._ys.IdString(f"\\{name}"))),
                              self._ys.SigSpec(wire))
        module.fixup_ports()
        return names

    def _miter(self, gold: str, gate: str, options: str = "") -> None:
        self._run("design -reset", f"design -copy-from {gold} -as gold {gold}",
                  f"design -copy-from {gate} -as gate {gate}",
                  f"miter -equiv -flatten {options} gold gate miter", "hierarchy -top miter")

    def _merge(self) -> None:
        """Leave of a miter what differs."""
        self._run("opt_merge", "opt_clean")
        module = self._design.top_module()
        a, b, y = (self._ys.IdString(f"\\{port}") for port in "ABY")
        for cell in list(module.cells_.values()):
            if cell.type.str() != "$eqx":
                continue
            ports = cell.connections_
            if ports[a] == ports[b]:
                module.remove(cell)
                module.connect(ports[y], self._ys.SigSpec(self._ys.Const(1, 1)))
        self._run("opt_expr -keepdc", "opt_clean -purge")


def _answer(folder: Path, payloads: dict[str, str], reset: str, commands: dict[str, str]
            ) -> Sequence[int]:
    comparison = _Comparison(folder, payloads, reset)
    same = []
    with (folder / DONE).open("ab", buffering=0) as done:
        for number, command in commands.items():
            if comparison.same(command):
                same.append(int(number))
            done.write(b".")
    return same


if __name__ == "__main__":
    # Yosys never returns to the interpreter inside a pass, where ^C would be seen
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _folder = Path(sys.argv[1])
    _question = json.loads((_folder / "question.json").read_text())
    (_folder / "equivalent.json").write_text(json.dumps(list(_answer(_folder, **_question))))
