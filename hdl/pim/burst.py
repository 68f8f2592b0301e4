"""The sequencer of bursts: a column every tCCD."""

from __future__ import annotations

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

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


def column_turns(config: PimConfig) -> dict[str, int]:
    """Turns that a column takes, of the kinds of bursts on sums."""
    return {"load": 1, "store": config.column_sums, "prepare": config.lanes,
            "build": config.column_centroids, "lookup": config.column_indices,
            "bin": config.column_indices}


def longest_column(config: PimConfig) -> int:
    """Most turns that a column takes."""
    return max(column_turns(config).values())


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
        wait = Signal(range(gap), name="cycles_to_turn") if gap > 1 else None
        settles = max(COPY_SETTLES, config.pq_settles) if config.pq else COPY_SETTLES
        is_copy = Signal()
        settles = max(COPY_SETTLES, config.pq_settles) if config.pq else COPY_SETTLES
        settling = Signal(range(settles + 1))
        mask = Signal(config.banks)
        col = Signal(config.col_field)
        gb_col = Signal(config.row_field)
        slot = Signal(config.slot_field)
        base = self.base
        comes = Signal(name="next_comes")
        on_sums = self._on_sums(m, comes, left) if config.pq else None
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
        with m.If(turn.copy):
            m.d.sync += settling.eq(COPY_SETTLES)
        if on_sums is not None:
            with m.Elif(on_sums.turn):
                m.d.sync += settling.eq(config.pq_settles)
        with m.Elif(settling != 0):
            m.d.sync += settling.eq(settling - 1)
        return m

    def _on_sums(self, m: Module, comes: Value, left: Value) -> _OnSums:
        """What bursts of product quantization add: several turns a column."""
        config, command, turn = self.config, self.command, self.turn
        kinds = {kind: Signal(name=f"is_{kind}") for kind in (*ON_SUMS, "bin_mac")}
        for kind, running in kinds.items():
            with m.If(self.start):
                m.d.sync += running.eq(command[kind])
            m.d.comb += turn[kind].eq((self.start & command[kind]) | (comes & running))
        m.d.comb += self.runs.bin_mac.eq(kinds["bin_mac"])
        sub, ends, turns = Signal.like(turn.sub, name="turn_of_column"), Signal(), Signal()
        running = Signal(name="is_on_sums")
        last = Cat(turn[kind] & (sub == count - 1)
                   for kind, count in column_turns(config).items()).any()
        m.d.comb += [turn.sub.eq(sub), turns.eq(Cat(turn[kind] for kind in ON_SUMS).any()),
                     running.eq(Cat(kinds[kind] for kind in ON_SUMS).any()),
                     ends.eq(~turns | last)]
        with m.If(self.start | comes):
            m.d.sync += sub.eq(Mux(ends, 0, sub + 1))
        # after its last turn, a burst keeps others tCCD away
        goes_on = ~ends | (Mux(left != 0, left, command.n) != 1)
        tccd = config.timing.tccd_mac
        wait: Value = Const(tccd - 1, range(tccd))
        for kind in column_turns(config):
            if config.turn_gap(kind) < tccd:
                wait = Mux(turn[kind] & (goes_on | turn.prepare), config.turn_gap(kind) - 1, wait)
        elements_end = (sub & (config.lanes - 1)) == config.lanes - 1
        return _OnSums(kinds, turns, running, ends, wait, Mux(turn.bin, elements_end, ends),
                       ends & ~turn.build)


class _OnSums(NamedTuple):
    kinds: dict[str, Signal]
    """Of the burst that was begun last."""
    turn: Value
    """It is the turn of a burst on sums."""
    running: Value
    """The burst that was begun last is one."""
    ends: Value
    """Its column has no more turns."""
    wait: Value
    """Cycles between this turn and the next."""
    next_col: Value
    next_gb_col: Value
    """The next turn is of another column."""
