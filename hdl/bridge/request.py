"""Requests from the line: header and checksum taken apart, the payload passed on byte by byte."""

from __future__ import annotations

from contextlib import contextmanager

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import BAD_COMMAND, BAD_CRC, COMMANDS, OK, REQUEST, TRUNCATED, BridgeConfig
from .crc import Crc16
from .uart import UartReceiver


class RequestReceiver(wiring.Component):
    """Takes a frame after another while ``listen``.

    ``done`` is high for a cycle after a frame, with its header and a code: OK, BAD_COMMAND,
    BAD_CRC or TRUNCATED. Of the payload, ``byte_strobe`` shows each byte on ``byte`` with its
    place ``index``; ``last`` is the byte that came last, and ``rest`` how many came since the
    last whole beat, of ``beat_last`` + 1 bytes.

    Bytes before a frame are skipped. A frame whose bytes stop is truncated; after one with a
    wrong checksum, whose length may be wrong, everything is skipped until the bytes stop.

    Parameters
    ----------
    config : BridgeConfig
    """

    def __init__(self, config: BridgeConfig):
        self.config = config
        super().__init__({
            "rx": In(1, init=1), "listen": In(1), "done": Out(1), "code": Out(3),
            "sequence": Out(8), "command": Out(2), "port": Out(range(len(config.ports) + 1)),
            "unknown": Out(1), "length": Out(8), "last": Out(8), "rest": Out(8),
            "beat_last": In(8), "byte": Out(8), "byte_strobe": Out(1), "index": Out(8)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(self.config.divisor)
        m.submodules.crc = crc = Crc16()
        data, strobe = receiver.data, receiver.strobe
        timer = Signal(self.config.gap_log2 + 1)
        inside, silent = Signal(), Signal()
        m.d.comb += [receiver.rx.eq(self.rx), receiver.listen.eq(self.listen),
                     crc.bit.eq(receiver.bit), crc.enable.eq(receiver.bit_strobe),
                     self.byte.eq(data), silent.eq(timer[-1])]
        m.d.sync += timer.eq(Mux(inside & ~strobe, timer + 1, 0))

        @contextmanager
        def field(name, following):
            with m.State(name):
                m.d.comb += inside.eq(1)
                with m.If(silent):
                    m.d.sync += self.code.eq(TRUNCATED)
                    m.next = "DONE"
                with m.Elif(strobe):
                    m.next = following
                    yield

        with m.FSM():
            with m.State("HUNT"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += [self.index.eq(0), self.rest.eq(0)]
                with m.If(strobe & (data == REQUEST)):
                    m.next = "SEQUENCE"
            with field("SEQUENCE", "COMMAND"):
                m.d.sync += self.sequence.eq(data)
            with field("COMMAND", "PORT"):
                m.d.sync += [self.command.eq(data),
                             self.code.eq(Mux(data < len(COMMANDS), OK, BAD_COMMAND))]
            with field("PORT", "LENGTH"):
                m.d.sync += [self.port.eq(data), self.unknown.eq(data > len(self.config.ports))]
            with field("LENGTH", "PAYLOAD"):
                m.d.sync += self.length.eq(data)
                with m.If(data == 0):
                    m.next = "CRC_LOW"
            with field("PAYLOAD", "PAYLOAD"):
                m.d.comb += self.byte_strobe.eq(1)
                m.d.sync += [self.index.eq(self.index + 1), self.last.eq(data),
                             self.rest.eq(Mux(self.rest == self.beat_last, 0, self.rest + 1))]
                with m.If(self.index + 1 == self.length):
                    m.next = "CRC_LOW"
            for name, following in (("CRC_LOW", "CRC_HIGH"), ("CRC_HIGH", "CHECK")):
                with field(name, following):
                    pass
            with m.State("CHECK"):
                m.next = "DONE"
                with m.If(crc.value != 0):
                    m.d.sync += self.code.eq(BAD_CRC)
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.comb += inside.eq(1)
                with m.If(silent):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "HUNT"
        return m
