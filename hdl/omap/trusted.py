"""Memories of the trusted side: on the chip, or behind ports of the block."""

from collections.abc import Iterable, Sequence

from amaranth.hdl import Module, Signal, ValueLike
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.ram import Kind, Ram

from .config import OmapConfig

DEEP = 512
"""Words above which a memory must be block RAM: Yosys would make LUT RAM of deep memories with
one port for UltraScale+, and fails."""


def kind(depth: int) -> Kind:
    """The memory to ask for."""
    return "block" if depth > DEEP else "auto"


class TrustedRam(Component):
    """A memory with one port and a register behind its output. Latency two cycles.

    With ``enable`` a word is read, or with ``write`` as well stored. ``q`` keeps the word that
    was read last.

    Parameters
    ----------
    width, depth : int
    """

    def __init__(self, width: int, depth: int):
        self.depth = depth
        super().__init__({"address": In(range(max(2, depth))), "enable": In(1), "write": In(1),
                          "data": In(width), "q": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram = ram = Ram(len(self.data), max(2, self.depth), kind(self.depth))
        word = Signal(len(self.q), reset_less=True)
        m.d.comb += [ram.address.eq(self.address), ram.enable.eq(self.enable),
                     ram.write.eq(self.write), ram.data.eq(self.data), self.q.eq(word)]
        m.d.sync += word.eq(ram.q)
        return m


class TrustedPort:
    """The wires of a trusted memory behind a port, named as the ports of the block.

    A word stored in a cycle is seen by a read in the next. ``q`` has the word of a read
    `trusted_latency` cycles later, and keeps it until that of the next read is there. Reads may
    follow each other in every cycle.

    Parameters
    ----------
    name : str
    words, bits : int
    """

    def __init__(self, name: str, words: int, bits: int):
        self.address = Signal(range(words), name=f"{name}_address")
        self.enable = Signal(name=f"{name}_enable")
        self.write = Signal(name=f"{name}_write")
        self.data = Signal(bits, name=f"{name}_data")
        self.q = Signal(bits, name=f"{name}_q")


class TrustedMemories:
    """Some of the configuration's trusted memories, by name.

    Parameters
    ----------
    config : OmapConfig
    names : iterable of str
        Of ``config.memories``.

    Attributes
    ----------
    ports : dict of str to TrustedPort
        Those behind ports, for the top to connect; none if they are on the chip.
    """

    def __init__(self, config: OmapConfig, names: Iterable[str]):
        self._shapes = {name: config.memories[name] for name in names}
        self.ports = {name: TrustedPort(name, *shape) for name, shape in self._shapes.items()} \
            if config.trusted == "port" else {}

    def place(self, m: Module) -> Sequence[TrustedRam | TrustedPort]:
        """The memories in the order of their names; in `m`, if they are on the chip."""
        if self.ports:
            return list(self.ports.values())
        rams = []
        for name, (words, bits) in self._shapes.items():
            m.submodules[name] = ram = TrustedRam(bits, words)
            rams.append(ram)
        return rams

    def when(self, needed: ValueLike) -> ValueLike:
        """When to read or write: a memory on the chip reads in every other cycle, too, so that
        nothing in it waits for a late signal."""
        return needed if self.ports else 1
