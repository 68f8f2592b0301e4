"""Which mutants of a design are no mutants: shown by SAT to do the same in every state.

``python -m pimlico.sim.equivalence FOLDER`` reads ``question.json`` and the sound design in the
folder, and leaves ``equivalent.json`` there.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pimlico.generators.verilog import Emitted

from .mutants import SOUND, Mutant
from .yosys import call_yosys

TIMEOUT = 20
"""Seconds for one mutant, after which it counts as different."""


def equivalent(design: Emitted, mutants: Iterable[Mutant], folder: Path) -> set[int]:
    """Numbers of those mutants that do what the design does, for all inputs and in all states.

    The outputs and the next state are compared, from any state, reachable or not; payloads
    while their valid is 1; and where the design leaves a value open, any will do. So what is
    shown here is equivalent, but not all that is equivalent is shown: a mutant that differs in
    states that are never reached is not.

    Parameters
    ----------
    design : Emitted
        Before it was mutated.
    mutants : iterable of Mutant
    folder : Path
        Where `mutate` worked.

    Raises
    ------
    ToolError
        If Yosys fails.
    """
    valid = {port.stream: port.name for port in design.ports if port.role == "tvalid"}
    payloads = {port.name: valid[port.stream] for port in design.ports
                if port.direction == "output" and port.role in ("tdata", "tlast")}
    question = {"payloads": payloads,
                "commands": {each.number: each.command for each in mutants}}
    if not question["commands"]:
        return set()
    (folder / "question.json").write_text(json.dumps(question))
    result = call_yosys(__name__, folder, "equivalent.json", "compare the mutants by SAT")
    return set(json.loads(result.read_text()))


class _Comparison:
    """A mutant beside the sound design, registers and memories taken out of both."""

    def __init__(self, folder: Path, payloads: dict[str, str]):
        from pyosys import libyosys

        self._ys: Any = libyosys
        self._folder, self._payloads = folder, payloads
        self._design = libyosys.Design()
        self._prepare("gold")

    def _run(self, *commands: str) -> None:
        for command in commands:
            self._ys.run_pass(command, self._design)

    def _prepare(self, name: str, *changes: str) -> None:
        self._run("design -reset", f"read_rtlil {self._folder / SOUND}", *changes)
        module = self._design.top_module()
        self._show_payloads_when_valid(module)
        self._cut_state(module)
        self._run(f"rename {module.name.str()} {name}", "opt_clean -purge",
                  f"design -stash {name}")

    def _show_payloads_when_valid(self, module: Any) -> None:
        ys = self._ys
        for name, valid in self._payloads.items():
            inner = module.wire(ys.IdString(f"\\{name}"))
            inner.port_output = False
            module.rename(inner, ys.IdString(f"\\{name}_anyway"))
            shown = module.addWire(ys.IdString(f"\\{name}"), inner.width)
            shown.port_output = True
            module.addMux(ys.IdString(f"\\{name}_shown"), ys.SigSpec(ys.Const(0, inner.width)),
                          ys.SigSpec(inner), ys.SigSpec(module.wire(ys.IdString(f"\\{valid}"))),
                          ys.SigSpec(shown))
        module.fixup_ports()

    def _cut_state(self, module: Any) -> None:
        """Registers and memories become inputs and outputs, by the same names in both."""
        ys = self._ys
        cells = [cell for cell in module.cells_.values()
                 if cell.type.str() in ("$dff", "$mem_v2")]
        for number, cell in enumerate(sorted(cells, key=lambda cell: cell.name.str())):
            for port, bits in list(cell.connections_.items()):
                if not bits.size():
                    continue
                wire = module.addWire(ys.IdString(f"\\state{number}_{port.str()[1:]}"), bits.size())
                if cell.output(port):
                    wire.port_input = True
                    module.connect(bits, ys.SigSpec(wire))
                else:
                    wire.port_output = True
                    module.connect(ys.SigSpec(wire), bits)
            module.remove(cell)
        module.fixup_ports()

    def same(self, command: str) -> bool:
        """Whether the mutant that a command makes does what the sound design does."""
        self._prepare("gate", re.sub(r" -ctrl \S+ \S+ \S+", "", command))
        log = self._folder / "sat"
        self._run("design -reset", "design -copy-from gold -as gold gold",
                  "design -copy-from gate -as gate gate",
                  "miter -equiv -flatten -ignore_gold_x gold gate miter", "hierarchy -top miter",
                  "opt_merge", "opt_clean",
                  f"tee -q -o {log} sat -prove trigger 0 -set-def-inputs -enable_undef "
                  f"-timeout {TIMEOUT} miter")
        return "SUCCESS!" in log.read_text()


def _answer(folder: Path, payloads: dict[str, str], commands: dict[str, str]) -> Sequence[int]:
    comparison = _Comparison(folder, payloads)
    return [int(number) for number, command in commands.items() if comparison.same(command)]


if __name__ == "__main__":
    # Yosys never returns to the interpreter inside a pass, where ^C would be seen
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _folder = Path(sys.argv[1])
    _question = json.loads((_folder / "question.json").read_text())
    (_folder / "equivalent.json").write_text(json.dumps(list(_answer(_folder, **_question))))
