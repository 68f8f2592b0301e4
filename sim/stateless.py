"""A design without its state: registers and memories are ports, by the same names in all copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .mutants import SOUND
from .reachable import begin_with, reset_values

OPEN = "open.il"
"""The sound design with what it leaves open as inputs."""
_ENABLES = {"RD_ADDR": "RD_EN", "WR_ADDR": "WR_EN", "WR_DATA": "WR_EN"}
"""Ports of a memory that mean something only while others are 1."""


class Stateless:
    """Makes copies of the sound design, changed or not, and keeps them in Yosys.

    Parameters
    ----------
    folder : Path
        Where `mutants.mutate` worked.
    payloads : dict of str to str
        The valid of each output that means something only then.
    reset : str
        The input.
    """

    def __init__(self, folder: Path, payloads: dict[str, str], reset: str):
        from pyosys import libyosys

        self._ys: Any = libyosys
        self._folder, self._payloads, self._reset = folder, payloads, reset
        self._design = libyosys.Design()
        self._numbers: dict[str, str] = {}
        """Names that registers and memories have as ports, by those of their cells."""
        self._at_once: list[str] = []
        """Of the memories with one port that reads without a clock."""
        self._run(f"read_rtlil {folder / SOUND}")
        self._open_inputs(self._design.top_module())
        self._run("setattr -unset init", f"write_rtlil {folder / OPEN}")

    def _run(self, *commands: str) -> None:
        for command in commands:
            self._ys.run_pass(command, self._design)

    def _open_inputs(self, module: Any) -> None:
        """What a module leaves open becomes inputs."""
        ys = self._ys
        self._run("setundef -undriven -anyseq")
        cells = [cell for cell in module.cells_.values() if cell.type.str() == "$anyseq"]
        for number, cell in enumerate(cells):
            bits = cell.connections_[ys.IdString("\\Y")]
            wire = module.addWire(ys.IdString(f"\\open{number}"), bits.size())
            wire.port_input = True
            module.remove(cell)
            module.connect(bits, ys.SigSpec(wire))
        module.fixup_ports()

    def _prepare(self, source: str, name: str, *changes: str, own: frozenset[int] = frozenset(),
                 begin: Mapping[str, str] | None = None) -> None:
        self._run("design -reset", f"read_rtlil {self._folder / source}", *changes)
        module = self._design.top_module()
        self._show_payloads_when_valid(module)
        self._cut_state(module, own, begin or {})
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
            when = ys.SigSpec(module.wire(ys.IdString(f"\\{valid}"))).to_sigbit_vector()
            self._show(module, ys.SigSpec(inner), list(when) * inner.width, shown)
        module.fixup_ports()

    def _show(self, module: Any, bits: Any, when: list[Any], shown: Any) -> None:
        """Bits where they mean something, else zeros."""
        ys = self._ys
        enable = ys.SigSpec()
        for bit in when:
            enable.append(ys.SigSpec(bit, 1))
        module.addBwmux(ys.IdString(f"{shown.name.str()}_shown"),
                        ys.SigSpec(ys.Const(0, shown.width)), bits, enable, ys.SigSpec(shown))

    def _cut_state(self, module: Any, own: frozenset[int], begin: Mapping[str, str]) -> None:
        """Registers and memories become inputs and outputs, by the same names in both, but for
        registers of its `own`, which begin as is given."""
        ys = self._ys
        cells = [cell for cell in module.cells_.values()
                 if cell.type.str() in ("$dff", "$mem_v2")]
        self._numbers, self._at_once = {}, []
        for number, cell in enumerate(sorted(cells, key=lambda cell: cell.name.str())):
            self._numbers[cell.name.str()] = f"state{number}"
            if cell.type.str() == "$mem_v2" and not self._parameter(cell, "RD_CLK_ENABLE") \
                    and self._parameter(cell, "RD_PORTS") == 1:
                self._at_once.append(f"state{number}")
            ports = {port.str()[1:]: bits for port, bits in list(cell.connections_.items())}
            outputs = {port.str()[1:] for port in cell.connections_ if cell.output(port)}
            if number in own:
                begin_with(ys, self._run, module, cell, begin[f"state{number}"])
                continue
            for port, bits in ports.items():
                if not bits.size():
                    continue
                wire = module.addWire(ys.IdString(f"\\state{number}_{port}"), bits.size())
                if port in outputs:
                    wire.port_input = True
                    module.connect(bits, ys.SigSpec(wire))
                    continue
                wire.port_output = True
                if port in _ENABLES:
                    self._show(module, bits, self._enables(
                        module, wire.name.str(), ports[_ENABLES[port]].to_sigbit_vector(),
                        bits.size(),
                        cell.parameters[ys.IdString(f"\\{port[:2]}_PORTS")].as_int()), wire)
                else:
                    module.connect(ys.SigSpec(wire), bits)
            module.remove(cell)
        module.fixup_ports()

    def _enables(self, module: Any, name: str, enable: list[Any], bits: int, ports: int
                 ) -> list[Any]:
        """For each bit of an address or of data of all ports, what enables it."""
        ys = self._ys
        if len(enable) == bits:
            return enable
        each: list[Any] = []
        for at in range(ports):
            size = len(enable) // ports
            some = ys.SigSpec()
            for bit in enable[at * size:(at + 1) * size]:
                some.append(ys.SigSpec(bit, 1))
            any_ = module.ReduceOr(ys.IdString(f"{name}_enable{at}"), some)
            each += [any_.to_sigbit_vector()[0]] * (bits // ports)
        return each

    def _parameter(self, cell: Any, name: str) -> int:
        return int(cell.parameters[self._ys.IdString(f"\\{name}")].as_int())

    def _after_reset(self, name: str) -> dict[str, str]:
        """What the registers of a module without state are after a reset."""
        self._run("design -reset", f"design -copy-from {name} {name}", f"hierarchy -top {name}")
        values = reset_values(self._ys, self._run, self._design.top_module(), self._reset)
        return {port[:-2]: bits for port, bits in values.items()
                if re.fullmatch(r"state\d+_D", port)}
