"""Rounds of the permutation Ascon-p, as combinational logic."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

WORD = 64
STATE = 5 * WORD

_ROTATIONS = ((19, 28), (61, 39), (1, 6), (10, 17), (7, 41))


class Rounds(wiring.Component):
    """`number` rounds of the permutation, one after the other.

    ``index`` is that of the first of them in a permutation of 12, a multiple of `number`. Words
    are 64 bits, the first in the low bits. Source: NIST SP 800-232, section 3.

    Parameters
    ----------
    number : int
        1, 2 or 4.
    """

    def __init__(self, number: int):
        self.number = number
        self.part_name = f"rounds_{number}"
        super().__init__({"i": In(STATE), "index": In(4), "o": Out(STATE)})

    def elaborate(self, platform):
        m = Module()
        words: list[Value] = [self.i[at:at + WORD] for at in range(0, STATE, WORD)]
        for place in range(self.number):
            words = self._round(m, words, place)
        m.d.comb += self.o.eq(Cat(words))
        return m

    def _round(self, m: Module, words: list[Value], place: int) -> list[Value]:
        # `index` is aligned, so the place of the round is its low bits
        aligned = self.number.bit_length() - 1
        low = C(place, aligned) if aligned else C(0, 0)
        index = Cat(low, self.index[aligned:])
        a, b, c, d, e = words
        substituted = Signal(STATE, name=f"substituted_{place}")
        m.d.comb += substituted.eq(Cat(substitute(a, b, c ^ Cat(index, ~index), d, e)))
        mixed = []
        for at, (first, second) in zip(range(0, STATE, WORD), _ROTATIONS, strict=True):
            word = substituted[at:at + WORD]
            mixed.append(word ^ word.rotate_right(first) ^ word.rotate_right(second))
        return mixed


def substitute(a: Value, b: Value, c: Value, d: Value, e: Value) -> list[Value]:
    """The 5-bit S-box on every column of the five words."""
    a, c, e = a ^ e, c ^ b, e ^ d
    a, b, c, d, e = a ^ ~b & c, b ^ ~c & d, c ^ ~d & e, d ^ ~e & a, e ^ ~a & b
    return [a ^ e, b ^ a, ~c, d ^ c, e]
