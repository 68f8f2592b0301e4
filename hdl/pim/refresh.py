"""Refresh: when it is due, what waits for it, and whether announced bursts fit before it."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import PimConfig
from .decode import decoded_layout
from .elapsed import Elapsed


class Refresh(wiring.Component):
    """Cycles until refresh is due, and columns that HEADER has announced.

    Attributes
    ----------
    command : In
        See `decode.decoded_layout`.
    accept : In(1)
        It is carried out in this cycle.
    cycles_left : Out
        Until refresh is due.
    refreshes : Out(1)
        REF is carried out in this cycle.
    soon_rfc : Out(1)
        Too soon after REF for an activation or another REF.
    overdue : Out(1)
        The command may not be begun before a refresh.
    mismatch : Out(1)
        The command does not fit what was announced.
    """

    part_name = "refresh"

    def __init__(self, config: PimConfig):
        self.config = config
        trefi = config.timing.trefi
        super().__init__({"command": In(decoded_layout(config)), "accept": In(1),
                          "cycles_left": Out(range(config.timing.trefi + 1), init=trefi),
                          "refreshes": Out(1), "soon_rfc": Out(1), "overdue": Out(1),
                          "mismatch": Out(1)})

    def elaborate(self, platform):
        m = Module()
        command, t = self.command, self.config.timing
        refreshes, left = self.refreshes, self.cycles_left
        m.d.comb += refreshes.eq(self.accept & command.refresh)
        due = Signal()
        m.d.sync += due.eq(~refreshes & (left <= 1))
        with m.If(refreshes):
            m.d.sync += left.eq(t.trefi - 1)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        announced = Signal.like(command.n, name="columns_announced")
        with m.If(self.accept & command.header):
            m.d.sync += announced.eq(command.n)
        with m.Elif(self.accept & command.mac):
            m.d.sync += announced.eq(Mux(announced == 0, 0, announced - command.n))
        activates = command.activate | command.pim_activate
        m.d.comb += [
            self.soon_rfc.eq((activates | command.refresh)
                             & Elapsed(m, "ref", refreshes, t.trfc).below(t.trfc)),
            self.overdue.eq((activates & due)
                            | (command.header & command.header_late)),
            self.mismatch.eq((announced != 0) & (
                command.refresh | command.header | (command.mac & (command.n > announced)))),
        ]
        return m
