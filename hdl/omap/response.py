"""Responses: kept until the pages of their operation are written."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from .config import STATUS_BITS, OmapConfig


class Responder(Component):
    """The response of an operation, given in the cycle after its last write beat.

    A response that waits for no write beat (``direct``) comes as soon as those before it went.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        width = STATUS_BITS + 1 + config.value_width
        super().__init__({"stage": In(1), "direct": In(1), "response": In(width), "sent": In(1),
                          "staged": Out(1), "room": Out(1), "idle": Out(1),
                          "rsp": Out(stream.Signature(width))})

    def elaborate(self, platform):
        m = Module()
        written = Signal()
        response = Signal(len(self.response), reset_less=True)
        gives = Signal()
        m.d.comb += [
            gives.eq(self.staged & (written | self.sent) & (~self.rsp.valid | self.rsp.ready)),
            self.room.eq(~(self.staged & self.rsp.valid)),
            self.idle.eq(~self.staged & ~self.rsp.valid)]
        with m.If(self.stage):
            m.d.sync += [self.staged.eq(1), written.eq(self.direct), response.eq(self.response)]
        with m.Elif(gives):
            m.d.sync += self.staged.eq(0)
        with m.Elif(self.sent):
            m.d.sync += written.eq(1)
        with m.If(gives):
            m.d.sync += [self.rsp.valid.eq(1), self.rsp.payload.eq(response)]
        with m.Elif(self.rsp.ready):
            m.d.sync += self.rsp.valid.eq(0)
        return m
