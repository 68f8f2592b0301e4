"""A core behind AXI4-Lite: commands, replies and status in registers, bulk streams as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Instance, Module, Signal

from pimlico.hdl.axil.bank import RegisterBank
from pimlico.hdl.axil.registers import RegisterMap
from pimlico.hdl.axil.slave import ACCESS, AXI, AxilSlave
from pimlico.hdl.bridge.config import fingerprint
from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.parts import place
from pimlico.hdl.common.ports import Stream

from .block import Block
from .verilog import Emitted, Reset, TopPort, clock_and_reset, emit_top, top_ports

PREFIX = "s_axil"
_PROTECTION = ("awprot", "arprot")


@dataclass(frozen=True)
class Axil:
    """The wrapper of a core: its Verilog, which has an instance of the core's top, and its map."""

    emitted: Emitted
    registers: RegisterMap


def wrap(block: Block, config: BlockConfig, core: Emitted, kept: Sequence[str] = ()) -> Axil:
    """The AXI4-Lite wrapper of a core, called ``<top>_axil``.

    Parameters
    ----------
    block, config
        What the core was emitted from.
    core : Emitted
    kept : sequence of str
        Ports that stay as they are, besides the bulk streams.

    Raises
    ------
    ConfigError
        If the registers do not fit in the wrapper's address space, or `kept` names no port.
    ToolError
        If Yosys rejects the design.
    """
    identity = fingerprint(block.name, json.dumps(config.model_dump(mode="json")), config.ports)
    registers = RegisterMap(config.ports, int.from_bytes(identity[:4], "little"), kept)
    top = AxilTop(core, registers)
    return Axil(emit_top(f"{core.top}_axil", top, top.signals, top.ports, core), registers)


def bus_ports() -> list[TopPort]:
    """The AXI4-Lite ports of the wrapper. ``awprot`` and ``arprot`` are there, and ignored."""
    ports = []
    for name, member in AXI.items():
        if name.endswith("valid") and f"{name[:2]}prot" in _PROTECTION:
            ports.append(TopPort(f"{PREFIX}_{name[:2]}prot", "input", 3, None, "wire"))
        ports.append(TopPort(f"{PREFIX}_{name}", "input" if member.is_port and member.flow.name
                             == "In" else "output", member.shape, None, "wire"))
    return ports


class AxilTop(Elaboratable):
    """The wrapper's top: the bus, the registers, and an instance of the emitted core."""

    def __init__(self, core: Emitted, registers: RegisterMap):
        self.core, self.registers = core, registers
        reset: Reset = "high" if core.ports[1].name == "rst" else "active-low"
        self.ports = clock_and_reset(reset) + bus_ports()
        for port in registers.outside:
            self.ports += top_ports(port)
        self._signal = {port.name: Signal(port.width, name=port.name) for port in self.ports}
        self.signals = list(self._signal.values())

    def elaborate(self, platform):
        m = Module()
        signal = self._signal
        m.domains.sync = domain = ClockDomain()
        m.d.comb += domain.clk.eq(signal["clk"])
        m.d.comb += domain.rst.eq(signal["rst"] if "rst" in signal else ~signal["aresetn"])
        slave, bank = AxilSlave(), RegisterBank(self.registers)
        m.submodules.slave, m.submodules.registers = place(platform, slave), place(platform, bank)
        for name, member in AXI.items():
            inside, outside = getattr(slave, name), signal[f"{PREFIX}_{name}"]
            m.d.comb += (inside.eq(outside) if member.flow.name == "In" else outside.eq(inside))
        for name, member in ACCESS.items():
            ends = getattr(bank, name), getattr(slave, name)
            sink, source = ends if member.flow.name == "Out" else ends[::-1]
            m.d.comb += sink.eq(source)
        pins = {}
        for port in self.core.ports:
            pins[port.name] = signal.get(port.name)
        pins |= {"clk": ClockSignal(), self.core.ports[1].name: signal[self.core.ports[1].name]}
        for port in self.registers.narrow:
            pins |= self._behind_registers(m, bank, port)
        m.submodules.core = Instance(self.core.top, **{
            f"{'i' if port.direction == 'input' else 'o'}_{port.name}": pins[port.name]
            for port in self.core.ports})
        return m

    @staticmethod
    def _behind_registers(m, bank, port):
        """The core's pins of a narrow port, joined to the bank."""
        end = getattr(bank, port.name)
        pins = {}
        for pin in top_ports(port):
            pins[pin.name] = outer = Signal(pin.width, name=pin.name)
            if not isinstance(port, Stream):
                inner = end
            elif pin.role == "tdata":
                inner = end.payload
            else:
                inner = end.valid if pin.role == "tvalid" else end.ready
            # only tdata differs in width: it is padded to whole bytes
            m.d.comb += outer.eq(inner) if pin.direction == "input" else inner.eq(outer)
        return pins
