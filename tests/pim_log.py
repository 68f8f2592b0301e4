"""The rules of the PIM banks told slowly, from a log of all commands that were carried out.

Nothing is counted and no state is kept: every rule goes back through the log, and compares the
cycle of a command with that of an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from pim_log_bursts import (
    BURSTS,
    MACS,
    MULTIPLIED_ROW,
    QUANTIZED,
    WRITES,
    out_of_range,
    settles,
    turns,
)

from pimlico.hdl.pim.commands import Code, Op

OPENS = (Op.ACT, Op.ACT_GROUP, Op.ACT_ALL, Op.PIM_ACT)
CLOSES = (Op.PRE, Op.PRE_ALL, Op.PIM_PRE)
LONGEST = 300
"""Cycles after which no column has anything against a command."""


class Done(NamedTuple):
    """A command that was carried out, when, and in which banks."""

    cycle: int
    command: object
    banks: tuple[int, ...]


class Column(NamedTuple):
    """A column that is read or written, in a bank; each turn of a burst is one."""

    cycle: int
    bank: int
    buffer: str
    writes: bool
    slot: int | None
    """The accumulator that it is added to, if it is."""


class Log:
    """Commands in the order in which they were carried out, in the cycles since reset.

    Parameters
    ----------
    config : PimConfig
    """

    def __init__(self, config):
        self.config = config
        self.done: list[Done] = []
        self.columns: list[Column] = []

    def add(self, cycle, command):
        config = self.config
        banks = self.banks(command)
        self.done.append(Done(cycle, command, banks))
        self.columns = [each for each in self.columns if cycle - each.cycle < LONGEST]
        burst = command.op in BURSTS and command.op != Op.PQ_CONFIG
        if burst or command.op in (Op.RD, Op.WR):
            for i, after in enumerate(turns(config, command) if burst else (0,)):
                slot = command.slot + i % config.rotation if command.op in MACS else None
                self.columns += [Column(cycle + after, bank, self.buffer(command),
                                        command.op in WRITES, slot) for bank in banks]

    def buffer(self, command):
        """The row buffer that a command is for."""
        pim = command.op in (*MULTIPLIED_ROW, Op.PIM_ACT, Op.PIM_PRE) \
            and self.config.dual_row_buffer
        return "pim" if pim else "ordinary"

    def banks(self, command):
        every, op = range(self.config.banks), command.op
        if op in (Op.ACT_ALL, Op.REF):
            return tuple(every)
        if op == Op.PRE_ALL:
            return tuple(bank for bank in every if self.row(bank, "ordinary") is not None)
        if op in (Op.GB_WR, Op.HEADER):
            return ()
        named = [bank for bank in every if command.bank_mask & 1 << bank]
        if op == Op.ACT_GROUP:
            return tuple(bank for bank in every if any(self.group(bank) == self.group(other)
                                                       for other in named))
        return tuple(named)

    def group(self, bank):
        return bank * self.config.bank_groups // self.config.banks

    def back(self, ops, bank=None, buffer=None) -> Iterator[Done]:
        """Commands of some kinds, the last one first."""
        return (each for each in reversed(self.done) if each.command.op in ops
                and (bank is None or bank in each.banks)
                and buffer in (None, self.buffer(each.command)))

    def within(self, cycles, now, ops, bank=None, buffer=None) -> Iterator[Done]:
        """Those of the last so many cycles."""
        return takewhile(lambda each: now - each.cycle < cycles, self.back(ops, bank, buffer))

    def row(self, bank, buffer):
        """The row that is open."""
        for each in self.back((*OPENS, *CLOSES), bank, buffer):
            return each.command.row if each.command.op in OPENS else None
        return None

    def written(self, vector):
        """Columns of a vector in the global buffer that were written."""
        found = set()
        for each in self.back((Op.GB_WR, Op.ROW_TO_GB)):
            if each.command.slot == vector:
                found |= {each.command.col} if each.command.op == Op.GB_WR else \
                    set(range(each.command.row, each.command.row + each.command.n))
        return found

    def announced(self):
        """Columns that are to come of those announced last."""
        came = 0
        for each in self.back((Op.HEADER, *MACS)):
            if each.command.op == Op.HEADER:
                return max(0, each.command.n - came)
            came += each.command.n
        return 0

    def burst(self, now):
        """The burst that runs: turns are to come, or what they do is not done yet."""
        last = self.last_turn()
        return last[0] if last and now <= last[1] + settles(self.config, last[0].command) else None

    def last_turn(self):
        """The last burst, and the cycle of its last turn."""
        return next(((each, each.cycle + turns(self.config, each.command)[-1])
                     for each in self.back(BURSTS)), None)


def reasons(log, command, now):
    """All that is against a command in a cycle.

    Returns
    -------
    set of (Code, int or None)
        With the bank, where it is one bank's.
    """
    if command.op not in list(Op) \
            or (command.op in (Op.PIM_ACT, Op.PIM_PRE) and not log.config.dual_row_buffer) \
            or (command.op in QUANTIZED and not log.config.pq):
        return {(Code.RESERVED, None)}
    found = {(code, None) for code in (*_malformed(log.config, command),
                                       *_of_channel(log, command, now))}
    for bank in log.banks(command):
        found |= {(code, bank) for code in _of_bank(log, command, bank, now)}
    return found


def _malformed(config, command):
    op, named = command.op, bin(command.bank_mask).count("1")
    one = op in (Op.ACT, Op.ACT_GROUP, Op.RD, Op.WR, Op.ROW_TO_GB, Op.ACC_RD)
    some = op in (Op.PRE, Op.MAC, Op.ACC_WR, Op.PIM_ACT, Op.PIM_PRE)
    most = {Op.ACC_WR: config.acc_slots, Op.ACC_RD: config.acc_slots, Op.GB_WR: config.reuse,
            Op.ROW_TO_GB: config.reuse}.get(op)
    if (one and named != 1) or (some and named == 0) \
            or (op in OPENS and command.row >= config.rows) \
            or (op == Op.HEADER and command.n == 0) \
            or (op == Op.ACC_WR and command.n not in (0, 1)) \
            or (most is not None and command.slot >= most):
        yield Code.INDEX_RANGE
    if op in BURSTS:
        yield from out_of_range(config, command)
    if (op in (Op.RD, Op.WR) and command.col >= config.cols) \
            or (op == Op.GB_WR and command.col >= config.gb_cols):
        yield Code.COL_OVERRUN


def _of_channel(log, command, now):
    op, t = command.op, log.config.timing
    yield from _of_buffer(log, command)
    if op in (Op.REF, Op.HEADER, *MACS):
        left = log.announced()
        if left and (op not in MACS or command.n > left):
            yield Code.HEADER_MISMATCH
    due = next((each.cycle for each in log.back((Op.REF,))), 0) + t.trefi
    if (op in OPENS and now >= due) or (op == Op.HEADER
                                        and now + command.n * t.tccd_mac > max(now, due)):
        yield Code.REF_OVERDUE
    if op in (*OPENS, Op.REF) and any(log.within(t.trfc, now, (Op.REF,))):
        yield Code.TRFC
    burst = log.burst(now)
    if burst and (op in (*BURSTS, Op.GB_WR)
                  or (op == Op.RD and burst.command.op == Op.ROW_TO_GB)):
        yield Code.BURST_BUSY
    if _slot_busy(log, command, now, burst):
        yield Code.SLOT_BUSY
    banks = log.banks(command)
    groups = {log.group(bank) for bank in banks}

    def too_soon(ops, short, long):
        return any(log.within(short, now, ops)) or any(
            groups & {log.group(bank) for bank in each.banks}
            for each in log.within(long, now, ops))

    if op in OPENS and too_soon(OPENS, t.trrd_s, t.trrd_l):
        yield Code.TRRD
    counted = (Op.ACT,) if t.faw_exempt else OPENS
    if op in counted:  # an activation of many banks counts for four
        window = [min(4, len(each.banks)) for each in log.within(t.tfaw, now, counted)]
        if banks and sum(window) + min(4, len(banks)) > 4:
            yield Code.TFAW
    if op in (Op.RD, Op.WR) and too_soon((Op.RD, Op.WR), t.tccd_s, t.tccd_l):
        yield Code.TCCD
    if op in BURSTS and (last := log.last_turn()):
        gap = 1 if last[0].command.op == Op.PQ_CONFIG else t.tccd_mac
        if now - last[1] < gap:
            yield Code.TCCD


def _of_buffer(log, command):
    """Columns of the global buffer that are read unwritten, or would be left out."""
    config, op = log.config, command.op
    if op == Op.MAC:
        needed = set(range(command.row + command.n))
        if any(needed - log.written(vector) for vector in range(config.reuse)):
            yield Code.GB_UNWRITTEN
    if op == Op.LUT_BUILD and command.row not in log.written(0):
        yield Code.GB_UNWRITTEN
    if op in (Op.GB_WR, Op.ROW_TO_GB) and command.slot < config.reuse:
        first = command.col if op == Op.GB_WR else command.row
        if set(range(first)) - log.written(command.slot):
            yield Code.GB_UNWRITTEN


def _slot_busy(log, command, now, burst):
    config, op, slot = log.config, command.op, command.slot
    mine = [each.cycle for each in log.columns if each.slot == slot]
    if op in (Op.ACC_WR, Op.ACC_RD):
        # a burst has all accumulators that it takes in turn, until its last column's turn
        taken = burst and burst.command.op in MACS \
            and slot in range(burst.command.slot, burst.command.slot + config.rotation)
        return slot < config.acc_slots and bool(
            taken or any(now < cycle + config.column_latency for cycle in mine))
    return op in MACS and config.rotation > 1 and any(
        now < cycle + config.acc_latency for cycle in mine)


def _of_bank(log, command, bank, now):
    config, op, t = log.config, command.op, log.config.timing
    mine, dual = log.buffer(command), config.dual_row_buffer
    row = log.row(bank, mine)
    columns = [each for each in log.columns if each.bank == bank and each.buffer == mine
               and each.cycle < now]

    def soon(ops, least, buffer=mine):
        return any(log.within(least, now, ops, bank, buffer))

    if op in OPENS:
        if row is not None:
            yield Code.ALREADY_OPEN
        if dual and log.row(bank, "pim" if mine == "ordinary" else "ordinary") == command.row:
            yield Code.SAME_ROW_BOTH_BUFFERS
    touches = op in (Op.RD, Op.WR, *BURSTS) and op != Op.PQ_CONFIG
    if (touches or op in (Op.PRE, Op.PIM_PRE)) and row is None:
        yield Code.NOT_OPEN
    burst = log.burst(now)
    if op in (*CLOSES, Op.RD, Op.WR) and burst and bank in burst.banks \
            and log.buffer(burst.command) == mine and burst.command.op != Op.PQ_CONFIG:
        yield Code.BURST_BUSY
    for buffer in ("ordinary", "pim") if op == Op.REF else (mine,):
        if op == Op.REF and log.row(bank, buffer) is not None:
            yield Code.REF_OPEN
        if op in (*OPENS, Op.REF):
            if soon(CLOSES, t.trp, buffer):
                yield Code.TRP
            if soon(OPENS, t.trc, buffer):
                yield Code.TRC
    to_column = t.trcd_rd if op == Op.RD else t.trcd_wr if op in WRITES else t.trcd_mac
    if touches and soon(OPENS, to_column):
        yield Code.TRCD
    if touches and mine == "ordinary":
        if any(now - each.cycle < t.tccd_l for each in columns):
            yield Code.TCCD
        if op not in WRITES and any(now - each.cycle < t.twtr for each in columns if each.writes):
            yield Code.TWTR
    if op in CLOSES:
        if soon(OPENS, t.tras):
            yield Code.TRAS
        if any(now - each.cycle < t.twr for each in columns if each.writes):
            yield Code.TWR
        if any(now - each.cycle < t.trtp for each in columns if not each.writes):
            yield Code.TRTP
