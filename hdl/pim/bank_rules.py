"""The rules of one bank: what a command breaks there."""

from __future__ import annotations

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.parts import place

from .commands import Code
from .config import PimConfig
from .decode import any_of, decoded_layout
from .row_buffer import RowBuffer


class BankRules(wiring.Component):
    """Row buffers of a bank, and the faults of the command that is checked.

    Attributes
    ----------
    command : In
        See `decode.decoded_layout`.
    target : In(1)
        The command names this bank.
    accept : In(1)
        It is carried out in this cycle.
    turn_mac, turn_copy : In(1)
        A column of a burst has its turn in this bank: one that reads the row that MAC uses, or
        the ordinary one.
    turn_store : In(1)
        A column is written by a burst; only with product quantization.
    runs_mac, runs_copy : In(1)
        A burst that began earlier runs in this bank, over either row.
    faults : Out(len(Code))
        A bit for each code.
    open, row : Out
        Of the ordinary row buffer.
    pim_row : Out
        The row that MAC uses.
    """

    part_name = "bank_rules"

    def __init__(self, config: PimConfig):
        self.config = config
        row = range(config.rows)
        super().__init__({
            "command": In(decoded_layout(config)), "target": In(1), "accept": In(1),
            "turn_mac": In(1), "turn_copy": In(1), "runs_mac": In(1), "runs_copy": In(1),
            **({"turn_store": In(1)} if config.pq else {}),
            "faults": Out(len(Code)), "open": Out(1), "row": Out(row), "pim_row": Out(row)})

    def elaborate(self, platform):
        m = Module()
        config, command = self.config, self.command
        ordinary = pim = RowBuffer(config)
        m.submodules.ordinary = place(platform, ordinary)
        here = self.target & self.accept
        closes = command.precharge | command.precharge_all
        m.d.comb += [
            ordinary.opens.eq(command.row), ordinary.activate.eq(here & command.activate),
            ordinary.precharge.eq(here & closes),
            ordinary.write.eq(any_of(here & command.write,
                                     *([self.turn_store] if config.pq else []))),
            self.open.eq(ordinary.open), self.row.eq(ordinary.row)]
        turns, running = self.turn_copy, self.runs_copy
        bursts, pim_bursts = command.copy, command.mac
        if config.pq:
            bursts |= command.load
            pim_bursts |= command.build | command.lookup | command.bin
        if config.dual_row_buffer:
            pim = RowBuffer(config)
            m.submodules.pim = place(platform, pim)
            m.d.comb += [
                pim.opens.eq(command.row), pim.activate.eq(here & command.pim_activate),
                pim.precharge.eq(here & command.pim_precharge), pim.read.eq(self.turn_mac)]
        else:
            turns |= self.turn_mac
            bursts, running = bursts | pim_bursts, running | self.runs_mac
        m.d.comb += [ordinary.read.eq((here & command.read) | turns), self.pim_row.eq(pim.row)]

        writes = any_of(command.write, *([command.store] if config.pq else []))
        columns = command.read | writes | bursts
        opens = command.activate | command.refresh
        faults: dict[Code, Value] = {
            Code.NOT_OPEN: (command.precharge | columns) & ~ordinary.open,
            Code.ALREADY_OPEN: command.activate & ordinary.open,
            Code.REF_OPEN: command.refresh & ordinary.open,
            Code.BURST_BUSY: (closes | command.read | command.write) & running,
            Code.TRP: opens & ordinary.soon_rp,
            Code.TRC: opens & ordinary.soon_rc,
            Code.TRCD: (command.read & ordinary.soon_rcd_rd)
            | (writes & ordinary.soon_rcd_wr) | (bursts & ordinary.soon_rcd_mac),
            Code.TCCD: columns & ordinary.soon_ccd,
            Code.TWTR: (command.read | bursts) & ordinary.soon_wtr,
            Code.TRAS: closes & ordinary.soon_ras,
            Code.TWR: closes & ordinary.soon_wr,
            Code.TRTP: closes & ordinary.soon_rtp,
        }
        if config.dual_row_buffer:
            opens = command.pim_activate | command.refresh
            for code, fault in {
                Code.NOT_OPEN: (pim_bursts | command.pim_precharge) & ~pim.open,
                Code.ALREADY_OPEN: command.pim_activate & pim.open,
                Code.SAME_ROW_BOTH_BUFFERS:
                    (command.activate & pim.open & (pim.row == command.row))
                    | (command.pim_activate & ordinary.open & (ordinary.row == command.row)),
                Code.REF_OPEN: command.refresh & pim.open,
                Code.BURST_BUSY: command.pim_precharge & self.runs_mac,
                Code.TRP: opens & pim.soon_rp,
                Code.TRC: opens & pim.soon_rc,
                Code.TRCD: pim_bursts & pim.soon_rcd_mac,
                Code.TRAS: command.pim_precharge & pim.soon_ras,
                Code.TRTP: command.pim_precharge & pim.soon_rtp,
            }.items():
                faults[code] = faults.get(code, 0) | fault
        m.d.comb += [self.faults[code].eq(self.target & fault) for code, fault in faults.items()]
        return m
