"""The sticky status code."""

from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import Component, In, Out

from .config import BAD_FRAME


class Status(Component):
    """Keeps the first error until ``clear``; an error in the cycle of ``clear`` is kept."""

    def __init__(self) -> None:
        super().__init__({"refused": In(4), "bad_frame": In(1), "clear": In(1), "status": Out(4)})

    def elaborate(self, platform):
        m = Module()
        with m.If((self.status == 0) | self.clear):
            m.d.sync += self.status.eq(Mux(self.bad_frame, BAD_FRAME, self.refused))
        return m
