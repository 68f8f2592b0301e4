"""The sum of a column's floating-point products, aligned to the largest and rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import C, Cat, Module, Mux, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.adder_tree import add_with_carry
from pimlico.hdl.common.float.pack import pack
from pimlico.hdl.common.float.shift import leading_zeros, shift_left
from pimlico.hdl.common.float.stages import named
from pimlico.hdl.common.float.unpack import Unpacked

from .config import PimConfig
from .pipeline import all_held, delayed, held


class Signed(NamedTuple):
    """A number in two's complement, to be taken with the opposite sign if `negative`."""

    value: Value
    negative: Value


class DotAligned(Component):
    """Exact products, aligned to the largest exponent, truncated, summed and rounded once.

    The scale of a product is the sum of its operands' exponent fields, 1 in place of 0 for
    subnormals that are kept. The largest scale among products that are not zero is that of all
    words: ``align_bits`` bits, the product at the top, shifted to the right by what its scale
    lacks. Bits that leave the word are dropped. If subnormals are kept, the scale is at least
    the one that gives the top bit of the sum, of ``sum_bits`` bits, the weight of the smallest
    normal number. The sum of words under their signs is exact. Rounding is to nearest even; zero
    is +0. A NaN, infinity times zero, or infinities of both signs give NaN.

    Stages, each of which ends in registers: *product* (of significands; sum of exponents),
    *group* and *largest* (scale), *aligned*, *sums* (about the square root of the lanes),
    *total*, *measured* (magnitude and leading zeros), *rounded*.

    Parameters
    ----------
    config : PimConfig
        Of floating-point elements; latency ``dot_latency``.
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.part_name = (f"dot_aligned_{config.fmt}_{config.lanes}_{config.acc_format.name}_"
                          f"{config.subnormals}_{config.align_bits}")
        super().__init__({"column": In(config.column_bits), "vector": In(config.column_bits),
                          "result": Out(config.acc_bits)})
        self.keep = config.subnormals == "keep"
        element, out = config.fmt_format, config.acc_format
        self.word_bits = config.align_bits + config.tree_levels
        self.sum_bits = max(self.word_bits, out.precision + 2)
        # The exponent field of the sum's top bit, less one, is the scale and this.
        unit = 2 * (element.quantum_exponent - 1 + element.precision) - config.align_bits
        self.rebias = unit + self.sum_bits - 2 + out.bias
        self.limited = self.keep and 2 + self.rebias < self.sum_bits

    def elaborate(self, platform):
        m = Module()
        products, scales, zeros, signs, specials = self._multiply(m)
        half = -(-self.config.tree_levels // 2)
        groups = all_held(m, self._largest(m, [
            scale & (~zero).replicate(len(scale))
            for scale, zero in zip(scales, zeros, strict=True)], half), "group")
        largest = held(m, self._limit(m, self._largest(
            m, groups, self.config.tree_levels - half)[0]), "largest")
        terms = []
        for lane, product in enumerate(products):
            product, scale, zero = (delayed(m, value, 2, f"{name}_{lane}") for name, value in (
                ("product_late", product), ("scale_late", scales[lane]),
                ("zero_late", zeros[lane])))
            word = held(m, self._align(m, product, scale, zero, largest, lane),
                        f"aligned_{lane}")
            terms.append(Signed(Cat(word, C(0, 1)).as_signed(),
                                delayed(m, signs[lane], 3, f"sign_late_{lane}")))
        terms = self._add(m, terms, half)
        terms = [Signed(held(m, term.value, f"sums_{number}"),
                        held(m, term.negative, f"sums_negative_{number}"))
                 for number, term in enumerate(terms)]
        total, = self._add(m, terms, self.config.tree_levels - half)
        total = Signed(held(m, total.value, "total"), held(m, total.negative, "total_negative"))
        self._round(m, total, delayed(m, largest, 3, "scale"),
                    delayed(m, specials, 4, "special_late"))
        return m

    def _multiply(self, m: Module) -> tuple[list[Value], list[Value], list[Value], list[Value],
                                            Value]:
        kind = self.config.fmt_format
        parts: list[tuple[Value, ...]] = []
        nans, positive, negative = [], [], []
        for lane in range(self.config.lanes):
            x, y = (Unpacked(m, port.word_select(lane, kind.width), kind, self.config.subnormals,
                             f"{name}_{lane}")
                    for name, port in (("x", self.column), ("y", self.vector)))
            sign = held(m, x.sign ^ y.sign, f"sign_{lane}")
            parts.append((held(m, x.significand * y.significand, f"product_{lane}"),
                          held(m, x.scale + y.scale, f"scale_{lane}"),
                          held(m, x.zero | y.zero, f"zero_{lane}"), sign))
            infinite = held(m, x.special | y.special, f"infinite_{lane}")
            nans.append(held(m, x.nan | y.nan | (x.special & y.zero) | (y.special & x.zero),
                             f"nan_{lane}"))
            positive.append(infinite & ~sign)
            negative.append(infinite & sign)
        plus, minus = (Cat(*bits).any() for bits in (positive, negative))
        nan = Cat(*nans).any() | (plus & minus)
        products, scales, zeros, signs = (list(values) for values in zip(*parts, strict=True))
        special = held(m, Cat(nan, plus | minus, minus), "special")
        return products, scales, zeros, signs, special

    def _largest(self, m: Module, scales: Sequence[Value], levels: int) -> list[Value]:
        for _ in range(levels):
            scales = [named(m, f"larger_{len(scales)}_{number}", Mux(a < b, b, a))
                      for number, (a, b) in enumerate(zip(scales[::2], scales[1::2],
                                                          strict=True))]
        return list(scales)

    def _limit(self, m: Module, largest: Value) -> Value:
        """The scale of the words: not so small that there were no use of their lowest bits."""
        least = -self.rebias
        if not self.limited or least <= 0:
            return largest
        return Mux(largest < least, C(least, len(largest)), largest)

    def _align(self, m: Module, product: Value, scale: Value, zero: Value, largest: Value,
               lane: int) -> Value:
        """The word of a product at the largest scale."""
        bits = self.config.align_bits
        distance = named(m, f"distance_{lane}", (largest - scale)[:len(scale)])
        steps = (bits - 1).bit_length()
        word: Value = product
        if bits < len(product):
            word = product[len(product) - bits:]
        for number in range(steps):
            by = 1 << number
            # the word grows below as far as there is room, and bits are lost only then
            grown = min(by, bits - len(word))
            stays = Cat(C(0, grown), word)
            moved = word[by - grown:]
            word = named(m, f"shift_{lane}_{by}", Mux(distance[number], moved, stays))
        away = named(m, f"away_{lane}", distance[steps:].any() | zero)
        return Cat(C(0, bits - len(word)), word) & (~away).replicate(bits)

    def _add(self, m: Module, terms: Sequence[Signed], levels: int) -> list[Signed]:
        for _ in range(levels):
            sums = []
            for number, (a, b) in enumerate(zip(terms[::2], terms[1::2], strict=True)):
                name = f"{len(terms)}_{number}"
                differ = named(m, f"differ_{name}", a.negative ^ b.negative)
                turned = (b.value.as_unsigned() ^ differ.replicate(len(b.value))).as_signed()
                sums.append(Signed(named(m, f"sum_{name}", add_with_carry(
                    a.value, turned, differ)), a.negative))
            terms = sums
        return list(terms)

    def _round(self, m: Module, total: Signed, scale: Value, special: Value) -> None:
        out = self.config.acc_format
        below = total.value[-1]
        turned = named(m, "turned", total.value[:-1] ^ below.replicate(len(total.value) - 1))
        magnitude = named(m, "magnitude", (turned + below)[:self.word_bits])
        word = Cat(magnitude, C(0, self.sum_bits - self.word_bits))
        zeros, some = leading_zeros(m, word, "leading")
        zeros = named(m, "zeros", zeros)
        top = named(m, "top", scale + self.rebias)
        base = named(m, "difference", top - zeros)
        amount = zeros
        none = ~some
        if self.limited:
            limited = named(m, "limited", base[-1] | none)
            amount = named(m, "amount", Mux(limited, top[:len(zeros)], zeros))
            none = limited
        base = Cat(base[:-1] & (~none).replicate(len(base) - 1), base[-1] & ~none)
        word, amount, base, sign, special = (held(m, value, name) for name, value in (
            ("measured", word), ("measured_amount", amount), ("measured_base", base),
            ("measured_sign", some & (total.negative ^ below)), ("measured_special", special)))
        normal = shift_left(m, word, amount, "normalise")
        cut = self.sum_bits - out.precision
        nan, infinite, minus = special
        packed = pack(m, out, self.config.subnormals, sign=Mux(infinite, minus, sign),
                      base=base.as_signed(), significand=normal[cut:], guard=normal[cut - 1],
                      sticky=normal[:cut - 1].any(), nan=nan, infinite=infinite)
        m.d.comb += self.result.eq(held(m, Cat(packed), "rounded"))
