"""Results that wait to be taken."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.ram import memory


class Queue(Component):
    """A first-in first-out memory that is never offered more than it holds. Latency one cycle.

    Parameters
    ----------
    width, depth : int

    Attributes
    ----------
    put : In(1)
    word : In
    o : stream
    """

    def __init__(self, width: int, depth: int):
        self.depth = depth
        super().__init__({"put": In(1), "word": In(width), "o": Out(stream.Signature(width))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = memory(len(self.word), self.depth)
        store, fetch = words.write_port(), words.read_port(domain="comb")
        head = Signal(range(self.depth))
        tail = Signal(range(self.depth))
        level = Signal(range(self.depth + 1))
        take = Signal()
        m.d.comb += [
            store.addr.eq(tail), store.data.eq(self.word), store.en.eq(self.put),
            fetch.addr.eq(head), self.o.payload.eq(fetch.data), self.o.valid.eq(level != 0),
            take.eq(self.o.valid & self.o.ready),
        ]
        for pointer, moves in ((tail, self.put), (head, take)):
            with m.If(moves):
                m.d.sync += pointer.eq(pointer + 1)
                if self.depth & self.depth - 1:
                    with m.If(pointer == self.depth - 1):
                        m.d.sync += pointer.eq(0)
        m.d.sync += level.eq(level + self.put - take)
        return m
