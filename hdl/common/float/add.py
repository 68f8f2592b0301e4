"""Addition of two floating-point numbers with one rounding.

The operands are ordered by their whole magnitude. Mapped to gates, ordering by exponents alone,
with a difference that may be negative and is then negated, comes out 5 % smaller for fp16 that
keeps subnormals, 3 to 5 % larger for bf16 and fp32; both differences at once cost 9 % more in
fp16. Counting leading zeros while shifting, or comparing in a tree, changes less than 2 %.
"""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Value
from amaranth.lib import wiring

from .config import FloatFormat, Subnormals, check_subnormals
from .pack import pack
from .shift import leading_zeros, shift_left, shift_right
from .stages import Stages, named, ports
from .unpack import Unpacked, widen, widened

CUTS = {1: ("sum",), 2: ("aligned", "measured"), 3: ("ordered", "aligned", "measured"),
        4: ("ordered", "aligned", "sum", "normal")}


class FloatAdd(wiring.Component):
    """``a + b``, rounded once to `out`.

    The operands are ordered by magnitude, the smaller one is aligned to the larger, and a
    single adder gives the sum or the difference, which is never negative.

    Parameters
    ----------
    a, b : FloatFormat
    out : FloatFormat
        With at least the exponent bits of both operands.
    subnormals : str
        ``"keep"`` or ``"flush"``.
    stages : int
        Register stages, 0 to 4.

    Attributes
    ----------
    a, b : In
    advance : In(1)
        Moves all stages; only there if there are some.
    result : Out

    Raises
    ------
    ValueError
        If the formats or another parameter are not as said.
    """

    def __init__(self, a: FloatFormat, b: FloatFormat, out: FloatFormat,
                 subnormals: Subnormals = "keep", stages: int = 0):
        check_subnormals(subnormals)
        if out.exponent_bits < max(a.exponent_bits, b.exponent_bits):
            raise ValueError(f"out must have the range of both operands, and {out.name} lacks that "
                             f"of {a.name} or {b.name}")
        self.formats, self.subnormals, self.stages = (a, b, out), subnormals, stages
        self.part_name = f"float_add_{a.name}_{b.name}_{out.name}_{subnormals}_{stages}"
        super().__init__(ports({"a": a.width, "b": b.width}, out.width, stages))

    def elaborate(self, platform):
        m = Module()
        a, b, out = self.formats
        inner = widened(a, FloatFormat("precision", a.exponent_bits, out.fraction_bits), b)
        stages = Stages(m, self, CUTS)
        ordered = self._order(m, widen(m, self.a, a, inner, self.subnormals, "a"),
                              widen(m, self.b, b, inner, self.subnormals, "b"))
        large, small, subtract = stages.end("ordered", **ordered)
        aligned = self._align(m, inner, large, small, subtract)
        scale, significand, addend, subtract, sign, nan, special = stages.end(
            "aligned", **aligned)
        total = self._sum(m, significand, addend, subtract)
        summed = stages.end("sum", scale=scale, total=total, sign=sign, subtract=subtract,
                            nan=nan, special=special)
        measured = self._measure(m, inner, *summed)
        if "measured" in stages.cuts:
            measured = dict(zip(measured, stages.end("measured", **measured), strict=True))
        normal = self._normalise(m, **measured)
        names = ("base", "significand", "guard", "sticky", "sign", "nan", "infinite")
        held = dict(zip(names, stages.end("normal", **normal), strict=True))
        m.d.comb += self.result.eq(pack(m, out, self.subnormals, **held))
        return m

    def _order(self, m: Module, a: Value, b: Value) -> dict[str, Value]:
        swap = named(m, "swap", a[:-1] < b[:-1])
        return {"large": Mux(swap, b, a), "small": Mux(swap, a[:-1], b[:-1]),
                "subtract": a[-1] ^ b[-1]}

    def _align(self, m: Module, inner: FloatFormat, large_bits: Value, small_bits: Value,
               subtract: Value) -> dict[str, Value]:
        large = Unpacked(m, large_bits, inner, self.subnormals, "large")
        small = Unpacked(m, Cat(small_bits, C(0, 1)), inner, self.subnormals, "small")
        distance = named(m, "distance", (large.scale - small.scale)[:inner.exponent_bits])
        moved, sticky = shift_right(m, Cat(C(0, 2), small.significand), distance,
                                    inner.precision + 2, "align")
        return {"scale": large.scale, "significand": large.significand,
                "addend": Cat(sticky, moved), "subtract": subtract, "sign": large.sign,
                # NaN is the largest in magnitude, then infinity
                "nan": large.special & (large.some | (small.special & subtract)),
                "special": large.special}

    def _sum(self, m: Module, significand: Value, addend: Value, subtract: Value) -> Value:
        turned = addend ^ subtract.replicate(len(addend))
        total = named(m, "total", Cat(C(1, 1), C(0, 3), significand) + Cat(subtract, turned))
        return Cat(total[1:-1], total[-1] & ~subtract)

    def _measure(self, m: Module, inner: FloatFormat, scale: Value, total: Value, sign: Value,
                 subtract: Value, nan: Value, special: Value) -> dict[str, Value]:
        out = self.formats[2]
        zeros, some = leading_zeros(m, total, "leading")
        zeros = named(m, "zeros", zeros)
        base = named(m, "difference", scale - zeros)
        amount = zeros
        if out.exponent_bits > inner.exponent_bits:
            base = Mux(some, base + (out.bias - inner.bias), 0)
        elif self.subnormals == "keep":
            limited = named(m, "limited", base[-1] | ~some)
            amount = named(m, "amount", Mux(limited, scale, zeros)[:len(zeros)])
            base = base[:-1] & (~limited).replicate(len(base) - 1)
            base = Cat(base, C(0, 1)).as_signed()
        return {"total": total, "amount": amount, "base": base,
                "sign": sign & (some | ~subtract | special), "nan": nan, "infinite": special}

    def _normalise(self, m: Module, total: Value, amount: Value, base: Value, sign: Value,
                   nan: Value, infinite: Value) -> dict[str, Value]:
        normal = shift_left(m, total, amount, "normalise")
        cut = len(total) - self.formats[2].precision
        return {"base": base.as_signed(), "significand": normal[cut:], "guard": normal[cut - 1],
                "sticky": normal[:cut - 1].any(), "sign": sign, "nan": nan, "infinite": infinite}
