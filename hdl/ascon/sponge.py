"""The sponge of Ascon-AEAD128: its state, and the rounds that run on it."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.parts import place

from .config import LONG, SHORT
from .permutation import STATE, WORD, Rounds

IV = 0x00001000808C0001
RATE = 2 * WORD


class Sponge(wiring.Component):
    """State of 320 bits, in one register, and `rounds_per_cycle` rounds a cycle.

    ``load`` sets it up from ``key`` and ``nonce``, with 12 rounds to follow. ``go`` runs a
    cycle's rounds; after them, in the same cycle, it adds

    - ``block`` to the first two words; bytes marked in ``replace`` are set to it instead,
    - ``key_low``: the key to the third and fourth word,
    - ``key_high``: the key to the fourth and fifth word,
    - ``separate``: the one of domain separation.

    They are for the cycle that ends a permutation (``ends``); whoever must wait for a block
    holds that cycle back. ``long`` then says that the next permutation has 12 rounds, not 8.
    ``sum`` is what the first two words are with ``block`` added: cipher or text, depending on
    what `block` is. ``tag`` are the last two words. Without ``go`` and ``load`` all stays.

    Parameters
    ----------
    rounds_per_cycle : int
        1, 2 or 4.
    """

    def __init__(self, rounds_per_cycle: int):
        self.rounds_per_cycle = rounds_per_cycle
        self.part_name = f"sponge_{rounds_per_cycle}"
        super().__init__({
            "load": In(1), "go": In(1), "key": In(128), "nonce": In(128),
            "block": In(RATE), "replace": In(RATE // 8),
            "key_low": In(1), "key_high": In(1), "separate": In(1), "long": In(1),
            "ends": Out(1), "sum": Out(RATE), "tag": Out(128),
        })

    def elaborate(self, platform):
        m = Module()
        rounds = Rounds(self.rounds_per_cycle)
        m.submodules.rounds = place(platform, rounds)
        index = Signal(4, name="round_index")
        state = Signal(STATE, reset_less=True)
        m.d.comb += [rounds.i.eq(state), rounds.index.eq(index), self.tag.eq(state[-128:])]
        self._count(m, index)
        added = self._added(m)
        kept = Signal(STATE)
        replaced = Cat(Cat(byte.replicate(8) for byte in self.replace), C(0, STATE - RATE))
        m.d.comb += [kept.eq(rounds.o & ~replaced), self.sum.eq(rounds.o[:RATE] ^ self.block)]
        with m.If(self.load):
            m.d.sync += state.eq(Cat(C(IV, WORD), self.key, self.nonce))
        with m.Elif(self.go):
            m.d.sync += state.eq(kept ^ added)
        return m

    def _count(self, m: Module, index: Signal) -> None:
        """The index of the round to run: of 12, or the last 8 of them."""
        step = self.rounds_per_cycle
        m.d.comb += self.ends.eq(index == LONG - step)
        with m.If(self.load):
            m.d.sync += index.eq(0)
        with m.Elif(self.go):
            m.d.sync += index.eq(Mux(self.ends, Mux(self.long, 0, LONG - SHORT), index + step))

    def _added(self, m: Module) -> Signal:
        low, high = self.key[:WORD], self.key[WORD:]
        key_low, key_high = self.key_low.replicate(WORD), self.key_high.replicate(WORD)
        # kept as they are by synthesis, which else finds a larger way from there to the state
        added = Signal(STATE, attrs={"keep": 1})
        m.d.comb += added.eq(Cat(
            self.block,
            low & key_low,
            high & key_low ^ low & key_high,
            high & key_high ^ Cat(C(0, WORD - 1), self.separate),
        ))
        return added
