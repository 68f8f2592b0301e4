"""The AXI4-Lite end: two handshakes to a write, one to a read, an answer to each."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .registers import ADDRESS_WIDTH, DATA_WIDTH

OKAY, SLVERR = 0, 2
"""Responses of AXI."""

AXI = {
    "awaddr": In(ADDRESS_WIDTH), "awvalid": In(1), "awready": Out(1),
    "wdata": In(DATA_WIDTH), "wstrb": In(DATA_WIDTH // 8), "wvalid": In(1), "wready": Out(1),
    "bresp": Out(2), "bvalid": Out(1), "bready": In(1),
    "araddr": In(ADDRESS_WIDTH), "arvalid": In(1), "arready": Out(1),
    "rdata": Out(DATA_WIDTH), "rresp": Out(2), "rvalid": Out(1), "rready": In(1),
}
"""Signals of the bus."""

ACCESS = {
    "write": Out(1), "write_word": Out(ADDRESS_WIDTH - 2), "write_data": Out(DATA_WIDTH),
    "write_strobe": Out(DATA_WIDTH // 8), "write_ok": In(1),
    "read_word": Out(ADDRESS_WIDTH - 2), "read_data": In(DATA_WIDTH), "read_ok": In(1),
}
"""What the slave asks of the registers. ``write`` is high for the one cycle in which a write is
carried out, if ``write_ok``; reading changes nothing, and so needs no strobe."""


class AxilSlave(wiring.Component):
    """Turns AXI4-Lite transfers into accesses of registers, one write and one read at a time.

    Every output of the bus comes from a register. Address and data of a write may come in any
    order. What the registers refuse is answered SLVERR. The two lowest bits of an address are
    ignored: a transfer is always of one whole word. An access every second cycle, answered two
    cycles after its address.
    """

    part_name = "slave"

    def __init__(self) -> None:
        super().__init__({**AXI, **ACCESS})

    def elaborate(self, platform):
        m = Module()
        address_full = Signal()
        data_full = Signal()
        read_full = Signal()
        m.d.comb += [
            self.awready.eq(~address_full), self.wready.eq(~data_full),
            self.arready.eq(~read_full),
            self.write.eq(address_full & data_full & (~self.bvalid | self.bready)),
        ]
        with m.If(self.awvalid & self.awready):
            m.d.sync += [self.write_word.eq(self.awaddr[2:]), address_full.eq(1)]
        with m.If(self.wvalid & self.wready):
            m.d.sync += [self.write_data.eq(self.wdata), self.write_strobe.eq(self.wstrb),
                         data_full.eq(1)]
        with m.If(self.write):
            m.d.sync += [address_full.eq(0), data_full.eq(0), self.bvalid.eq(1),
                         self.bresp.eq(Mux(self.write_ok, OKAY, SLVERR))]
        with m.Elif(self.bready):
            m.d.sync += self.bvalid.eq(0)

        with m.If(self.arvalid & self.arready):
            m.d.sync += [self.read_word.eq(self.araddr[2:]), read_full.eq(1)]
        with m.If(read_full & (~self.rvalid | self.rready)):
            m.d.sync += [read_full.eq(0), self.rvalid.eq(1), self.rdata.eq(self.read_data),
                         self.rresp.eq(Mux(self.read_ok, OKAY, SLVERR))]
        with m.Elif(self.rready):
            m.d.sync += self.rvalid.eq(0)
        return m
