"""What a pass did: its counters and its first code."""

from __future__ import annotations

from amaranth.hdl import C, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import CODE_BITS, KvConfig


class Account(wiring.Component):
    """Counts the rows and off-chip bytes of a pass, which ``load`` begins.

    ``fresh_row``: a row came whole from fresh; ``held_row``: one came from the memory. The mask
    counts as packed bits: ``mask_byte`` comes with the first of every eight. They are counted a
    cycle late, off the path of the handshakes. ``fault``: a code, which comes as late.
    """

    part_name = "account"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({
            "load": In(1), "fresh_row": In(1), "held_row": In(1), "mask_byte": In(1),
            "fault": In(CODE_BITS), "code": Out(CODE_BITS),
            "fresh_rows": Out(config.row_bits), "held_rows": Out(config.row_bits),
            "offchip_bytes": Out(config.byte_bits),
        })

    def elaborate(self, platform):
        m = Module()
        size = self.config.row_bytes
        fresh_row = Signal()
        held_row = Signal()
        mask_byte = Signal()
        m.d.sync += [fresh_row.eq(self.fresh_row), held_row.eq(self.held_row),
                     mask_byte.eq(self.mask_byte)]
        added = Signal(range(size + 2))
        # one of four constants, so that one adder does
        m.d.comb += added.eq(Mux(fresh_row, Mux(mask_byte, C(size + 1), C(size)),
                                 mask_byte))
        m.d.sync += [
            self.fresh_rows.eq(self.fresh_rows + fresh_row),
            self.held_rows.eq(self.held_rows + held_row),
            self.offchip_bytes.eq(self.offchip_bytes + added),
        ]
        with m.If(self.code == 0):
            m.d.sync += self.code.eq(self.fault)
        with m.If(self.load):
            m.d.sync += [self.fresh_rows.eq(0), self.held_rows.eq(0),
                         self.offchip_bytes.eq(0), self.code.eq(0)]
        return m
