"""Between packets of bytes and the padded blocks of 128 bits that the sponge takes and gives."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .config import AsconConfig
from .sponge import RATE


class Intake(wiring.Component):
    """The blocks of a message: those of the packet on ``ad``, then those of ``text``.

    While ``open`` it shifts beats into place, all but the last of a block, which is taken from
    its stream as the block is: in a cycle in which the block is ``wanted`` and ``complete``. A
    packet of associated data without a byte makes no block: ``skip`` says that this is what
    is taken. All others end with a block that is ``padded``, and may be nothing but
    padding. Bytes that a beat does not have are not looked at.

    Of a block, ``mask`` has the bytes that are of the packet, and ``beats`` is the number of
    beats that they came in, the last of them with ``size`` bytes and ``last`` if it ended the
    packet. ``of_text``: the block to come is one of text. ``malformed``: a beat is taken that
    does not say how many bytes it has as it must.

    Parameters
    ----------
    config : AsconConfig
    """

    part_name = "intake"

    def __init__(self, config: AsconConfig):
        self.config = config
        beat = stream.Signature(config.beat_bits + config.size_bits + 1)
        super().__init__({
            "ad": In(beat), "text": In(beat), "open": In(1), "wanted": In(1),
            "complete": Out(1), "skip": Out(1), "block": Out(RATE), "mask": Out(RATE // 8),
            "padded": Out(1), "of_text": Out(1), "malformed": Out(1),
            "beats": Out(range(config.block_beats + 1)), "size": Out(config.size_bits),
            "last": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        of_text = Signal(name="text_turn")
        begun = Signal()  # a beat of the packet has been taken
        over = Signal()  # the last one has, and the padded block is to come
        pad_begun = Signal()  # with the byte that begins the padding
        ends = Signal()  # the beat completes the block
        valid = Signal()
        payload = Signal(len(self.ad.payload))
        m.d.comb += [
            self.of_text.eq(of_text),
            valid.eq(Mux(of_text, self.text.valid, self.ad.valid)),
            payload.eq(Mux(of_text, self.text.payload, self.ad.payload)),
        ]
        data, said, last = _parts(payload, config)
        short = Signal()
        ready = Signal()
        takes = Signal()
        step = Signal()
        m.d.comb += [
            short.eq(last & ~said[-1]),
            ready.eq(self.open & ~over & (~ends | self.wanted)),
            self.ad.ready.eq(ready & ~of_text),
            self.text.ready.eq(ready & of_text),
            takes.eq(ready & valid),
            step.eq(takes | self.open & over & (~ends | self.wanted)),
            self.skip.eq(~of_text & ~begun & ~over & last & (said == 0)),
            self.complete.eq(ends & (valid | over)),
            self.padded.eq(over | short),
            self.malformed.eq(takes & Mux(said[-1], said[:-1] != 0, ~last)),
            self.last.eq(over | last),
        ]

        beat = Signal(config.beat_bits)
        inside = Signal(config.beat_bytes)
        pads = Signal(config.beat_bytes)
        m.d.comb += [
            inside.eq(Cat(~over & (~short | (said > byte)) for byte in range(len(inside)))),
            pads.eq(Mux(over, ~pad_begun,
                        Cat(short & (said == byte) for byte in range(len(pads))))),
            beat.eq(Cat(Cat(pads[byte] | inside[byte] & data[8 * byte],
                            data[8 * byte + 1:8 * byte + 8] & inside[byte].replicate(7))
                        for byte in range(len(inside)))),
        ]
        size_now = Signal.like(self.size)
        m.d.comb += size_now.eq(Mux(short, said, config.beat_bytes))
        if config.block_beats == 1:
            m.d.comb += [ends.eq(1), self.block.eq(beat), self.mask.eq(inside),
                         self.beats.eq(~over), self.size.eq(size_now)]
        else:
            number = self._collect(m, beat, inside, ends, step & ~self.skip)
            self._count(m, number, over, takes, ends & ~short, size_now)
        closes = Signal()  # the padded block is taken, or what stands for one
        m.d.comb += closes.eq(step & (ends & self.padded | self.skip))
        with m.If(takes):
            m.d.sync += [begun.eq(1), over.eq(last), pad_begun.eq(short)]
        with m.Elif(step):
            m.d.sync += pad_begun.eq(1)
        with m.If(closes):
            m.d.sync += [begun.eq(0), over.eq(0), of_text.eq(~of_text)]
        return m

    def _collect(self, m: Module, beat: Signal, inside: Signal, ends: Signal,
                 step: Value) -> Signal:
        """The block from its beats; returns the number of those collected before this one."""
        number = Signal(range(self.config.block_beats), name="beats_collected")
        collected = Signal(RATE - len(beat), reset_less=True)
        of_packet = Signal(RATE // 8 - len(inside), reset_less=True)
        m.d.comb += [ends.eq(number == self.config.block_beats - 1),
                     self.block.eq(Cat(collected, beat)), self.mask.eq(Cat(of_packet, inside))]
        with m.If(step):
            m.d.sync += [number.eq(number + 1), collected.eq(self.block[len(beat):]),
                         of_packet.eq(self.mask[len(inside):])]
        return number

    def _count(self, m: Module, number: Signal, over: Signal, takes: Signal, whole: Value,
               size: Signal) -> None:
        """The beats of the packet in a block, and the size of the last one, kept over padding.

        A `whole` block that ends its packet leaves none for the padded one.
        """
        beats = Signal.like(self.beats, name="last_beats", reset_less=True)
        last_size = Signal.like(size, name="last_size", reset_less=True)
        m.d.comb += [self.beats.eq(Mux(over, beats, self.config.block_beats)),
                     self.size.eq(Mux(over, last_size, size))]
        with m.If(takes):
            m.d.sync += [beats.eq(Mux(whole, 0, number + 1)), last_size.eq(size)]


class Outlet(wiring.Component):
    """The beats of the blocks that come out of the sponge.

    ``load`` takes a block of ``beats`` beats, of which the last one has ``size`` bytes and ends
    the packet if ``last``; not while ``full``. The first is on offer in the cycle after. Bytes
    that a beat does not have, which would tell of the sponge's state, are 0.

    Parameters
    ----------
    config : AsconConfig
    """

    part_name = "outlet"

    def __init__(self, config: AsconConfig):
        self.config = config
        super().__init__({
            "load": In(1), "block": In(RATE), "beats": In(range(config.block_beats + 1)),
            "size": In(config.size_bits), "last": In(1), "full": Out(1),
            "o": Out(stream.Signature(config.beat_bits + config.size_bits + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        width, whole = self.config.beat_bits, self.config.beat_bytes
        left = Signal.like(self.beats, name="beats_left")
        rest = Signal(RATE, reset_less=True)
        last_size = Signal.like(self.size, name="last_size", reset_less=True)
        last = Signal(name="ends_packet", reset_less=True)
        ends = Signal(name="last_beat")
        m.d.comb += [
            self.o.valid.eq(left != 0),
            self.full.eq(self.o.valid),
            ends.eq(last & (left == 1)),
            self.o.payload.eq(Cat(
                Cat(rest[8 * byte:8 * byte + 8] & (~ends | (last_size > byte)).replicate(8)
                    for byte in range(whole)),
                Mux(ends, last_size, whole), ends)),
        ]
        with m.If(self.load):
            m.d.sync += [rest.eq(self.block), left.eq(self.beats), last.eq(self.last),
                         last_size.eq(self.size)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += left.eq(left - 1)
            if width < RATE:
                m.d.sync += rest.eq(rest[width:])
        return m


def _parts(payload: Signal, config: AsconConfig) -> tuple[Value, Value, Value]:
    bits = config.beat_bits
    return payload[:bits], payload[bits:-1], payload[-1]
