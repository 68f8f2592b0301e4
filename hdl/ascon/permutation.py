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
        index = Cat(C(place, aligned), self.index[aligned:])
        a, b, c, d, e = words
        # kept by synthesis as they are: here if there is one round, else between the rounds.
        # This is how cells are fewest and paths no longer.
        substituted = _state(m, f"substituted_{place}",
                             _substitute(m, place, a, b, c ^ Cat(index, ~index), d, e),
                             self.number == 1)
        mixed: list[Value] = [word ^ word.rotate_right(first) ^ word.rotate_right(second)
                              for word, (first, second) in zip(substituted, _ROTATIONS,
                                                               strict=True)]
        if place == self.number - 1:
            return mixed
        return _state(m, f"round_{place}", mixed, True)


def _substitute(m: Module, place: int, a: Value, b: Value, c: Value, d: Value,
                e: Value) -> list[Value]:
    """The 5-bit S-box on every column of the five words."""
    a, c, e = _words(m, f"in_{place}", [a ^ e, c ^ b, e ^ d])
    a, b, c, d, e = _words(m, f"chi_{place}", [
        a ^ ~b & c, b ^ ~c & d, c ^ ~d & e, d ^ ~e & a, e ^ ~a & b])
    return [a ^ e, b ^ a, ~c, d ^ c, e]


def _words(m: Module, name: str, words: list[Value]) -> list[Value]:
    """Each in a signal: what is used twice would else be emitted twice."""
    signals = [Signal(WORD, name=f"{name}_{number}") for number in range(len(words))]
    m.d.comb += [signal.eq(word) for signal, word in zip(signals, words, strict=True)]
    return list(signals)


def _state(m: Module, name: str, words: list[Value], keep: bool) -> list[Value]:
    """The words of a state in one signal, which synthesis is to keep or not."""
    state = Signal(STATE, name=name, attrs={"keep": 1} if keep else {})
    m.d.comb += state.eq(Cat(words))
    return [state[at:at + WORD] for at in range(0, STATE, WORD)]
