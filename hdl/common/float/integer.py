"""Conversion of integers to floating point with one rounding."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal
from amaranth.lib import wiring

from .config import FloatFormat
from .pack import pack
from .place import Place
from .stages import Stages, named, ports

CUTS = {1: ("measured",), 2: ("measured", "placed"), 3: ("magnitude", "measured", "placed"),
        4: ("magnitude", "measured", "placed", "packed")}


class IntToFloat(wiring.Component):
    """A signed integer in a floating-point format, rounded once.

    Parameters
    ----------
    width : int
        Bits of the two's complement, 2 to 64.
    out : FloatFormat
        With an exponent of at least 3 bits.
    stages : int
        Register stages, 0 to 4.

    Attributes
    ----------
    value : In
        Two's complement in a plain word.
    advance : In(1)
        Moves all stages; only there if there are some.
    result : Out

    Raises
    ------
    ValueError
        If a parameter is not as said.
    """

    def __init__(self, width: int, out: FloatFormat, stages: int = 0):
        if width not in range(2, 65):
            raise ValueError(f"width must be 2 to 64, not {width}")
        if out.exponent_bits < 3:
            raise ValueError(f"out must have at least 3 exponent bits, and {out.name} has "
                             f"{out.exponent_bits}")
        self.width, self.out, self.stages = width, out, stages
        self.part_name = f"int_to_float_{width}_{out.name}_{stages}"
        super().__init__(ports({"value": width}, out.width, stages))

    def elaborate(self, platform):
        m = Module()
        stages = Stages(m, self, CUTS)
        sign = self.value[-1]
        turned = named(m, "turned", self.value ^ sign.replicate(self.width))
        sign, word = stages.end("magnitude", sign=sign, word=(turned + sign)[:self.width])
        place = Place(self.out, self.width, 0, True)
        distance, base = place.measure(m, word, C(place.depth(0), self.out.exponent_bits + 1)
                                       .as_signed())
        sign, word, distance, base = stages.end(
            "measured", sign=sign, word=word, distance=distance, base=base)
        placed = {**place.shift(m, word, distance), "base": base, "sign": sign}
        placed = dict(zip(placed, stages.end("placed", **placed), strict=True))
        none = Signal(name="none")
        packed = pack(m, self.out, "keep", **placed, nan=none, infinite=none)
        result, = stages.end("packed", result=Cat(packed))
        m.d.comb += self.result.eq(result)
        return m
