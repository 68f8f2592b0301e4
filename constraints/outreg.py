"""Output registers of ECP5 block RAMs, which Yosys leaves unused.

A DP16KD gives its data 5.6 ns after the clock, and 0.8 ns after it from the register that it
has at each port's output (speed grade 6). So flip-flops that take all data of a port and do what
that register can do are moved into the RAM, as the vendor's tools do it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

Net = tuple[str, int]
"""Name of a wire and one of its bits; of a constant its value and -1."""

_ZERO, _ONE = ("0", -1), ("1", -1)
_DUAL_PORT = 18
"""Bits of a word up to which a RAM has two ports; above, it reads at B through both's outputs."""

_OR = 0xEEEE


@dataclass(frozen=True)
class _Control:
    """What a register obeys; `reset` makes it zero, whether enabled or not."""

    clock: Net
    falling: bool
    enable: Net
    reset: Net


def absorb(ys: Any, design: Any) -> None:
    """Move registers into the block RAMs of a flat netlist, made by ``synth_ecp5``.

    The flip-flops behind a port have its clock and one clock enable; each takes one bit, which
    nothing else takes; they begin with 0. They have the port's own reset, or else neither they
    nor the port have one, since the RAM resets its read latch and its output register by one
    signal; a port of 36 bits has none, for want of knowledge which of two signals it would be.
    The RAM resets the register only when that is enabled: where the LUT that makes the enable
    does not see to it, one more LUT does.

    Parameters
    ----------
    ys : module
        ``pyosys.libyosys``.
    design : Design
    """
    module = design.top_module()
    if any(cell.type.str() == "\\DP16KD" for cell in module.cells_.values()):
        ys.run_pass("opt_clean", design)  # then a net has one name at all cells
        _Netlist(ys, module).absorb()
        ys.run_pass("opt_clean", design)


class _Netlist:
    """A module, and what stands at each of its nets."""

    def __init__(self, ys: Any, module: Any):
        self.ys = ys
        self.module = module
        self.rams: list[Any] = []
        self.uses: Counter[Net] = Counter()
        self.registers: dict[Net, Any] = {}
        self.luts: dict[Net, Any] = {}
        self.enables: dict[tuple[Net, Net], Any] = {}
        for cell in module.cells_.values():
            kind = cell.type.str()
            self.uses.update(net for signal in cell.connections_.values()
                             for net in _nets(signal))
            if kind == "\\DP16KD":
                self.rams.append(cell)
            elif kind == "\\TRELLIS_FF":
                self.registers[self.net(cell, "DI")] = cell
            elif kind == "\\LUT4":
                self.luts[self.net(cell, "Z")] = cell
        for pair in module.connections_:
            self.uses.update(net for signal in pair for net in _nets(signal))
        self.uses.update((wire.name.str(), bit) for wire in map(module.wire, module.ports)
                         for bit in range(wire.width))

    def absorb(self) -> None:
        for ram in self.rams:
            wide = any(ram.getParam(self.id(f"DATA_WIDTH_{port}")).as_int() > _DUAL_PORT
                       for port in "AB")
            for port, outputs in [("B", "AB")] if wide else [("A", "A"), ("B", "B")]:
                self.absorb_port(ram, port, outputs)

    def absorb_port(self, ram: Any, port: str, outputs: str) -> None:
        """Move the register behind a port whose data come out at `outputs`."""
        names = [f"DO{letter}{bit}" for letter in outputs for bit in range(18)]
        data = {name: net for name in names
                if self.uses[net := self.net(ram, name)] > 1 and net != _ZERO}
        registers = {name: self.registers[net] for name, net in data.items()
                     if self.uses[net] == 2 and net in self.registers}
        controls = {self.control(register) for register in registers.values()}
        if not data or len(registers) < len(data) or len(controls) > 1:
            return
        control = controls.pop()
        reset = self.net(ram, f"RST{port}")
        resets = self.text(ram, "RESETMODE") == "SYNC" and len(outputs) == 1
        if control is None or (reset != _ZERO and not resets) or control != _Control(
                self.net(ram, f"CLK{port}"), self.text(ram, f"CLK{port}MUX") == "INV",
                control.enable, reset):
            return
        enable = self.enable(next(iter(registers.values())), control)
        for letter in outputs:
            ram.setParam(self.id(f"REGMODE_{letter}"), self.ys.Const("OUTREG"))
            ram.setPort(self.id(f"OCE{letter}"), enable)
        for name, register in registers.items():
            ram.setPort(self.id(name), register.getPort(self.id("Q")))
            self.module.remove(register)

    def control(self, register: Any) -> _Control | None:
        """What a flip-flop obeys; None where an output register cannot."""
        reset, enabled = self.net(register, "LSR"), self.text(register, "CEMUX")
        synchronous = reset == _ZERO or self.text(register, "SRMODE") == "LSR_OVER_CE"
        if (register.has_keep_attr() or self.text(register, "REGSET") != "RESET"
                or self.text(register, "LSRMUX") != "LSR" or not synchronous
                or enabled not in ("1", "CE")):
            return None
        return _Control(self.net(register, "CLK"), self.text(register, "CLKMUX") == "INV",
                        self.net(register, "CE") if enabled == "CE" else _ONE, reset)

    def enable(self, register: Any, control: _Control) -> Any:
        """The signal that enables an output register: that of `register`, and its reset."""
        ys, module = self.ys, self.module
        if control.enable == _ONE:
            return ys.SigSpec(ys.State.S1, 1)
        enable = register.getPort(self.id("CE"))
        if control.reset in (_ZERO, control.enable) or self.implied(control):
            return enable
        key = control.enable, control.reset
        if key not in self.enables:
            name = f"\\outreg_enable_{len(self.enables)}"
            self.enables[key] = either = ys.SigSpec(module.addWire(ys.IdString(name), 1))
            lut = module.addCell(ys.IdString(f"{name}_lut"), ys.IdString("\\LUT4"))
            lut.setParam(self.id("INIT"), ys.Const(_OR, 16))
            zero = ys.SigSpec(ys.State.S0, 1)
            for pin, signal in zip("ABCDZ", (enable, register.getPort(self.id("LSR")), zero, zero,
                                             either), strict=True):
                lut.setPort(self.id(pin), signal)
        return self.enables[key]

    def implied(self, control: _Control) -> bool:
        """Whether the LUT that makes the enable is 1 for every input with the reset."""
        if control.enable not in self.luts:
            return False
        lut = self.luts[control.enable]
        table = lut.getParam(self.id("INIT")).as_int()
        return any(self.net(lut, pin) == control.reset
                   and all(table >> row & 1 for row in range(16) if row >> place & 1)
                   for place, pin in enumerate("ABCD"))

    def net(self, cell: Any, port: str) -> Net:
        """The net at a port of one bit; 0 where it is open."""
        name = self.id(port)
        return next(_nets(cell.getPort(name)), _ZERO) if cell.hasPort(name) else _ZERO

    def text(self, cell: Any, parameter: str) -> str:
        name = self.id(parameter)
        return cell.getParam(name).decode_string() if cell.hasParam(name) else ""

    def id(self, name: str) -> Any:
        return self.ys.IdString(f"\\{name}")


def _nets(signal: Any) -> Any:
    for bit in signal.bits():
        yield (bit.wire.name.str(), bit.offset) if bit.is_wire() else (bit.data.name[1:], -1)
