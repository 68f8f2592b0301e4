"""Answers to the line."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import ANSWER, BridgeConfig
from .crc import Crc16
from .uart import UartTransmitter


class AnswerSender(wiring.Component):
    """Sends an answer from ``start`` on, a cycle high, until ``done``.

    The header must hold meanwhile; the last byte is on its way at ``done``. With ``fetch``,
    byte ``index`` of the payload is to stand on ``byte`` from the next cycle on.

    Parameters
    ----------
    config : BridgeConfig
    """

    def __init__(self, config: BridgeConfig):
        self.config = config
        super().__init__({"tx": Out(1, init=1), "start": In(1), "done": Out(1),
                          "sequence": In(8), "code": In(3), "length": In(8), "fetch": Out(1),
                          "index": Out(8), "byte": In(8)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.transmitter = transmitter = UartTransmitter(self.config.divisor)
        m.submodules.crc = crc = Crc16()
        ready = Signal()
        m.d.comb += [self.tx.eq(transmitter.tx), ready.eq(transmitter.i.ready),
                     crc.bit.eq(transmitter.bit), crc.enable.eq(transmitter.bit_strobe)]

        def send(byte):
            m.d.comb += [transmitter.i.valid.eq(1), transmitter.i.payload.eq(byte)]
            return m.If(ready)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += self.index.eq(0)
                with m.If(self.start):
                    m.next = "SYNC"
            with m.State("SYNC"), send(ANSWER):
                m.next = "SEQUENCE"
            with m.State("SEQUENCE"):
                m.d.comb += crc.clear.eq(1)
                with send(self.sequence):
                    m.next = "CODE"
            with m.State("CODE"), send(self.code):
                m.next = "LENGTH"
            with m.State("LENGTH"), send(self.length):
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.fetch.eq(1)
                m.next = "PAYLOAD"
                with m.If(self.index == self.length):
                    m.next = "CRC_LOW"
            with m.State("PAYLOAD"), send(self.byte):
                m.d.sync += self.index.eq(self.index + 1)
                m.next = "FETCH"
            # the checksum's bits only shift it, so that its upper byte follows in the same place
            with m.State("CRC_LOW"), send(crc.value[:8]):
                m.next = "CRC_HIGH"
            with m.State("CRC_HIGH"), send(crc.value[:8]):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m
