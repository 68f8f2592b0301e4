"""The page cipher: Ascon-AEAD128 on pages of a fixed size, one after the other."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.parts import place

from .beats import Gather, Spread
from .config import PageShape
from .permutation import WORD
from .sponge import RATE, Sponge
from .walk import Walk


class PageCipher(wiring.Component):
    """Encrypts pages, or decrypts and verifies them, with address and version as the nonce.

    A page is `beats` beats, the first one first, its bytes from the low bits up. The last 128
    bits are the tag, all before them is text. The 16 bytes that are nonce and associated data
    both are the address and the version, each as 8 bytes, little-endian. So a version must not
    be used twice for an address under one key.

    ``start`` takes the address (low bits) and the version of a page, ``source`` its beats, and
    ``result`` gives as many. Encrypting, what comes in place of the tag is ignored and the tag
    goes out. Decrypting, zeros go out in its place, and ``verdict`` says once a page whether it
    was right: text goes out before that, and is not to be trusted until then. ``key`` must not
    change from the offer of a start to the last beat of its page.

    Every ready and valid comes of registers alone. A start is taken once its page's first
    permutation is done, and must stand as it is until then, as on any stream. Time depends on
    handshakes only, never on data. At r rounds a cycle a page of k whole blocks takes
    ``1 + 24/r + (2 + k) * 8/r`` cycles; beats of 32 and 64 bits may set the pace instead, see
    `PageShape.interval`. The first block is taken ``28/r`` cycles after the offer of the start, at
    the earliest, and comes out a cycle later. Source: NIST SP 800-232.

    Parameters
    ----------
    beat_width, beats, address_bits, version_bits, rounds_per_cycle : int
        As for `PageShape`.
    decrypt : bool
        Whether it decrypts, or encrypts.

    Raises
    ------
    ValueError
        If a parameter is none that `PageShape` takes.
    """

    def __init__(self, beat_width: int, beats: int, address_bits: int, version_bits: int,
                 rounds_per_cycle: int, decrypt: bool):
        self.page = PageShape(beat_width, beats, address_bits, version_bits, rounds_per_cycle)
        self.decrypt = decrypt
        ports = {
            "key": In(128),
            "start": In(stream.Signature(address_bits + version_bits)),
            "source": In(stream.Signature(beat_width)),
            "result": Out(stream.Signature(beat_width)),
        }
        if decrypt:
            ports["verdict"] = Out(stream.Signature(1))
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        page = self.page
        walk, sponge = Walk(page.blocks, page.tail), Sponge(page.rounds_per_cycle)
        gather = Gather(page.beat_width, page.tail)
        spread = Spread(page.beat_width, page.tail)
        for name, part in (("walk", walk), ("gather", gather), ("spread", spread),
                           ("sponge", sponge)):
            m.submodules[name] = place(platform, part)
        wiring.connect(m, wiring.flipped(self.source), gather.i)
        wiring.connect(m, spread.o, wiring.flipped(self.result))
        m.d.comb += [
            walk.start.eq(self.start.valid), walk.ends.eq(sponge.ends),
            walk.complete.eq(gather.complete), self.start.ready.eq(walk.ad),
            gather.padded.eq(walk.padded), gather.wanted.eq(walk.wanted),
            sponge.load.eq(walk.load), sponge.go.eq(walk.go), sponge.long.eq(walk.final_key),
            sponge.key.eq(self.key), sponge.nonce.eq(self._nonce()),
            sponge.separate.eq(walk.separate),
            sponge.key_low.eq(walk.final_key), sponge.key_high.eq(walk.ad | walk.tag_key),
            sponge.block.eq(Mux(walk.text, gather.block, 0) | Mux(walk.ad, sponge.nonce, 0)
                            | walk.pad),
        ]
        self._give(m, walk, gather, spread, sponge)
        return m

    def _give(self, m: Module, walk: Walk, gather: Gather, spread: Spread,
              sponge: Sponge) -> None:
        """Text or cipher, then the tag, or whether it is right."""
        blank = walk.padded if self.page.tail == 0 else C(0)  # a block of nothing but padding
        m.d.comb += [spread.load.eq(walk.taken & ~blank), spread.padded.eq(walk.padded)]
        if not self.decrypt:
            m.d.comb += [walk.room.eq(~spread.full),
                         spread.block.eq(Mux(walk.check, sponge.tag, sponge.sum))]
            return
        of_tail = walk.text & walk.padded
        whole = walk.text & ~walk.padded
        m.d.comb += [
            walk.room.eq(~spread.full & ~(walk.check & self.verdict.valid)),
            spread.block.eq(Mux(walk.check, 0, sponge.sum)),
            sponge.replace.eq(Cat(whole | (of_tail if byte < self.page.tail // 8 else C(0))
                                  for byte in range(RATE // 8))),
        ]
        with m.If(walk.check & walk.taken):
            m.d.sync += [self.verdict.payload.eq(gather.block == sponge.tag),
                         self.verdict.valid.eq(1)]
        with m.Elif(self.verdict.ready):
            m.d.sync += self.verdict.valid.eq(0)

    def _nonce(self) -> Value:
        bits = self.page.address_bits
        return Cat(self.start.payload[:bits], C(0, WORD - bits), self.start.payload[bits:])
