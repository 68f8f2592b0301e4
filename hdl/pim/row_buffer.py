"""A row buffer: which row is open in it, and what it is too soon for."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import PimConfig
from .elapsed import Elapsed


class RowBuffer(wiring.Component):
    """State of one row buffer of a bank. The array itself is read and written at once.

    That cannot be told from a buffer that is written back as it closes: no row is ever open in
    two.

    Attributes
    ----------
    activate, precharge : In(1)
        The row ``opens`` is opened, or the open one closed.
    read, write : In(1)
        A column is read, by RD or in a burst, or written.
    open, row : Out
    soon_rp, soon_rc : Out(1)
        Too soon for an activation, after the last PRE or ACT.
    soon_rcd_rd, soon_rcd_wr, soon_rcd_mac : Out(1)
        Too soon after ACT for RD, WR, and a burst.
    soon_ras, soon_wr, soon_rtp : Out(1)
        Too soon for PRE.
    soon_ccd, soon_wtr : Out(1)
        Too soon for a column, and for one that is read.
    """

    part_name = "row_buffer"

    def __init__(self, config: PimConfig):
        self.config = config
        row = range(config.rows)
        soon = ("rp", "rc", "rcd_rd", "rcd_wr", "rcd_mac", "ras", "wr", "rtp", "ccd", "wtr")
        super().__init__({
            "activate": In(1), "precharge": In(1), "read": In(1), "write": In(1),
            "opens": In(row), "open": Out(1), "row": Out(row),
            **{f"soon_{name}": Out(1) for name in soon}})

    def elaborate(self, platform):
        m = Module()
        t = self.config.timing
        with m.If(self.activate):
            m.d.sync += [self.open.eq(1), self.row.eq(self.opens)]
        with m.If(self.precharge):
            m.d.sync += self.open.eq(0)
        act = Elapsed(m, "act", self.activate, max(t.trc, t.trcd_rd, t.trcd_wr, t.trcd_mac))
        pre = Elapsed(m, "pre", self.precharge, t.trp)
        read = Elapsed(m, "read", self.read, t.trtp)
        write = Elapsed(m, "write", self.write, max(t.twr, t.twtr))
        column = Elapsed(m, "column", self.read | self.write, t.tccd_l)
        m.d.comb += [
            self.soon_rp.eq(pre.below(t.trp)), self.soon_rc.eq(act.below(t.trc, "act_act")),
            self.soon_rcd_rd.eq(act.below(t.trcd_rd, "act_rd")),
            self.soon_rcd_wr.eq(act.below(t.trcd_wr, "act_wr")),
            self.soon_rcd_mac.eq(act.below(t.trcd_mac, "act_mac")),
            self.soon_ras.eq(act.below(t.tras, "act_pre")),
            self.soon_wr.eq(write.below(t.twr, "write_pre")), self.soon_rtp.eq(read.below(t.trtp)),
            self.soon_ccd.eq(column.below(t.tccd_l)),
            self.soon_wtr.eq(write.below(t.twtr, "write_read"))]
        return m
