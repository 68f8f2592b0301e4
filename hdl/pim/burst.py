"""The sequencer of bursts: a column every tCCD."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .column_turns import longest_column, turns_on_sums
from .config import PimConfig
from .decode import ON_SUMS, decoded_layout

COPY_SETTLES = 2
"""Cycles from the last column of a copy until it is in the global buffer."""


def turn_layout(config: PimConfig) -> data.StructLayout:
    """A column's turn: in which banks, of which column, with which one of the global buffer, for
    which slot or vector; ``mac`` or ``copy``.

    With product quantization also a burst on sums: ``gb_col`` is then a column of the operand
    buffer or of sums, and ``sub`` the number within a column of indices, centroids or sums.
    """
    sums = {**dict.fromkeys((*ON_SUMS, "bin_mac"), 1),
            "sub": range(longest_column(config))} if config.pq else {}
    return data.StructLayout({
        "mac": 1, "copy": 1, "mask": config.banks, "col": config.col_field,
        "gb_col": config.row_field, "slot": config.slot_field, **sums})


class Burst(wiring.Component):
    """Gives the columns of MAC and ROW_TO_GB their turns, the first in the cycle of the command.

    Attributes
    ----------
    command : In
        See `decode.decoded_layout`.
    start : In(1)
        A burst is carried out from this cycle on.
    turn : Out
        The column whose turn it is in this cycle; neither ``mac`` nor ``copy`` if none.
    runs : Out
        The burst that began earlier and has columns to come, in the same form; of a copy also
        those that are not in the global buffer yet.
    base : Out
        The first slot of that burst.
    soon_ccd : Out(1)
        Too soon for a burst after the last column.
    """

    part_name = "burst"

    def __init__(self, config: PimConfig):
        self.config = config
        super().__init__({
            "command": In(decoded_layout(config)), "start": In(1),
            "turn": Out(turn_layout(config)), "runs": Out(turn_layout(config)),
            "base": Out(config.slot_field), "soon_ccd": Out(1)})

    def elaborate(self, platform):
        m = Module()
        config, command, turn, runs = self.config, self.command, self.turn, self.runs
        gap = config.timing.tccd_mac
        left = Signal.like(command.n, name="columns_left")
        longest = max(gap, config.turn_gap("bin")) if config.pq else gap
        wait = Signal(range(longest), name="cycles_to_turn") if longest > 1 else None
        is_copy = Signal()
        settles = max(COPY_SETTLES, config.pq_settles) if config.pq else COPY_SETTLES
        settling = Signal(range(settles + 1))
        mask = Signal(config.banks)
        col = Signal(config.col_field)
        gb_col = Signal(config.row_field)
        slot = Signal(config.slot_field)
        base = self.base
        comes = Signal(name="next_comes")
        on_sums = turns_on_sums(m, self, comes, left) if config.pq else None
        others = is_copy if on_sums is None else is_copy | on_sums.running
        ends = 1 if on_sums is None else on_sums.ends
        m.d.comb += [
            self.soon_ccd.eq(wait != 0 if wait is not None else 0),
            comes.eq((left != 0) & ~self.soon_ccd),
            turn.mac.eq((self.start & command.mac) | (comes & ~others)),
            turn.copy.eq((self.start & command.copy) | (comes & is_copy)),
            # not chosen by `start`, which comes late: no burst begins while one has columns left
            turn.mask.eq(Mux(left != 0, mask, command.mask)),
            turn.col.eq(Mux(left != 0, col, command.col)),
            turn.gb_col.eq(Mux(left != 0, gb_col, command.row)),
            turn.slot.eq(Mux(left != 0, slot, command.slot)),
            runs.mac.eq((left != 0) & ~others),
            runs.copy.eq(is_copy & ((left != 0) | (settling != 0))),
            runs.mask.eq(mask), runs.col.eq(col), runs.gb_col.eq(gb_col), runs.slot.eq(slot),
        ]
        if wait is not None:
            with m.If(self.start | comes):
                m.d.sync += wait.eq(gap - 1 if on_sums is None else on_sums.wait)
            with m.Elif(wait != 0):
                m.d.sync += wait.eq(wait - 1)
        with m.If(self.start):
            m.d.sync += [left.eq(command.n - ends), mask.eq(command.mask), base.eq(command.slot),
                         is_copy.eq(command.copy)]
        with m.Elif(comes):
            m.d.sync += left.eq(left - ends)
        with m.If(self.start | comes):
            m.d.sync += [
                col.eq(turn.col + (1 if on_sums is None else on_sums.next_col)),
                gb_col.eq(turn.gb_col + (1 if on_sums is None else on_sums.next_gb_col))]
            first = Mux(left != 0, base, command.slot)
            stays = turn.copy if on_sums is None else turn.copy | on_sums.turn
            with m.If(stays | (config.rotation == 1)):
                m.d.sync += slot.eq(turn.slot)
            with m.Elif(turn.slot - first == config.rotation - 1):
                m.d.sync += slot.eq(first)
            with m.Else():
                m.d.sync += slot.eq(turn.slot + 1)
        if on_sums is not None:
            m.d.comb += [runs[kind].eq(on_sums.kinds[kind] & ((left != 0) | (settling != 0)))
                         for kind in ON_SUMS]
            m.d.comb += runs.bin_mac.eq(on_sums.kinds["bin_mac"])
        with m.If(turn.copy):
            m.d.sync += settling.eq(COPY_SETTLES)
        if on_sums is not None:
            with m.Elif(on_sums.turn):
                m.d.sync += settling.eq(config.pq_settles)
        with m.Elif(settling != 0):
            m.d.sync += settling.eq(settling - 1)
        return m
