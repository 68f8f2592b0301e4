"""Memories of the trusted side."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.ram import Kind, Ram

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
