"""Which rows of the running pass's sequence hold something: a bit a row, without a sweep."""

from __future__ import annotations

from amaranth.hdl import Array, C, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ram import memory

from .config import GROUP, KvConfig, count
from .scaled import scaled


class Validity(wiring.Component):
    """The validity bit of the current row, rewritten as the row is left.

    Rows are visited in order, from the first, in every pass. A bit means something only up to
    the sequence's `reach`, the last row visited since the last layer 0; so the bits need no
    clearing, and no initial value.

    ``load`` begins a pass over the sequence `of`, `anew` with layer 0; ``step`` leaves the
    current row `row`, valid or not as `ok` says. ``valid`` is of the current row, from the cycle
    after `load` or `step` on.

    Few bits are in LUT RAM, a group of rows a word: read with the group's first row, kept, and
    written again, a cycle late, after each. Many are in a block RAM, a bit a word. Both are read
    a row ahead, for `next_row`, which at `load` is 1.
    """

    part_name = "validity"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({
            "load": In(1), "of": In(config.sequence_bits), "anew": In(1),
            "row": In(count(config.tokens)), "next_row": In(config.row_bits),
            "step": In(1), "ok": In(1), "valid": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        new_row = Signal()
        reach = self._reach(m, new_row)
        beyond = Signal()
        m.d.sync += beyond.eq(Mux(self.load, self.anew, beyond | self.step & (self.row == reach)))
        m.d.comb += new_row.eq(self.step & beyond)
        bit = self._groups(m) if self.config.few_rows else self._bits(m)
        m.d.comb += self.valid.eq(~beyond & bit)
        return m

    def _reach(self, m: Module, new_row: Signal) -> Signal:
        """The last row visited since layer 0: it moves to each row beyond it."""
        config = self.config
        reach = Signal(count(config.tokens), name="reach", reset_less=True)
        if config.sequences > 1:
            m.submodules.reaches = reaches = memory(len(reach), config.sequences)
            read, write = reaches.read_port(domain="comb"), reaches.write_port()
            current = Signal(count(config.sequences), name="current", reset_less=True)
            m.d.comb += [read.addr.eq(self.of), write.addr.eq(current),
                         write.data.eq(self.row), write.en.eq(new_row)]
            with m.If(self.load):
                m.d.sync += [reach.eq(read.data), current.eq(self.of)]
        with m.If(new_row):
            m.d.sync += reach.eq(self.row)
        return reach

    def _groups(self, m: Module) -> Value:
        config = self.config
        groups = -(-config.tokens // GROUP)
        m.submodules.bits = bits = memory(GROUP, max(2, config.sequences * groups))
        read, write = bits.read_port(domain="comb"), bits.write_port()
        first: Value = C(0)
        if config.sequences > 1:
            base = Signal.like(read.addr, name="base", reset_less=True)
            first = Signal.like(read.addr, name="first_group")
            m.d.comb += first.eq(Mux(self.load, scaled(self.of, groups, len(base)), base))
            m.d.sync += base.eq(first)
        here = Signal.like(read.addr, name="here", reset_less=True)
        position = self.row[:2]
        word = Signal(GROUP, reset_less=True)
        rewritten = Signal(GROUP)
        m.d.comb += [
            read.addr.eq(first + self.next_row[2:]),
            rewritten.eq(Cat(*(Mux(position == bit, self.ok, word[bit]) for bit in range(GROUP)))),
        ]
        change = Signal()
        bit = Signal(name="old_bit", reset_less=True)
        m.d.comb += change.eq(self.load | (position == GROUP - 1))
        with m.If(self.load | self.step):
            m.d.sync += [word.eq(Mux(change, read.data, rewritten)), here.eq(read.addr),
                         bit.eq(Mux(change, read.data[0], Array(word[1:])[position]))]
        written = Signal()
        m.d.sync += [written.eq(self.step), write.addr.eq(here), write.data.eq(rewritten)]
        m.d.comb += write.en.eq(written)
        return bit

    def _bits(self, m: Module) -> Value:
        config = self.config
        kind = "auto" if config.memory == "spram" else "block"
        m.submodules.bits = bits = memory(1, config.sequences * config.tokens, kind)
        read, write = bits.read_port(domain="comb"), bits.write_port()
        at = Signal.like(read.addr, name="at", reset_less=True)
        bit = Signal(name="old_bit", reset_less=True)
        m.d.comb += [
            write.addr.eq(at), write.data.eq(self.ok), write.en.eq(self.step),
            read.addr.eq(Mux(self.load, scaled(self.of, config.tokens, len(at)), at + 1)),
        ]
        with m.If(self.load | self.step):
            m.d.sync += [at.eq(read.addr), bit.eq(read.data)]
        return bit
