"""The registers themselves: commands kept until the core takes them, replies as they stand."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ports import Stream

from .registers import RegisterMap
from .slave import ACCESS


class RegisterBank(wiring.Component):
    """Registers before the narrow ports of a core; see `RegisterMap`.

    A command stays in its registers until the core takes it; writes to them, and a second push,
    are refused meanwhile. A reply stays at the core's port until it is popped; without one, its
    registers are refused. Of a refused access nothing is carried out, and a read gives 0.

    Parameters
    ----------
    registers : RegisterMap
    """

    part_name = "registers"

    def __init__(self, registers: RegisterMap):
        self.registers = registers
        members = {}
        for port in registers.narrow:
            shape = stream.Signature(port.width) if isinstance(port, Stream) else port.width
            # towards the core: what it takes as an input comes out here
            members[port.name] = Out(shape) if port.direction == "in" else In(shape)
        super().__init__({**{name: member.flip() for name, member in ACCESS.items()}, **members})

    def elaborate(self, platform):
        m = Module()
        kept, waits, free, pushed = {}, {}, {}, {}
        for port in self.registers.narrow:
            outside = getattr(self, port.name)
            if not isinstance(port, Stream):
                kept[port.name] = outside
                continue
            if port.direction == "out":
                kept[port.name], waits[port.name] = outside.payload, outside.valid
                continue
            kept[port.name] = payload = Signal(port.width, name=f"{port.name}_payload")
            waits[port.name] = waiting = Signal(name=f"{port.name}_waiting")
            free[port.name] = room = Signal(name=f"{port.name}_free")
            pushed[port.name] = push = Signal(name=f"{port.name}_pushed")
            m.d.comb += [outside.payload.eq(payload), outside.valid.eq(waiting),
                         room.eq(~waiting)]
            with m.If(push):
                m.d.sync += waiting.eq(1)
            with m.Elif(outside.ready):
                m.d.sync += waiting.eq(0)
        status = Cat((free if port.direction == "in" else waits)[port.name]
                     for port in self.registers.streams)
        asked = Signal()
        m.d.comb += asked.eq(self.write_data[0] & self.write_strobe[0])
        with m.Switch(self.write_word):
            for register in self.registers.registers:
                if register.access == "rw":
                    with m.Case(register.address // 4):
                        self._write(m, register, asked, kept, waits, free, pushed)
        with m.Switch(self.read_word):
            for register in self.registers.registers:
                with m.Case(register.address // 4):
                    self._read(m, register, kept, waits, status)
        return m

    def _write(self, m, register, asked, kept, waits, free, pushed):
        name = register.port.name
        if register.kind == "push":
            m.d.comb += [self.write_ok.eq(~asked | free[name]),
                         pushed[name].eq(self.write & asked & free[name])]
            return
        if register.kind == "pop":
            m.d.comb += [self.write_ok.eq(~asked | waits[name]),
                         getattr(self, name).ready.eq(self.write & asked)]
            return
        allowed = free[name] if register.kind == "payload" else Const(1)
        m.d.comb += self.write_ok.eq(allowed)
        for number in range(-(-register.width // 8)):
            low, high = 8 * number, min(8 * number + 8, register.width)
            with m.If(self.write & self.write_strobe[number] & allowed):
                m.d.sync += kept[name][register.lsb + low:register.lsb + high].eq(
                    self.write_data[low:high])

    def _read(self, m, register, kept, waits, status):
        def give(value):
            m.d.comb += [self.read_data.eq(value), self.read_ok.eq(1)]

        if register.kind == "identity":
            give(self.registers.identity)
        elif register.kind == "status":
            give(status)
        elif register.kind in ("push", "pop"):
            give(waits[register.port.name])
        else:
            value = kept[register.port.name][register.lsb:register.lsb + register.width]
            if register.kind == "payload" and register.port.direction == "out":
                with m.If(waits[register.port.name]):
                    give(value)
            else:
                give(value)
