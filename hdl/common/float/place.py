"""Placing the leading one of a word at the top of a significand, or above a format's quantum."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Const, Module, Mux, Value

from .config import FloatFormat
from .shift import highest_one, shift_right
from .stages import named


class Place:
    """Takes a word to the precision of a format, by shifts to the right only.

    Parameters
    ----------
    out : FloatFormat
    width : int
        Bits of the word.
    lowest : int
        Position of the lowest leading one. Words below it must be below half the quantum of
        `out`, if `limited`, or else zero.
    limited : bool
        Whether results may be subnormal and are kept.
    """

    def __init__(self, out: FloatFormat, width: int, lowest: int, limited: bool):
        self.out, self.width, self.lowest, self.limited = out, width, lowest, limited

    def depth(self, weight: int) -> int:
        """The depth of a word whose last bit weighs two to the `weight`.

        It is the distance that takes the word, with its lowest leading one at the top of the
        significand, to the quantum of the format.
        """
        return self.out.quantum_exponent - weight + self.out.fraction_bits - self.lowest

    def measure(self, m: Module, word: Value, depth: Value) -> tuple[Value, Value]:
        """The distance to shift, and the exponent field less one.

        Parameters
        ----------
        depth : Value
            Signed, as `depth` says for a constant weight.
        """
        above, some = highest_one(m, word[self.lowest:], "leading")
        excess = named(m, "excess", above - depth)
        if not self.limited:
            return above, excess
        limited = named(m, "limited", excess[-1])
        distance = Mux(limited, depth[:-1], above)
        used = (some & ~limited).replicate(len(excess) - 1)
        return distance, Cat(excess[:-1] & used, C(0, 1)).as_signed()

    def shift(self, m: Module, word: Value, distance: Value) -> dict[str, Value]:
        """The significand with its guard and sticky bits."""
        precision = self.out.precision
        cut = self.lowest - precision
        below: Value = Const(0, 1)
        if cut > 0:
            below = word[:cut].any()
            word = word[cut:]
        else:
            word = Cat(C(0, -cut), word)
        placed, dropped = shift_right(m, word, distance, precision + 1, "place")
        placed = Cat(placed, C(0, precision + 1 - len(placed)))
        return {"significand": placed[1:], "guard": placed[0], "sticky": dropped | below}
