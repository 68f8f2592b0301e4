"""The memory of the rows, stored as they come: what it takes and gives, and its two kinds."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ram import Ram

from .config import KvConfig, count


def store_signature(config: KvConfig) -> wiring.Signature:
    """Ports of a store: a beat enters the memory stage, then moves to the output register.

    ``room``: the memory stage is empty, or its beat moves on at this edge. ``enter``: at this edge
    a beat enters the memory stage. It is described by ``stream`` (its
    data are in ``data``, else in the memory), ``keep`` (only with ``enter``: streamed, and stored
    as well), ``bank``
    and ``offset`` (of its word), ``phase`` (its place in the word), ``row`` (its row's number
    among those of all sequences), ``first`` and ``ends`` (of its row) and ``broken`` (the beats
    of its row stored so far are void: the row will not be completed).
    ``load``: at this edge the beat in the memory stage moves to ``o``, as zeros with ``hole``.
    ``wipe``: at this edge ``o`` and the memory stage become zeros; comes with ``load`` and with
    an ``enter`` that is not ``stream``.
    ``settled``: every kept row may be read, from its first beat on.
    """
    return wiring.Signature({
        "room": In(1), "enter": In(1), "stream": In(1), "keep": In(1), "data": In(config.beat_bits),
        "bank": In(count(config.banks)), "offset": In(count(config.bank_words)),
        "phase": In(count(config.pack)), "row": In(count(config.sequences * config.tokens)),
        "first": In(1), "ends": In(1), "broken": In(1),
        "load": In(1), "hole": In(1), "wipe": In(1),
        "o": Out(config.beat_bits), "settled": Out(1),
    })


class _Banks:
    """The banks of a store: every access goes to one of them."""

    def __init__(self, m: Module, config: KvConfig, write_through: bool):
        self.rams = []
        for number in range(config.banks):
            ram = Ram(config.beat_bits, config.bank_words, config.memory, write_through)
            m.submodules[f"bank_{number}"] = ram
            self.rams.append(ram)

    def access(self, m: Module, store: wiring.Component, enable: Value, write: Value) -> Value:
        """Read or write a beat's word; returns what was read last."""
        for number, ram in enumerate(self.rams):
            here = store.bank == number if len(self.rams) > 1 else 1
            m.d.comb += [ram.address.eq(store.offset), ram.data.eq(store.data),
                         ram.enable.eq(enable & here), ram.write.eq(write & here)]
        if len(self.rams) == 1:
            return self.rams[0].q
        bank = Signal.like(store.bank, name="bank_read", reset_less=True)
        with m.If(enable):
            m.d.sync += bank.eq(store.bank)
        read = Signal(len(store.o), name="read")
        m.d.comb += read.eq(Array(ram.q for ram in self.rams)[bank])
        return read


class ThroughStore(wiring.Component):
    """Streamed beats go through the memory: what is written comes out of its read register.

    No multiplexer and no other register for a streamed beat. The output register and the
    memory's own are cleared together (``wipe``), which is how a block RAM with its output
    register does it; so no gate is needed to make zeros of a hole either. With one beat a row
    there is no beat to clear both in, and the output register is cleared alone.
    """

    part_name = "store"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__(store_signature(config))

    def elaborate(self, platform):
        m = Module()
        banks = _Banks(m, self.config, write_through=True)
        # off the path of `enter`: what is read while nothing enters is not used
        read = banks.access(m, self, self.room, self.keep)
        clear = self.load & self.hole
        if self.config.beats > 1:
            clear = self.wipe
            m.d.comb += [ram.wipe.eq(self.wipe) for ram in banks.rams]
        output = Signal(self.config.beat_bits, reset_less=True)
        with m.If(clear):
            m.d.sync += output.eq(0)
        with m.Elif(self.load):
            m.d.sync += output.eq(read)
        m.d.comb += [self.o.eq(output), self.settled.eq(1)]
        return m


class BypassStore(wiring.Component):
    """Streamed beats go round the memory, stored or not, through a register beside it."""

    part_name = "store"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__(store_signature(config))

    def elaborate(self, platform):
        m = Module()
        banks = _Banks(m, self.config, write_through=False)
        read = banks.access(m, self, self.enter & (self.keep | ~self.stream), self.keep)
        streamed = Signal()
        beside = Signal(self.config.beat_bits, reset_less=True)
        output = Signal(self.config.beat_bits, reset_less=True)
        with m.If(self.enter):
            m.d.sync += streamed.eq(self.stream)
            with m.If(self.stream):
                m.d.sync += beside.eq(self.data)
        with m.If(self.load):
            m.d.sync += output.eq(Mux(self.hole, 0, Mux(streamed, beside, read)))
        m.d.comb += [self.o.eq(output), self.settled.eq(1)]
        return m
