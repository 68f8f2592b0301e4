"""Multiplication of two floating-point numbers with one rounding."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import wiring

from .config import FloatFormat, Subnormals, check_subnormals
from .pack import pack
from .place import Place
from .stages import Stages, named, ports
from .unpack import Unpacked

CUTS = {1: ("product",), 2: ("product", "placed"), 3: ("product", "measured", "placed"),
        4: ("unpacked", "product", "measured", "placed")}


class FloatMultiply(wiring.Component):
    """``a * b``, rounded once to `out`.

    The exact product of the significands is placed by one shifter, which finds its leading one
    only if subnormal operands are kept.

    Parameters
    ----------
    a, b, out : FloatFormat
        Any.
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
        If `subnormals` or `stages` is not as said.
    """

    def __init__(self, a: FloatFormat, b: FloatFormat, out: FloatFormat,
                 subnormals: Subnormals = "keep", stages: int = 0):
        check_subnormals(subnormals)
        self.formats, self.subnormals, self.stages = (a, b, out), subnormals, stages
        self.part_name = f"float_multiply_{a.name}_{b.name}_{out.name}_{subnormals}_{stages}"
        super().__init__(ports({"a": a.width, "b": b.width}, out.width, stages))

    @property
    def _lowest(self) -> int:
        """Where the leading one of a product is at least, unless it is less than half a quantum."""
        a, b, out = self.formats
        if self.subnormals == "flush":
            return a.fraction_bits + b.fraction_bits
        subnormal = 1 - a.bias + 1 - b.bias  # two subnormals give less than two to this
        if subnormal < out.quantum_exponent:
            return min(a.fraction_bits, b.fraction_bits)
        return 0

    def elaborate(self, platform):
        m = Module()
        a_format, b_format, out = self.formats
        stages = Stages(m, self, CUTS)
        a = Unpacked(m, self.a, a_format, self.subnormals, "a")
        b = Unpacked(m, self.b, b_format, self.subnormals, "b")
        place = Place(out, a_format.precision + b_format.precision, self._lowest,
                      self.subnormals == "keep")
        # the last bits of the operands weigh two to the power of scale - bias - fraction_bits
        depth = place.depth(-a_format.bias - a_format.fraction_bits
                            - b_format.bias - b_format.fraction_bits)
        scales = named(m, "scales", a.scale + b.scale)
        nan = a.nan | b.nan | (a.special & b.zero) | (b.special & a.zero)
        x, y, depth, *flags = stages.end(
            "unpacked", a=a.significand, b=b.significand, depth=depth - scales,
            sign=a.sign ^ b.sign, nan=nan, infinite=a.special | b.special)
        flag_names = ("sign", "nan", "infinite")
        word, depth, *flags = stages.end("product", word=x * y, depth=depth,
                                         **dict(zip(flag_names, flags, strict=True)))
        distance, base = place.measure(m, word, depth)
        word, distance, base, *flags = stages.end(
            "measured", word=word, distance=distance, base=base,
            **dict(zip(flag_names, flags, strict=True)))
        placed = {**place.shift(m, word, distance), "base": base,
                  **dict(zip(flag_names, flags, strict=True))}
        placed = dict(zip(placed, stages.end("placed", **placed), strict=True))
        m.d.comb += self.result.eq(pack(m, out, self.subnormals, **placed))
        return m
