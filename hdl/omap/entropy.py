"""A linear generator in place of entropy, for tests only."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, Out

STATE_BITS = 128
TAPS = (127, 125, 100, 98)
"""x^128 + x^126 + x^101 + x^99 + 1, primitive."""


class LinearGenerator(Component):
    """Random numbers from a linear feedback shift register, `width` bits a draw.

    Anybody who sees a few draws can tell all others. Starts the same after every reset.

    Parameters
    ----------
    width : int
        Bits of a draw, at most 128.
    """

    def __init__(self, width: int):
        self.width = width
        super().__init__({"random": Out(stream.Signature(width, always_valid=True))})

    def elaborate(self, platform):
        m = Module()
        state = Signal(STATE_BITS, init=1)
        bits = list(state)
        for _ in range(self.width):
            bits = [reduce(xor, (bits[tap] for tap in TAPS)), *bits[:-1]]
        m.d.comb += self.random.payload.eq(state[:self.width])
        with m.If(self.random.ready):
            m.d.sync += state.eq(Cat(bits))
        return m
