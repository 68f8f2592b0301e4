"""Least and greatest element of a row that comes beat by beat."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import KvConfig


class Extremes(wiring.Component):
    """A tree of comparisons over the beat, one register a level, then one over the row's beats.

    A beat is taken at an edge with `valid`; `first` starts a row afresh. From ``minmax_stages``
    edges on, that of the beat included, `low` and `high` are those of the row up to this beat,
    until the next beat comes through. The lowest level compares each pair of elements once, the
    others and the last register twice.
    """

    def __init__(self, config: KvConfig):
        self.config = config
        element = signed(config.elem_width)
        super().__init__({"data": In(config.beat_bits), "valid": In(1), "first": In(1),
                          "low": Out(element), "high": Out(element)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        elements: list[Value] = [self.data.word_select(index, config.elem_width).as_signed()
                                 for index in range(config.beat_elems)]
        lows = highs = elements
        valid, first = self.valid, self.first
        for level in range(config.minmax_stages - 1):
            lows, highs = _level(m, lows, highs, level)
            valid_next = Signal(name=f"valid_{level}")
            first_next = Signal(name=f"first_{level}", reset_less=True)
            m.d.sync += [valid_next.eq(valid), first_next.eq(first)]
            valid, first = valid_next, first_next

        low = Signal(signed(config.elem_width), name="row_low", reset_less=True)
        high = Signal(signed(config.elem_width), name="row_high", reset_less=True)
        with m.If(valid & (first | (lows[0] < low))):
            m.d.sync += low.eq(lows[0])
        with m.If(valid & (first | (highs[0] > high))):
            m.d.sync += high.eq(highs[0])
        m.d.comb += [self.low.eq(low), self.high.eq(high)]
        return m


def _level(m: Module, lows: list[Value], highs: list[Value],
           level: int) -> tuple[list[Value], list[Value]]:
    """The registers with the lesser and the greater of every two neighbours."""
    below: list[Value] = []
    above: list[Value] = []
    for pair in range(len(lows) // 2):
        a, b = lows[2 * pair:2 * pair + 2]
        c, d = highs[2 * pair:2 * pair + 2]
        ascending = Signal(name=f"ascending_{level}_{pair}")
        m.d.comb += ascending.eq(a < b)
        other = ascending
        if level:
            other = Signal(name=f"ascending_high_{level}_{pair}")
            m.d.comb += other.eq(c < d)
        for results, name, value in ((below, "low", Mux(ascending, a, b)),
                                     (above, "high", Mux(other, d, c))):
            register = Signal(value.shape(), name=f"{name}_{level}_{pair}", reset_less=True)
            m.d.sync += register.eq(value)
            results.append(register)
    for results, name, values in ((below, "low", lows), (above, "high", highs)):
        if len(values) % 2:
            register = Signal(values[-1].shape(), name=f"{name}_{level}_odd", reset_less=True)
            m.d.sync += register.eq(values[-1])
            results.append(register)
    return below, above
