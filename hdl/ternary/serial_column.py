"""Reduction and accumulation of one row of the weight tile, with its sum from a memory."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.adder_tree import Term, add_onto, signed_bits

from .config import TernaryConfig
from .reduction import CompressorReduction, Reduction, hold, spread


class SignReduction(Reduction):
    """Binary tree of adders over magnitudes, each sum with the sign of its first operand.

    ``±a ± b`` is ``±(a ± b)``: an adder inverts at most its second operand, which costs a carry
    chain nothing, as its other input goes to the chain as it is.
    """

    def __init__(self, values: Sequence[Value], signs: Sequence[Value], config: TernaryConfig):
        bound = config.mu << config.act_bits - 1
        self.terms = [Term(value.as_signed(), -bound, bound - 1) for value in values]
        self.signs = list(signs)
        self.levels = (len(values) - 1).bit_length()
        self.width = config.sum_width

    def step(self, m: Module) -> None:
        terms, signs = [], self.signs[::2]
        for position in range(0, len(self.terms) - 1, 2):
            a, b = self.terms[position:position + 2]
            differ = self.signs[position] ^ self.signs[position + 1]
            most = max(-b.low, b.high)
            low, high = a.low - most, a.high + most
            total = add_inverted(a.value, b.value, differ)
            terms.append(Term(total[:signed_bits(low, high)].as_signed(), low, high))
        if len(self.terms) % 2:
            terms.append(self.terms[-1])
        self.terms, self.signs = terms, signs

    def register(self, m: Module, advance: Value, name: str) -> None:
        self.terms = [Term(hold(m, advance, term.value, f"{name}_{i}"), term.low, term.high)
                      for i, term in enumerate(self.terms)]
        self.signs = list(hold(m, advance, Cat(*self.signs), f"{name}_signs"))

    @property
    def result(self) -> tuple[Value, Value]:
        (term,), (sign,) = self.terms, self.signs
        return term.value ^ sign.replicate(len(term.value)).as_signed(), sign


def add_inverted(a: Value, b: Value, invert: Value) -> Value:
    """``a - b`` if `invert`, else ``a + b``, of signed values: one carry chain."""
    return add_onto(a, b ^ invert.replicate(len(b)).as_signed(), invert)


class SerialColumn(wiring.Component):
    """Adds L signed entries of a row tile, and then its partial sum so far.

    Stages: fetch and reduce, ``pipeline`` registers inside the reduction, the partial sum; all
    move while `advance` is high. `total` is the partial sum plus `before`, combinational, and
    goes to the register `acc` in a cycle with `finish`.
    """

    part_name = "serial_column"

    def __init__(self, config: TernaryConfig):
        self.config = config
        super().__init__({
            "values": In(config.luts * config.entry_width),
            "signs": In(config.luts),
            "before": In(signed(config.acc_width)),
            "advance": In(1),
            "finish": In(1),
            "total": Out(signed(config.acc_width)),
            "acc": Out(signed(config.acc_width)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        values = [self.values.word_select(table, config.entry_width)
                  for table in range(config.luts)]
        signs = list(self.signs)
        reduction: Reduction
        if config.adder == "compressor":
            reduction = CompressorReduction(
                [(value ^ sign.replicate(config.entry_width)).as_signed()
                 for value, sign in zip(values, signs, strict=True)], signs, config)
        else:
            reduction = SignReduction(values, signs, config)
        spread(m, reduction, config.pipeline, self.advance)
        partial, carry = reduction.result
        total = Signal(signed(config.acc_width))
        acc = Signal(signed(config.acc_width), name="accumulator", reset_less=True)
        m.d.comb += [
            total.eq(add_onto(self.before, partial, carry)),
            self.total.eq(total),
            self.acc.eq(acc),
        ]
        with m.If(self.finish):
            m.d.sync += acc.eq(total)
        return m
