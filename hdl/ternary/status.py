"""The sticky status code."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import BAD_CODE, BAD_FRAME


class Status(wiring.Component):
    """Keeps the first error until `clear`; an error in the cycle of `clear` is kept."""

    part_name = "status"

    def __init__(self) -> None:
        super().__init__({"refused": In(3), "bad_frame": In(1), "bad_code": In(1),
                          "clear": In(1), "status": Out(3)})

    def elaborate(self, platform):
        m = Module()
        event = Mux(self.refused != 0, self.refused,
                    Mux(self.bad_frame, BAD_FRAME, Mux(self.bad_code, BAD_CODE, 0)))
        with m.If((self.status == 0) | self.clear):
            m.d.sync += self.status.eq(event)
        return m
