"""The steps of a page through the sponge."""

from __future__ import annotations

from amaranth.hdl import C, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Walk(wiring.Component):
    """Which permutation runs, what is added at its end, and what that waits for.

    ``start``: a page is to begin. ``ends``: the running permutation's last cycle is due.
    ``complete``: the block to come is there; ``room``: a block that comes out has a place.

    ``load`` sets the sponge up, ``go`` runs it. ``wanted``: the block to come is taken in this
    cycle if complete, and ``taken`` says that it is; ``padded`` that it is the padded one. At
    the end of a permutation are added: key and associated data (``ad``) once nonce and key are
    mixed in, ``pad`` to end the associated data, a block of text if ``text``, with ``separate``
    the first, ``final_key`` with the last, ``tag_key`` to give the tag. ``check``: the tag is
    there, and the block to come is the one in its place.

    Parameters
    ----------
    blocks : int
        Whole blocks of text a page.
    tail : int
        Bits of text after them.
    """

    def __init__(self, blocks: int, tail: int):
        self.blocks, self.tail = blocks, tail
        self.part_name = f"page_walk_{blocks}_{tail}"
        super().__init__({
            "start": In(1), "ends": In(1), "complete": In(1), "room": In(1),
            "load": Out(1), "go": Out(1), "wanted": Out(1), "taken": Out(1), "padded": Out(1),
            "ad": Out(1), "pad": Out(1), "text": Out(1), "separate": Out(1),
            "final_key": Out(1), "tag_key": Out(1), "check": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        due = Signal()  # a block of text ends the permutation
        runs = Signal()  # the permutation needs none
        first = "FIRST" if self.blocks else "LAST"
        with m.FSM(name="phase") as phase:
            with m.State("BEGIN"), m.If(self.start):
                m.d.comb += self.load.eq(1)
                m.next = "NONCE"
            with m.State("NONCE"):
                m.d.comb += [runs.eq(1), self.ad.eq(self.ends)]
                with m.If(self.ends):
                    m.next = "AD"
            with m.State("AD"):
                m.d.comb += [runs.eq(1), self.pad.eq(self.ends)]
                with m.If(self.ends):
                    m.next = first
            self._text(m, due)
            with m.State("TAG"):
                m.d.comb += [runs.eq(1), self.tag_key.eq(self.ends)]
                with m.If(self.ends):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += self.check.eq(1)
                with m.If(self.taken):
                    m.d.comb += self.load.eq(self.start)
                    m.next = "BEGIN"
                    with m.If(self.start):
                        m.next = "NONCE"
        # a page of less than a block is gathered while nothing else is to do
        last = phase.ongoing("LAST") if self.blocks else \
            ~(phase.ongoing("TAG") | phase.ongoing("CHECK"))
        blank = self.padded if self.tail == 0 else C(0)
        m.d.comb += [
            self.padded.eq(last),
            self.text.eq(due & self.ends),
            self.wanted.eq(self.text & (self.room | blank) | self.check & self.room),
            self.taken.eq(self.wanted & self.complete),
            self.go.eq(runs | due & (~self.ends | self.taken)),
            self.final_key.eq(self.text & self.padded),
        ]
        return m

    def _text(self, m: Module, due: Signal) -> None:
        """The permutations that a block of text ends."""
        if self.blocks:
            with m.State("FIRST"):
                m.d.comb += [due.eq(1), self.separate.eq(self.ends)]
                with m.If(self.taken):
                    m.next = "MIDDLE" if self.blocks > 1 else "LAST"
        if self.blocks > 1:
            with m.State("MIDDLE"):
                m.d.comb += due.eq(1)
                last = self._count(m, self.blocks - 1)
                with m.If(self.taken & last):
                    m.next = "LAST"
        with m.State("LAST"):
            m.d.comb += due.eq(1)
            if not self.blocks:
                m.d.comb += self.separate.eq(self.ends)
            with m.If(self.taken):
                m.next = "TAG"

    def _count(self, m: Module, number: int) -> Value:
        """Counts blocks as they are taken; whether the one to come is the last of `number`."""
        if number == 1:
            return C(1)
        done = Signal(range(number), name="blocks_done")
        last = done == number - 1
        with m.If(self.taken):
            m.d.sync += done.eq(Mux(last, 0, done + 1))
        return last
