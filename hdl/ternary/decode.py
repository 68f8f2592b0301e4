"""Weight formats to keys: the front of the weight stream."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import TernaryConfig

Trit = tuple[Value, Value]
"""Nonzero and negative, one bit each."""


class Decode(wiring.Component):
    """The keys of one row's weights in a beat; combinational.

    A code that stands for no weight raises `bad` and reads as zero weights. The formats: keys
    as they are, base-3 bytes, 2-bit codes, and the packed bytes of GGUF TQ1_0 and TQ2_0 blocks
    in their own order.
    """

    part_name = "decode"

    def __init__(self, config: TernaryConfig):
        self.config = config
        super().__init__({
            "weights": In(config.weight_bits),
            "keys": Out(config.luts * config.key_bits),
            "bad": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        if config.weight_format == "keys":
            keys = [self.weights.word_select(i, config.key_bits) for i in range(config.luts)]
            m.d.comb += [
                self.keys.eq(self.weights),
                self.bad.eq(Cat(*(key[:-1] > config.entries for key in keys)).any()),
            ]
            return m
        trits: list[Trit] = []
        bad = []
        if config.trits_per_byte == 5:
            for number in range(config.columns // 5):
                byte = self.weights.word_select(number, 8)
                legal = C(1, 1)
                if config.weight_format == "base3x5":
                    legal = byte <= 242
                    bad.append(~legal)
                digits = (_fraction_digits if config.weight_format == "tq1_0"
                          else _integer_digits)(m, byte, number)
                trits += [(legal & (digit != 1), digit == 0) for digit in digits]
        else:
            for number in range(config.columns):
                code = self.weights.word_select(number, 2)
                bad.append(code.all())
                trits.append((~code[0], code == 0))
        keys = [_key(trits[i:i + config.mu]) for i in range(0, config.columns, config.mu)]
        m.d.comb += [self.keys.eq(Cat(*keys)), self.bad.eq(Cat(*bad).any())]
        return m


def _fraction_digits(m: Module, byte: Value, number: int) -> list[Value]:
    """Digits of a base-3 fraction of 256: each is what three times the rest carries out."""
    digits = []
    rest = byte
    for position in range(5):
        tripled = Signal(10, name=f"tripled_{number}_{position}")
        m.d.comb += tripled.eq(rest + (rest << 1))
        digits.append(tripled[8:])
        rest = tripled[:8]
    return digits


def _integer_digits(m: Module, byte: Value, number: int) -> list[Value]:
    """Digits of a base-3 integer up to 242, most significant first."""
    digits = []
    rest = byte
    for position in range(5):
        weight = 3 ** (4 - position)
        digit = Signal(2, name=f"digit_{number}_{position}")
        left = Signal((weight - 1).bit_length() or 1, name=f"rest_{number}_{position}")
        m.d.comb += digit.eq(Mux(rest >= 2 * weight, 2, rest >= weight))
        m.d.comb += left.eq(Mux(digit[1], rest - 2 * weight, Mux(digit[0], rest - weight, rest)))
        digits.append(digit)
        rest = left
    return digits


def _key(trits: list[Trit]) -> Value:
    """Sign and magnitude of the balanced ternary number that the trits write."""
    mu = len(trits)
    if mu == 1:
        return Cat(*trits[0])
    width = (3**mu // 2).bit_length() + 1
    total = sum(
        (Mux(nonzero, Mux(negative, C(-(3**power), width), C(3**power, width)), C(0, width))
         .as_signed() for power, (nonzero, negative) in enumerate(reversed(trits))),
        start=C(0, signed(width)))[:width].as_signed()
    magnitude = Mux(total[-1], -total, total)
    return Cat(magnitude[:width - 1], total[-1])
