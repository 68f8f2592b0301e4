"""The page ciphers between the host bus and the pages in hand."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.ascon.page import PageCipher

from .config import KEY_BITS, OmapConfig


class SealedBus(Component):
    """Opens the pages that come in, and seals those that go out.

    ``known`` comes when the versions of an operation's pages are known; ``opened`` and
    ``forged`` tell of the tags of both; that of a page which was never written, at version 0,
    does not count. ``send`` comes when the pages go out, with versions one up; ``sent`` comes
    with the last beat.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        beat = stream.Signature(config.beat_width)
        super().__init__({
            "key": In(KEY_BITS), "launch": In(1), "known": In(1),
            "a": In(config.half_bits), "b": In(config.half_bits),
            "version_a": In(config.version_bits), "version_b": In(config.version_bits),
            "send": In(1),
            "sealed_in": In(beat), "plain_in": Out(beat),
            "plain_out": In(beat), "sealed_out": Out(stream.Signature(config.beat_width + 1)),
            "opened": Out(1), "forged": Out(1), "sent": Out(1), "idle": Out(1)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        shape = (config.beat_width, config.beats, config.log2_pages, config.version_bits,
                 config.cipher_rounds_per_cycle)
        m.submodules.opener = opener = PageCipher(*shape, decrypt=True)
        m.submodules.sealer = sealer = PageCipher(*shape, decrypt=False)
        m.d.comb += [opener.key.eq(self.key), sealer.key.eq(self.key)]

        opens = Signal(2)
        upper = Signal()
        verdicts = Signal(2)
        written = Signal()
        m.d.comb += [
            upper.eq(opens == 1), opener.start.valid.eq(opens.any()),
            opener.start.payload.eq(Mux(upper, Cat(self.b, 1, self.version_b),
                                        Cat(self.a, 0, self.version_a))),
            written.eq(Mux(verdicts == 0, self.version_a, self.version_b).any()),
            opener.verdict.ready.eq(1), self.opened.eq(verdicts == 2)]
        with m.If(self.known):
            m.d.sync += opens.eq(2)
        with m.Elif(opener.start.valid & opener.start.ready):
            m.d.sync += opens.eq(opens - 1)
        with m.If(self.launch):
            m.d.sync += [verdicts.eq(0), self.forged.eq(0)]
        with m.Elif(opener.verdict.valid):
            m.d.sync += [verdicts.eq(verdicts + 1),
                         self.forged.eq(self.forged | (written & ~opener.verdict.payload))]

        first = Signal(config.log2_pages, reset_less=True)
        second = Signal(config.log2_pages, reset_less=True)
        version = Signal(config.version_bits, reset_less=True)
        next_version = Signal(config.version_bits, reset_less=True)
        seals = Signal(2)
        left = Signal(range(2 * config.beats + 1))
        row = Signal(range(max(2, config.beats)))
        last = Signal()
        taken = Signal()
        m.d.comb += [
            sealer.start.valid.eq(seals.any()), sealer.start.payload.eq(Cat(first, version)),
            last.eq(row == config.beats - 1),
            self.sealed_out.valid.eq(sealer.result.valid),
            self.sealed_out.payload.eq(Cat(sealer.result.payload, last)),
            sealer.result.ready.eq(self.sealed_out.ready),
            taken.eq(self.sealed_out.valid & self.sealed_out.ready),
            self.sent.eq(taken & (left == 1)), self.idle.eq(~left.any())]
        with m.If(self.send):
            m.d.sync += [
                seals.eq(2), left.eq(2 * config.beats), first.eq(self.a),
                second.eq(Cat(self.b, 1)), version.eq(self.version_a + 1),
                next_version.eq(self.version_b + 1)]
        with m.Else():
            with m.If(sealer.start.valid & sealer.start.ready):
                m.d.sync += [seals.eq(seals - 1), first.eq(second), version.eq(next_version)]
            with m.If(taken):
                m.d.sync += [left.eq(left - 1), row.eq(Mux(last, 0, row + 1))]
        for source, sink in ((self.sealed_in, opener.source), (opener.result, self.plain_in),
                             (self.plain_out, sealer.source)):
            m.d.comb += [sink.valid.eq(source.valid), sink.payload.eq(source.payload),
                         source.ready.eq(sink.ready)]
        return m
