"""A table that is built an entry a cycle, in two copies."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.adder_tree import add_onto
from pimlico.hdl.common.parts import place

from .config import TernaryConfig
from .fetch import Fetch

PORTS = 7
"""Most read ports of a LUT RAM that share its write port: of UltraScale+'s eight LUTs that
write together, one has the write address. Other families make a copy for each."""

LONE = 4
"""Most read ports left over for which a RAM each is smaller than one for `PORTS`."""


class SerialTable(wiring.Component):
    """Builds one copy of a mirror-halved table while K read ports use the other.

    `load` takes the activations, 0 for those outside of `mask`, and starts from a sum of 0.
    Each `build` adds or subtracts, by `subtract`, the one that `digit` marks, and stores the
    sum as `entry` of the copy `fill`. `values` are the entries at the indices in the copy
    `use`, combinational; 0 at index 0 and at an index above the table.

    With ``table = lutram`` copies are in memories with asynchronous read. The words of index 0
    and above the table are never written: they keep the zeros that the FPGA starts with.
    """

    part_name = "serial_table"

    def __init__(self, config: TernaryConfig):
        self.config = config
        self.index_bits = config.key_bits - 1
        super().__init__({
            "load": In(1),
            "mask": In(config.mu),
            "activations": In(config.mu * config.act_bits),
            "build": In(1),
            "digit": In(config.mu),
            "subtract": In(1),
            "entry": In(self.index_bits),
            "fill": In(1),
            "use": In(1),
            "indices": In(config.keys * self.index_bits),
            "values": Out(config.keys * config.entry_width),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        total = self._accumulate(m)
        keep = self._flip_flops if config.table == "ff" else self._memories
        m.d.comb += self.values.eq(Cat(*keep(m, platform, total)))
        return m

    def _accumulate(self, m: Module) -> Signal:
        """The next entry."""
        config = self.config
        width, bits = config.entry_width, config.act_bits
        held = [Signal(bits, name=f"activation_{digit}", reset_less=True)
                for digit in range(config.mu)]
        for digit, activation in enumerate(held):
            with m.If(self.load & ~self.mask[digit]):
                m.d.sync += activation.eq(0)
            with m.Elif(self.load):
                m.d.sync += activation.eq(self.activations.word_select(digit, bits))
        chosen = Signal(bits)
        m.d.comb += chosen.eq(reduce(or_, (
            activation & self.digit[digit].replicate(bits)
            for digit, activation in enumerate(held))))
        before = Signal(signed(width), reset_less=True)
        total = Signal(signed(width))
        m.d.comb += total.eq(add_onto(
            before, (chosen ^ self.subtract.replicate(bits)).as_signed(), self.subtract))
        with m.If(self.load):
            m.d.sync += before.eq(0)
        with m.Elif(self.build):
            m.d.sync += before.eq(total)
        return total

    def _indices(self) -> list[Value]:
        return [self.indices.word_select(key, self.index_bits)
                for key in range(self.config.keys)]

    def _flip_flops(self, m: Module, platform: object, total: Value) -> list[Value]:
        config = self.config
        entries = []
        for index in range(1, config.entries + 1):
            copies = [Signal(config.entry_width, name=f"entry_{copy}_{index}", reset_less=True)
                      for copy in range(2)]
            for copy, entry in enumerate(copies):
                with m.If(self.build & (self.fill == copy) & (self.entry == index)):
                    m.d.sync += entry.eq(total)
            entries.append(Mux(self.use, copies[1], copies[0]))
        used = Signal(config.entries * config.entry_width)
        m.d.comb += used.eq(Cat(*entries))
        values = []
        for key, index in enumerate(self._indices()):
            fetch = Fetch(config)
            m.submodules[f"fetch_{key}"] = place(platform, fetch)
            m.d.comb += [fetch.entries.eq(used), fetch.key.eq(Cat(index, C(0, 1)))]
            values.append(fetch.value)
        return values

    def _memories(self, m: Module, platform: object, total: Value) -> list[Value]:
        config = self.config
        indices = self._indices()
        values = []
        for first, size in groups(config.keys):
            ram = Memory(shape=config.entry_width, depth=2 << self.index_bits, init=[])
            m.submodules[f"copies_{first}"] = ram
            store = ram.write_port()
            m.d.comb += [store.addr.eq(Cat(self.entry, self.fill)), store.data.eq(total),
                         store.en.eq(self.build)]
            for index in indices[first:first + size]:
                port = ram.read_port(domain="comb")
                m.d.comb += port.addr.eq(Cat(index, self.use))
                values.append(port.data)
        return values


def groups(ports: int) -> list[tuple[int, int]]:
    """Read ports that share a memory: the first of each group, and their number."""
    found = []
    first = 0
    while first < ports:
        size = min(PORTS, ports - first) if ports - first > LONE else 1
        found.append((first, size))
        first += size
    return found
