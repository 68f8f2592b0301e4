"""The memory of the rows, stored quantized."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from pimlico.hdl.common.ram import MARK, Ram, memory

from .config import KvConfig
from .packer import Packer
from .restore import Restorer
from .store import store_signature


class PackedStore(wiring.Component):
    """Streamed beats go round the memory, and into it in few bits; others are restored from it.

    A word is read when the first of its beats enters and stays in the memory's read register
    for the others. So reads are ``pack`` beats apart, 2 at least, and so are the words that the
    packer finishes: each fits in between, and the memories have a single port. (Only missing
    beats past the buffer's end come as first ones of a word again and again; they are holes,
    and read in every other cycle at most.)

    Once ``settled`` every row may be read, from its first beat on, although the last words may
    still be on their way: they are written no slower than read. ``wipe`` has no effect.
    """

    part_name = "store"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__(store_signature(config))

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.packer = packer = Packer(config)
        read = Signal()
        read_before = Signal()
        m.d.sync += read_before.eq(read)
        m.d.comb += [
            read.eq(self.enter & ~self.stream & (self.phase == 0) & ~read_before),
            packer.take.eq(self.keep), packer.data.eq(self.data),
            packer.first.eq(self.first), packer.ends.eq(self.ends),
            packer.bank.eq(self.bank), packer.offset.eq(self.offset), packer.row.eq(self.row),
            packer.hold.eq(read),
        ]
        to_go = Signal(range(config.settle_cycles + 1))
        with m.If(packer.take & self.ends):
            m.d.sync += to_go.eq(config.settle_cycles)
        with m.Elif(to_go.any()):
            m.d.sync += to_go.eq(to_go - 1)
        m.d.comb += self.settled.eq(~to_go.any())

        streamed = Signal()
        beside = Signal(config.beat_bits, reset_less=True)
        phase = Signal.like(self.phase, name="phase_entered", reset_less=True)
        output = Signal(config.beat_bits, reset_less=True)
        with m.If(self.enter):
            m.d.sync += [streamed.eq(self.stream), phase.eq(self.phase)]
            with m.If(self.stream):
                m.d.sync += beside.eq(self.data)
        m.submodules.restorer = restorer = Restorer(config)
        word = self._words(m, read, packer)
        beats = Array(word.word_select(number, len(restorer.levels))
                      for number in range(config.pack))
        zero, scale = self._described(m, packer)
        m.d.comb += [restorer.levels.eq(beats[phase]), restorer.zero.eq(zero),
                     restorer.scale.eq(scale)]
        with m.If(self.load):
            m.d.sync += output.eq(Mux(self.hole, 0, Mux(streamed, beside, restorer.data)))
        m.d.comb += self.o.eq(output)
        return m

    def _words(self, m: Module, read: Value, packer: Packer) -> Value:
        """The banks; returns the word read last."""
        config = self.config
        words = []
        for number in range(config.banks):
            ram = Ram(config.beat_bits, config.bank_words, config.memory)
            m.submodules[f"bank_{number}"] = ram
            reads, writes = read, packer.write
            if config.banks > 1:
                reads = read & (self.bank == number)
                writes = packer.write & (packer.word_bank == number)
            m.d.comb += [ram.address.eq(Mux(read, self.offset, packer.word_offset)),
                         ram.enable.eq(reads | writes), ram.write.eq(writes),
                         ram.data.eq(packer.word)]
            words.append(ram.q)
        if config.banks == 1:
            return words[0]
        bank = Signal.like(self.bank, name="bank_read", reset_less=True)
        with m.If(read):
            m.d.sync += bank.eq(self.bank)
        word = Signal(config.beat_bits)
        m.d.comb += word.eq(Array(words)[bank])
        return word

    def _described(self, m: Module, packer: Packer) -> tuple[Value, Value]:
        """The memory of zeros and scales; returns those of the row read last."""
        config = self.config
        described = Cat(packer.zero, packer.scale)
        m.submodules.descriptions = rows = memory(
            len(described), max(2, config.sequences * config.tokens),
            "auto" if config.memory == "auto" else "block")
        store, fetch = rows.write_port(), rows.read_port(domain="comb")
        held = Signal(len(described), name="description", reset_less=True, attrs={MARK: 1})
        m.d.comb += [store.addr.eq(packer.described), store.data.eq(described),
                     store.en.eq(packer.describe), fetch.addr.eq(self.row)]
        with m.If(self.enter & self.first):
            m.d.sync += held.eq(fetch.data)
        return held[:config.elem_width], held[config.elem_width:]
