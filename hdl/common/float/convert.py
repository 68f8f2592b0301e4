"""Conversion from one floating-point format to another with one rounding."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Value
from amaranth.lib import wiring

from .config import FloatFormat, Subnormals, check_subnormals
from .pack import pack
from .place import Place
from .stages import Stages, ports
from .unpack import Unpacked, widen, widened

CUTS = {1: ("placed",), 2: ("unpacked", "placed"), 3: ("unpacked", "measured", "placed"),
        4: ("unpacked", "measured", "placed", "packed")}


class FloatConvert(wiring.Component):
    """A number of one format in another, rounded once.

    Also within one format, where it makes NaNs canonical and flushes subnormals.

    Parameters
    ----------
    source, out : FloatFormat
        Any.
    subnormals : str
        ``"keep"`` or ``"flush"``.
    stages : int
        Register stages, 0 to 4.

    Attributes
    ----------
    value : In
    advance : In(1)
        Moves all stages; only there if there are some.
    result : Out

    Raises
    ------
    ValueError
        If `subnormals` or `stages` is not as said.
    """

    def __init__(self, source: FloatFormat, out: FloatFormat, subnormals: Subnormals = "keep",
                 stages: int = 0):
        check_subnormals(subnormals)
        self.formats, self.subnormals, self.stages = (source, out), subnormals, stages
        self.part_name = f"float_convert_{source.name}_{out.name}_{subnormals}_{stages}"
        super().__init__(ports({"value": source.width}, out.width, stages))

    def elaborate(self, platform):
        m = Module()
        source, out = self.formats
        stages = Stages(m, self, CUTS)
        narrows = out.exponent_bits < source.exponent_bits
        inner = source if narrows else widened(
            FloatFormat("precision", source.exponent_bits, out.fraction_bits), source, out)
        value = self.value if narrows else widen(m, self.value, source, inner, self.subnormals,
                                                 "value")
        x = Unpacked(m, value, inner, self.subnormals, "x")
        word, scale, *flags = stages.end(
            "unpacked", word=x.significand, scale=x.scale, sign=x.sign, nan=x.nan,
            infinite=x.special)
        flag_names = ("sign", "nan", "infinite")
        place = Place(out, inner.precision, inner.fraction_bits,
                      narrows and self.subnormals == "keep")
        distance: Value = C(0, 1)
        base: Value = scale - 1
        if narrows:
            depth = place.depth(-inner.bias - inner.fraction_bits) - scale
            distance, base = place.measure(m, word, depth)
        word, distance, base, *flags = stages.end(
            "measured", word=word, distance=distance, base=base,
            **dict(zip(flag_names, flags, strict=True)))
        placed = {**place.shift(m, word, distance), "base": base,
                  **dict(zip(flag_names, flags, strict=True))}
        placed = dict(zip(placed, stages.end("placed", **placed), strict=True))
        result, = stages.end("packed", result=Cat(pack(m, out, self.subnormals, **placed)))
        m.d.comb += self.result.eq(result)
        return m
