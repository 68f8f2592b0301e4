"""The sum of a column's floating-point products, aligned to the largest and rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import C, Cat, Module, Mux, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.adder_tree import Term, add_level
from pimlico.hdl.common.float.pack import pack
from pimlico.hdl.common.float.shift import leading_zeros, shift_left
from pimlico.hdl.common.float.stages import named
from pimlico.hdl.common.float.unpack import Unpacked

from .config import PimConfig
from .pipeline import all_held, delayed, held


class Product(NamedTuple):
    """An exact product: of significands, with the sum of exponent fields."""

    word: Value
    scale: Value
    zero: Value
    sign: Value


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
    *group* and *largest* (scale), *aligned* (and inverted where negative), *sums* (about the
    square root of the lanes), *total*, *measured* (magnitude and leading zeros), *rounded*.

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
        self.least = max(0, -self.rebias) if self.limited else 0

    def elaborate(self, platform):
        m = Module()
        products, bound, special = self._multiply(m)
        largest = self._largest(m, products, bound)
        words, signs = [], []
        for lane, product in enumerate(products):
            late = Product(*(delayed(m, value, 2, f"{name}_{lane}_late")
                             for name, value in product._asdict().items()))
            words.append(held(m, self._align(m, late, largest, lane), f"aligned_{lane}"))
            signs.append(held(m, late.sign, f"aligned_sign_{lane}"))
        # a word that is inverted lacks one
        top = (1 << self.config.align_bits) - 1
        terms = [Term(word.as_signed(), ~top, top) for word in words]
        levels = self.config.tree_levels
        terms, carries = self._add(m, terms, signs, -(-levels // 2), "sums")
        (total,), carries = self._add(m, terms, carries, levels // 2, "total")
        self._round(m, total.value, carries[0], delayed(m, largest, 3, "scale"),
                    delayed(m, special, 4, "special_late"))
        return m

    def _multiply(self, m: Module) -> tuple[list[Product], Value, Value]:
        """The products; the scale of the first one or the least, if that is larger; and a cycle
        later whether they call for NaN, or for infinity of a sign.
        """
        kind = self.config.fmt_format
        products: list[Product] = []
        nans, positive, negative = [], [], []
        for lane in range(self.config.lanes):
            x, y = (Unpacked(m, port.word_select(lane, kind.width), kind, self.config.subnormals,
                             f"{name}_{lane}")
                    for name, port in (("x", self.column), ("y", self.vector)))
            # a zero is kept out by its flag, which spares the significands that are flushed
            word = (x.significand * y.significand if self.keep else
                    Cat(x.fraction, C(1, 1)) * Cat(y.fraction, C(1, 1)))
            sign = held(m, x.sign ^ y.sign, f"sign_{lane}")
            scale, zero = named(m, f"scales_{lane}", x.scale + y.scale), x.zero | y.zero
            if not products:
                low = zero | (scale < self.least) if self.least else zero
                bound = held(m, Mux(low, self.least, scale), "bound")
            products.append(Product(held(m, word, f"product_{lane}"),
                                    held(m, scale, f"scale_{lane}"),
                                    held(m, zero, f"zero_{lane}"), sign))
            infinite = held(m, x.special | y.special, f"infinite_{lane}")
            nans.append(held(m, x.nan | y.nan | (x.special & y.zero) | (y.special & x.zero),
                             f"nan_{lane}"))
            positive.append(infinite & ~sign)
            negative.append(infinite & sign)
        plus, minus = (named(m, name, Cat(*bits).any())
                       for name, bits in (("plus", positive), ("minus", negative)))
        nan = Cat(*nans).any() | (plus & minus)
        return products, bound, held(m, Cat(nan, plus | minus, minus), "special")

    def _largest(self, m: Module, products: Sequence[Product], bound: Value) -> Value:
        """The largest scale of products that are not zero, or the least; two cycles later."""
        scales = [bound, *(product.scale & (~product.zero).replicate(len(product.scale))
                           for product in products[1:])]
        levels = self.config.tree_levels
        groups = all_held(m, self._larger(m, scales, -(-levels // 2)), "group")
        largest, = self._larger(m, groups, levels // 2)
        return held(m, largest, "largest")

    def _larger(self, m: Module, scales: Sequence[Value], levels: int) -> Sequence[Value]:
        """The larger ones of neighbours, so many times."""
        for _ in range(levels):
            scales = [named(m, f"larger_{len(scales)}_{number}", Mux(a < b, b, a))
                      for number, (a, b) in enumerate(zip(scales[::2], scales[1::2],
                                                          strict=True))]
        return scales

    def _align(self, m: Module, product: Product, largest: Value, lane: int) -> Value:
        """The word of a product at the largest scale, all of it inverted if it is negative."""
        bits = self.config.align_bits
        distance = named(m, f"distance_{lane}", (largest - product.scale)[:len(product.scale)])
        steps = (bits - 1).bit_length()
        word = product.word
        if bits < len(word):
            word = word[len(word) - bits:]
        for number in range(steps):
            by = 1 << number
            # the word grows below as far as there is room, and bits are lost only then
            grown = min(by, bits - len(word))
            word = named(m, f"shift_{lane}_{by}", Mux(
                distance[number], word[by - grown:], Cat(C(0, grown), word)))
        away = named(m, f"away_{lane}", distance[steps:].any() | product.zero)
        kept = Cat(C(0, bits - len(word)), word) & (~away).replicate(bits)
        return Cat(kept, C(0, 1)) ^ product.sign.replicate(bits + 1)

    def _add(self, m: Module, terms: Sequence[Term], carries: Sequence[Value], levels: int,
             name: str) -> tuple[list[Term], list[Value]]:
        """So many levels of the adder tree, and registers."""
        for _ in range(levels):
            terms, carries = add_level(terms, carries)
        values = all_held(m, [term.value for term in terms], name)
        return ([Term(value.as_signed(), term.low, term.high)
                 for value, term in zip(values, terms, strict=True)],
                all_held(m, carries, f"{name}_carry"))

    def _round(self, m: Module, total: Value, carry: Value, scale: Value,
               special: Value) -> None:
        """The number nearest to ``total + carry`` at a scale."""
        out = self.config.acc_format
        below = total[-1]
        turned = named(m, "turned", total[:-1] ^ below.replicate(len(total) - 1))
        magnitude = named(m, "magnitude", (turned + (below ^ carry))[:self.word_bits])
        word = Cat(magnitude, C(0, self.sum_bits - self.word_bits))
        zeros, some = leading_zeros(m, word, "leading")
        zeros = named(m, "zeros", zeros)
        top = named(m, "top", scale + self.rebias)
        base = named(m, "difference", top - zeros)
        amount = zeros
        none = ~some
        if self.limited:
            none = named(m, "limited", base[-1] | none)
            amount = named(m, "amount", Mux(none, top[:len(zeros)], zeros))
        base = Cat(base) & (~none).replicate(len(base))
        word, amount, base, sign, special = (held(m, value, name) for name, value in (
            ("measured", word), ("measured_amount", amount), ("measured_base", base),
            ("measured_sign", some & below), ("measured_special", special)))
        normal = shift_left(m, word, amount, "normalise")
        cut = self.sum_bits - out.precision
        nan, infinite, minus = special
        packed = pack(m, out, self.config.subnormals, sign=Mux(infinite, minus, sign),
                      base=base.as_signed(), significand=normal[cut:], guard=normal[cut - 1],
                      sticky=normal[:cut - 1].any(), nan=nan, infinite=infinite)
        m.d.comb += self.result.eq(held(m, Cat(packed), "rounded"))
