"""The two ends of a serial line: eight bits, no parity, one stop bit."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out


class UartReceiver(wiring.Component):
    """Bytes from a line, each sampled in the middle of its bits.

    A start bit that is over by its middle, a byte without a stop bit, and what arrives while not
    ``listen`` are dropped. Every bit of a byte shows on ``bit`` with ``bit_strobe``, first the
    least significant one, and the whole byte on ``data`` with ``strobe`` at its stop bit.

    Parameters
    ----------
    divisor : int
        Clock cycles of a bit, at least 4.
    """

    def __init__(self, divisor: int):
        self.divisor = divisor
        super().__init__({"rx": In(1, init=1), "listen": In(1), "bit": Out(1),
                          "bit_strobe": Out(1), "data": Out(8), "strobe": Out(1)})

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.line = FFSynchronizer(self.rx, line, init=1)
        timer = Signal(range(self.divisor))
        middle = Signal()
        # a one above the bits not yet sampled moves down with them
        byte = Signal(9)
        m.d.comb += [middle.eq(timer == 0), self.bit.eq(line), self.data.eq(byte[1:])]
        m.d.sync += timer.eq(timer - 1)
        with m.If(middle):
            m.d.sync += timer.eq(self.divisor - 1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [timer.eq(self.divisor // 2 - 1), byte.eq(1 << 8)]
                with m.If(self.listen & ~line):
                    m.next = "START"
            with m.State("START"), m.If(middle):
                m.next = "DATA"
                with m.If(line | ~self.listen):
                    m.next = "IDLE"
            with m.State("DATA"), m.If(middle):
                with m.If(byte[0] | ~self.listen):
                    m.d.comb += self.strobe.eq(line & self.listen)
                    m.next = "IDLE"
                with m.Else():
                    m.d.comb += self.bit_strobe.eq(1)
                    m.d.sync += byte.eq(Cat(byte[1:], line))
        return m


class UartTransmitter(wiring.Component):
    """Bytes to a line. Every bit shows on ``bit`` with ``bit_strobe`` before it is sent.

    Parameters
    ----------
    divisor : int
        Clock cycles of a bit.
    """

    def __init__(self, divisor: int):
        self.divisor = divisor
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1), "bit": Out(1),
                          "bit_strobe": Out(1)})

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self.divisor))
        # the bits to send with a one above them; a one by itself is the stop bit
        bits = Signal(9)
        busy = Signal()
        step = Signal()
        m.d.comb += [step.eq(busy & (timer == 0)), self.i.ready.eq(~busy),
                     self.bit.eq(bits[0]), self.bit_strobe.eq(step & (bits[1:] != 0))]
        m.d.sync += timer.eq(timer - 1)
        with m.If(~busy | step):
            m.d.sync += timer.eq(self.divisor - 1)
        with m.If(step):
            m.d.sync += [self.tx.eq(bits[0] | (bits[1:] == 0)), bits.eq(Cat(bits[1:], Const(0, 1)))]
            with m.If(bits == 0):
                m.d.sync += busy.eq(0)
        with m.If(~busy & self.i.valid):
            m.d.sync += [bits.eq(Cat(self.i.payload, 1)), busy.eq(1), self.tx.eq(0)]
        return m
