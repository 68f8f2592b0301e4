"""Reduction and accumulation of one row of the weight tile, with its sum from a memory."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.adder_tree import Term, signed_bits

from .config import TernaryConfig
from .reduction import CompressorReduction, Reduction, _hold, spread


class SignReduction(Reduction):
    """Binary tree of adders over magnitudes, each sum with the sign of its first operand.

    ``±a ± b`` is ``±(a ± b)``: an adder inverts at most its second operand, which costs a carry
    chain nothing, as its other input goes to the chain as it is.
    """

    def __init__(self, values: Sequence[Value], signs: Sequence[Value], config: TernaryConfig):
        bound = config.mu << config.act_bits - 1
        self.terms = [Term(value.as_signed(), -bound, bound - (config.mu == 1))
                      for value in values]
        self.signs = list(signs)
        self.levels = (len(values) - 1).bit_length()
        self.width = config.sum_width

    def step(self, m: Module) -> None:
        terms, signs = [], self.signs[::2]
        for position in range(0, len(self.terms) - 1, 2):
            a, b = self.terms[position:position + 2]
            differ = self.signs[position] ^ self.signs[position + 1]
            low, high = a.low - max(-b.low, b.high), a.high + max(-b.low, b.high)
            total = add_signed(a.value, b.value, differ)
            terms.append(Term(total[:signed_bits(low, high)].as_signed(), low, high))
        if len(self.terms) % 2:
            terms.append(self.terms[-1])
        self.terms, self.signs = terms, signs

    def register(self, m: Module, advance: Value, name: str) -> None:
        self.terms = [Term(_hold(m, advance, term.value, f"{name}_{i}"), term.low, term.high)
                      for i, term in enumerate(self.terms)]
        self.signs = list(_hold(m, advance, Cat(*self.signs), f"{name}_signs"))

    @property
    def result(self) -> tuple[Value, Value]:
        (term,), (sign,) = self.terms, self.signs
        return term.value ^ sign.replicate(len(term.value)).as_signed(), sign
