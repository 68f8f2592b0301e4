"""The checksum of a frame, taken bit by bit as the line carries them."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

POLYNOMIAL = 0x8408
"""x^16 + x^12 + x^5 + 1, the CCITT's, its bits reversed as the line sends them."""


class Crc16(wiring.Component):
    """CRC-16/MCRF4XX: begins with ones; after a frame and its own checksum it is 0.

    ``clear`` begins anew, ``enable`` takes ``bit``. A line that sends the checksum's own lowest
    bit each time sends the checksum, since such a bit only shifts it.
    """

    def __init__(self):
        super().__init__({"clear": In(1), "enable": In(1), "bit": In(1), "value": Out(16)})

    def elaborate(self, platform):
        m = Module()
        feedback = self.value[0] ^ self.bit
        with m.If(self.enable):
            m.d.sync += self.value.eq(Cat(self.value[1:], Const(0, 1))
                                      ^ (feedback.replicate(16) & POLYNOMIAL))
        with m.If(self.clear):
            m.d.sync += self.value.eq(0xFFFF)
        return m
