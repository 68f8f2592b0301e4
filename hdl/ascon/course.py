"""The steps of a message through the sponge."""

from __future__ import annotations

from amaranth.hdl import C, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import CODE_BITS, MALFORMED, WRONG_TAG, AsconConfig


class Course(wiring.Component):
    """Which permutation runs, what is added at its end, and what that waits for.

    ``start``: a command is on offer, to ``decrypt`` or not. ``ends``: the running permutation's
    last cycle is due. ``complete``: the block to come is there, ``of_text`` or not, ``padded`` or
    not, or in its place nothing (``skip``); ``malformed``: a beat of it is. ``room``: a block
    that comes out has a place. ``tag``: one to check is on offer, and is the ``right`` one.
    ``taken``: done has been taken.

    ``load`` sets the sponge up, ``go`` runs it. ``open``: a message takes its blocks, and the
    one to come in this cycle if it is ``wanted``, at the end of a permutation; ``add`` says
    that it is. With it are added: ``nonce_key`` once the nonce is mixed in, ``separate`` with
    the first block of text, ``final_key`` with the last. ``tag_key`` gives the tag. ``check``:
    a tag is taken. ``done`` with its ``code``; ``gives`` if it comes with a tag.

    Parameters
    ----------
    config : AsconConfig
    """

    part_name = "course"

    def __init__(self, config: AsconConfig):
        self.config = config
        super().__init__({
            "start": In(1), "decrypt": In(1), "ends": In(1), "complete": In(1), "skip": In(1),
            "of_text": In(1), "padded": In(1), "malformed": In(1), "room": In(1), "tag": In(1),
            "right": In(1), "taken": In(1),
            "load": Out(1), "go": Out(1), "open": Out(1), "wanted": Out(1), "add": Out(1),
            "decrypts": Out(1), "nonce_key": Out(1), "separate": Out(1), "final_key": Out(1),
            "tag_key": Out(1), "check": Out(1), "done": Out(1), "gives": Out(1),
            "code": Out(CODE_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        mixes = Signal()
        tags = Signal()
        m.d.comb += [
            self.wanted.eq(self.open & self.ends & (self.room | ~self.of_text)),
            self.add.eq(self.wanted & self.complete & ~self.skip),
            self.go.eq(tags | self.open & (~self.ends | self.add)),
            self.nonce_key.eq(mixes & self.ends),
            self.tag_key.eq(tags & self.ends),
            self.final_key.eq(self.of_text & self.padded),
        ]
        self._separate(m)
        with m.FSM(name="phase"):
            with m.State("BEGIN"):
                self._begin(m)
            with m.State("NONCE"):
                m.d.comb += [self.open.eq(1), mixes.eq(1)]
                with m.If(self.add):
                    m.next = "DATA"
                    with m.If(self.final_key):
                        m.next = "TAG"
            with m.State("DATA"):
                m.d.comb += self.open.eq(1)
                with m.If(self.add & self.final_key):
                    m.next = "TAG"
            with m.State("TAG"):
                m.d.comb += tags.eq(1)
                with m.If(self.ends):
                    m.next = "CHECK" if self.config.decrypts else "DONE"
                    if self.config.mode == "both":
                        with m.If(~self.decrypts):
                            m.next = "DONE"
            if self.config.decrypts:
                with m.State("CHECK"):
                    m.d.comb += self.check.eq(1)
                    with m.If(self.tag):
                        m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                with m.If(self.taken):
                    m.next = "BEGIN"
                    self._begin(m)
        self._judge(m)
        return m

    def _begin(self, m: Module) -> None:
        m.d.comb += self.load.eq(self.start)
        with m.If(self.start):
            m.next = "NONCE"

    def _separate(self, m: Module) -> None:
        """With the first block of text, whether or not there was associated data."""
        begun = Signal(name="text_begun")
        m.d.comb += self.separate.eq(self.of_text & ~begun)
        with m.If(self.load):
            m.d.sync += begun.eq(0)
        with m.Elif(self.add & self.of_text):
            m.d.sync += begun.eq(1)

    def _judge(self, m: Module) -> None:
        """What has been found wrong with the message."""
        faulty = Signal()
        with m.If(self.load):
            m.d.sync += faulty.eq(0)
        with m.Elif(self.malformed):
            m.d.sync += faulty.eq(1)
        wrong: Value = C(0)
        if self.config.decrypts:
            wrong = Signal(name="wrong_tag")
            with m.If(self.load):
                m.d.sync += wrong.eq(0)
            with m.Elif(self.check):
                m.d.sync += wrong.eq(~self.right)
        m.d.comb += self.code.eq(Mux(faulty, MALFORMED, Mux(wrong, WRONG_TAG, 0)))
        if self.config.mode != "both":
            m.d.comb += self.decrypts.eq(int(self.config.decrypts))
        else:
            with m.If(self.load):
                m.d.sync += self.decrypts.eq(self.decrypt)
        m.d.comb += self.gives.eq(~self.decrypts & ~faulty)
