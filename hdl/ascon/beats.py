"""Between beats of a stream and the blocks of 128 bits that the sponge takes and gives."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .sponge import RATE


class Gather(wiring.Component):
    """The blocks of a page, from its beats, and the padded block that ends its text.

    Beats narrower than a block are shifted into place, all but the last of a block, which is
    taken from the stream as the block is; wider ones stay on the stream while their blocks are
    taken in turn. So ``block`` is there in the cycle in which its last beat is offered.

    ``wanted``: the block is taken in this cycle if ``complete``. ``padded``: the block to come
    is the rest of the text, `tail` bits, padded; what of it is not text takes no beats.

    Parameters
    ----------
    beat_width : int
        In bits: 32, 64 or a multiple of 128.
    tail : int
        Bits of the text that are no whole block.
    """

    def __init__(self, beat_width: int, tail: int):
        self.beat_width, self.tail = beat_width, tail
        self.part_name = f"gather_{beat_width}_{tail}"
        super().__init__({
            "i": In(stream.Signature(beat_width)), "padded": In(1), "wanted": In(1),
            "complete": Out(1), "block": Out(RATE),
        })

    def elaborate(self, platform):
        m = Module()
        if self.beat_width < RATE:
            self._collect(m)
        else:
            self._select(m)
        return m

    def _collect(self, m: Module) -> None:
        width = self.beat_width
        beats, tail = RATE // width, self.tail // width
        held = Signal(range(beats))
        collected = Signal(RATE - width, reset_less=True)
        ends = Signal()
        padding = Signal()
        offered = Signal()
        beat = Signal(width)
        m.d.comb += [
            ends.eq(held == beats - 1),
            padding.eq(self.padded & (held >= tail)),
            offered.eq(self.i.valid | padding),
            beat.eq(Mux(padding, held == tail, self.i.payload)),
            self.block.eq(Cat(collected, beat)),
            self.complete.eq(offered & ends),
            self.i.ready.eq(~padding & (~ends | self.wanted)),
        ]
        with m.If(offered & (~ends | self.wanted)):
            m.d.sync += [held.eq(held + 1), collected.eq(Cat(collected, beat)[width:])]

    def _select(self, m: Module) -> None:
        parts = self.beat_width // RATE
        part: Value = C(1)
        ends: Value = C(1)
        if parts > 1:
            part = Signal(parts, init=1, name="part")
            ends = part[-1]
            with m.If(self.wanted & self.complete & ~self.padded):
                m.d.sync += part.eq(part.rotate_left(1))
        chosen: Value = C(0, RATE)
        for number in range(parts):
            chosen = chosen | Mux(part[number], self.i.payload.word_select(number, RATE), 0)
        m.d.comb += [
            self.block.eq(Mux(self.padded, 1, chosen)),
            self.complete.eq(self.i.valid | self.padded),
            self.i.ready.eq(self.wanted & ends & ~self.padded),
        ]


class Spread(wiring.Component):
    """Beats of the blocks that come out of the sponge.

    ``load`` takes ``block``, of which the last of a text, ``padded``, has only `tail` bits; not
    while ``full``, which is when a beat is on offer. A beat is on offer in the cycle after its
    last block.

    Parameters
    ----------
    beat_width, tail : int
        As for `Gather`.
    """

    def __init__(self, beat_width: int, tail: int):
        self.beat_width, self.tail = beat_width, tail
        self.part_name = f"spread_{beat_width}_{tail}"
        super().__init__({
            "load": In(1), "padded": In(1), "block": In(RATE), "full": Out(1),
            "o": Out(stream.Signature(beat_width)),
        })

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.full.eq(self.o.valid)
        if self.beat_width < RATE:
            self._shift(m)
        else:
            self._assemble(m)
        return m

    def _shift(self, m: Module) -> None:
        width = self.beat_width
        beats, tail = RATE // width, self.tail // width
        left = Signal(range(beats + 1))
        rest = Signal(RATE, reset_less=True)
        m.d.comb += [self.o.valid.eq(left != 0), self.o.payload.eq(rest[:width])]
        with m.If(self.load):
            m.d.sync += [rest.eq(self.block), left.eq(Mux(self.padded, tail, beats))]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [rest.eq(rest[width:]), left.eq(left - 1)]

    def _assemble(self, m: Module) -> None:
        parts = self.beat_width // RATE
        ends: Value = C(1)
        if parts > 1:
            part = Signal(parts, init=1, name="part")
            ends = part[-1]
            with m.If(self.load):
                m.d.sync += part.eq(part.rotate_left(1))
        m.d.sync += self.o.valid.eq(self.load & ends | self.o.valid & ~self.o.ready)
        with m.If(self.load):
            m.d.sync += self.o.payload.eq(Cat(self.o.payload, self.block)[RATE:])
