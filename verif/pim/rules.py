"""Which command is legal when: the timing rules of the banks, in plain Python.

Times of the last events are kept and compared with the cycle that is now, where the RTL counts.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from pimlico.hdl.pim.commands import PQ_ONLY, Code, Op, known
from pimlico.hdl.pim.config import PimConfig

LONG_AGO = -(10**9)
COPY_SETTLES = 2
"""Cycles from the last column of a ROW_TO_GB until it is in the global buffer."""

ACTIVATIONS = (Op.ACT, Op.ACT_GROUP, Op.ACT_ALL, Op.PIM_ACT)
_ONE_BANK = (Op.ACT, Op.ACT_GROUP, Op.RD, Op.WR, Op.ROW_TO_GB, Op.ACC_RD)
_BANKS = (Op.PRE, Op.MAC, Op.ACC_WR, Op.PIM_ACT, Op.PIM_PRE, *PQ_ONLY)
_BURSTS = (Op.MAC, Op.ROW_TO_GB, *PQ_ONLY)
_MACS = (Op.MAC, Op.BIN_MAC)
_PIM_READS = (*_MACS, Op.LUT_BUILD, Op.LUT_SUM, Op.BIN_ADD)
"""Bursts that read the row that MAC uses."""
_ROW_READS = (Op.RD, *_PIM_READS, Op.ROW_TO_GB, Op.ROW_TO_OB)
_ROW_WRITES = (Op.WR, Op.SUMS_TO_ROW)
_WITH_ROW = (*_ROW_READS, *_ROW_WRITES)


class Command(NamedTuple):
    """A beat of cmd."""

    op: int
    bank_mask: int = 0
    row: int = 0
    col: int = 0
    slot: int = 0
    n: int = 0
    tag: int = 0


class RowBuffer:
    """A row buffer of a bank: what is open, and when what was done to it."""

    def __init__(self) -> None:
        self.row: int | None = None
        self.act = self.pre = LONG_AGO
        self.column = self.read = self.write = LONG_AGO
        """Last column read or written, last one read, last one written; the last one that a
        burst will have, while it runs."""


class Rules:
    """State of all that decides on a command's legality.

    Parameters
    ----------
    config : PimConfig
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.ops = known(config.dual_row_buffer, config.pq)
        self._mac_slots = range(0, config.acc_slots - config.rotation + 1, config.rotation)
        self.reset()

    def reset(self) -> None:
        config = self.config
        self.now = 0
        self.ordinary = [RowBuffer() for _ in range(config.banks)]
        self.pim = [RowBuffer() for _ in range(config.banks)] if config.dual_row_buffer \
            else self.ordinary
        self.filled = [0] * config.reuse
        self.header = 0
        self.slot_free = [LONG_AGO] * config.acc_slots
        self._act, self._act_group = LONG_AGO, [LONG_AGO] * config.bank_groups
        self._window: deque[int] = deque([LONG_AGO] * 4, maxlen=4)
        self._access, self._access_group = LONG_AGO, [LONG_AGO] * config.bank_groups
        self._burst = Command(0)
        self._burst_start, self._burst_gap = 0, 1
        self._burst_last = self._burst_end = LONG_AGO
        self._due = config.timing.trefi
        self._refresh = LONG_AGO

    def tick(self) -> None:
        self.now += 1

    @property
    def busy(self) -> bool:
        """Whether a burst runs, or columns are on their way."""
        return self.now <= self._burst_end or any(self.now < free for free in self.slot_free)

    @property
    def refresh_left(self) -> int:
        """Cycles until refresh is due."""
        return max(0, self._due - self.now)

    def targets(self, command: Command) -> list[int]:
        """The banks that a command is for."""
        op, mask, config = command.op, command.bank_mask, self.config
        if op in (Op.ACT_ALL, Op.REF):
            return list(range(config.banks))
        if op == Op.PRE_ALL:
            return [bank for bank, buffer in enumerate(self.ordinary) if buffer.row is not None]
        if op in (Op.GB_WR, Op.HEADER):
            return []
        named = [bank for bank in range(config.banks) if mask >> bank & 1]
        if op == Op.ACT_GROUP:
            groups = {bank // config.group_banks for bank in named}
            return [bank for bank in range(config.banks) if bank // config.group_banks in groups]
        return named

    def check(self, command: Command) -> tuple[Code, int]:
        """The code with which a command is refused now, and the first bank at fault."""
        if command.op not in self.ops:
            return Code.RESERVED, 0
        faults = self._own_faults(command) | self._channel_faults(command)
        first = 0
        for bank in reversed(self.targets(command)):
            found = self._bank_faults(command, bank)
            if found:
                first = bank
            faults |= found
        return min(faults, default=Code.OK), first

    def _own_faults(self, command: Command) -> set[Code]:
        """What is wrong with the command itself, at any time."""
        config, op, n = self.config, command.op, command.n
        faults = set()
        banks = command.bank_mask.bit_count()
        bad = (op in _ONE_BANK and banks != 1) or (op in _BANKS and banks == 0)
        bad |= op in ACTIVATIONS and command.row >= config.rows
        bad |= op in (*_BURSTS, Op.HEADER) and n == 0
        bad |= op == Op.ACC_WR and n > 1
        bad |= op in (Op.ACC_WR, Op.ACC_RD) and command.slot >= config.acc_slots
        bad |= op in (Op.GB_WR, Op.ROW_TO_GB) and command.slot >= config.reuse
        bad |= op in _MACS and command.slot not in self._mac_slots
        bad |= op == Op.PQ_CONFIG and command.slot > 1
        bad |= op == Op.LUT_SUM and command.slot >= config.row_tables
        if bad:
            faults.add(Code.INDEX_RANGE)
        if self._overruns(command):
            faults.add(Code.COL_OVERRUN)
        return faults

    def _overruns(self, command: Command) -> bool:
        """Whether columns are past the end of what they are of."""
        config, op, n = self.config, command.op, command.n
        row_columns = {Op.RD: 1, Op.WR: 1, Op.PQ_CONFIG: 0, Op.LUT_SUM: 0,
                       Op.BIN_ADD: n * (config.column_indices // config.lanes)}.get(
                           Op(op), n if op in _BURSTS else 0)
        if row_columns and command.col + row_columns > config.cols:
            return True
        if op in (Op.MAC, Op.ROW_TO_GB):
            return command.row + n > config.gb_cols
        if op == Op.GB_WR:
            return command.col >= config.gb_cols
        if op == Op.LUT_BUILD:
            columns = command.slot * config.cols + command.col + n
            return command.row >= config.pq_m or columns > config.codebook_cols
        if op == Op.SUMS_TO_ROW:
            return command.row + n > config.cols
        if op == Op.LUT_SUM and command.col + n > config.token_groups:
            return True
        return op in PQ_ONLY and command.row + n > config.operand_cols

    def _channel_faults(self, command: Command) -> set[Code]:
        config, now, t, op = self.config, self.now, self.config.timing, command.op
        faults = set()
        vector = command.slot if command.slot < config.reuse else None
        if (op == Op.MAC and command.row + command.n > min(self.filled)) \
                or (op == Op.GB_WR and vector is not None and command.col > self.filled[vector]) \
                or (op == Op.ROW_TO_GB and vector is not None
                    and command.row > self.filled[vector]) \
                or (op == Op.LUT_BUILD and command.row >= self.filled[0]):
            faults.add(Code.GB_UNWRITTEN)
        if self.header and (op in (Op.REF, Op.HEADER)
                            or (op in _MACS and command.n > self.header)):
            faults.add(Code.HEADER_MISMATCH)
        if op in ACTIVATIONS:
            faults |= self._activation_faults(command)
        if op == Op.HEADER and command.n * t.tccd_mac > self.refresh_left:
            faults.add(Code.REF_OVERDUE)
        if op in (*_BURSTS, Op.GB_WR) and now <= self._burst_end:
            faults.add(Code.BURST_BUSY)
        if op == Op.RD and self._burst.op == Op.ROW_TO_GB and now <= self._burst_end:
            faults.add(Code.BURST_BUSY)
        if op in (Op.ACC_WR, Op.ACC_RD) and command.slot < config.acc_slots \
                and (now < self.slot_free[command.slot] or self._in_burst(command.slot)):
            faults.add(Code.SLOT_BUSY)
        if op in _MACS and config.rotation > 1 and command.slot < config.acc_slots:
            last = self.slot_free[command.slot] - config.column_latency
            if now < last + config.acc_latency:
                faults.add(Code.SLOT_BUSY)
        if op in (*ACTIVATIONS, Op.REF) and now < self._refresh + t.trfc:
            faults.add(Code.TRFC)
        if op in (Op.RD, Op.WR):
            groups = {bank // config.group_banks for bank in self.targets(command)}
            if now < self._access + t.tccd_s \
                    or any(now < self._access_group[group] + t.tccd_l for group in groups):
                faults.add(Code.TCCD)
        if op in _BURSTS and self._burst.op != Op.PQ_CONFIG \
                and now < self._burst_last + t.tccd_mac:
            faults.add(Code.TCCD)
        return faults

    def _activation_faults(self, command: Command) -> set[Code]:
        config, now, t = self.config, self.now, self.config.timing
        faults = set()
        banks = self.targets(command)
        if not self.refresh_left:
            faults.add(Code.REF_OVERDUE)
        if now < self._act + t.trrd_s or any(
                now < self._act_group[bank // config.group_banks] + t.trrd_l for bank in banks):
            faults.add(Code.TRRD)
        if banks and self._counts(command) and \
                now < self._window[min(4, len(banks)) - 1] + t.tfaw:
            faults.add(Code.TFAW)
        return faults

    def _counts(self, command: Command) -> bool:
        """Whether an activation is one of the four in a window."""
        return command.op == Op.ACT or not self.config.timing.faw_exempt

    def _in_burst(self, slot: int) -> bool:
        """Whether a slot is one of those that a running burst adds to."""
        return (self._burst.op in _MACS and self.now <= self._burst_end
                and 0 <= slot - self._burst.slot < self.config.rotation)

    def _bank_faults(self, command: Command, bank: int) -> set[Code]:
        config, now, t, op = self.config, self.now, self.config.timing, command.op
        ordinary, pim = self.ordinary[bank], self.pim[bank]
        mine = pim if op in (*_PIM_READS, Op.PIM_ACT, Op.PIM_PRE) else ordinary
        faults = set()
        if op in ACTIVATIONS:
            other = ordinary if mine is pim else pim
            if mine.row is not None:
                faults.add(Code.ALREADY_OPEN)
            if config.dual_row_buffer and other.row == command.row:
                faults.add(Code.SAME_ROW_BOTH_BUFFERS)
        if op in (Op.PRE, Op.PIM_PRE, *_WITH_ROW) and mine.row is None:
            faults.add(Code.NOT_OPEN)
        closes = op in (Op.PRE, Op.PRE_ALL, Op.PIM_PRE)
        if (closes or op in (Op.RD, Op.WR)) and self._runs(bank, mine):
            faults.add(Code.BURST_BUSY)
        for buffer in {ordinary, pim} if op == Op.REF else {mine}:
            if op == Op.REF and buffer.row is not None:
                faults.add(Code.REF_OPEN)
            if op in (*ACTIVATIONS, Op.REF):
                if now < buffer.pre + t.trp:
                    faults.add(Code.TRP)
                if now < buffer.act + t.trc:
                    faults.add(Code.TRC)
        rcd = {Op.RD: t.trcd_rd, Op.WR: t.trcd_wr, Op.SUMS_TO_ROW: t.trcd_wr}.get(
            Op(op), t.trcd_mac if op in _WITH_ROW else 0)
        if now < mine.act + rcd:
            faults.add(Code.TRCD)
        if mine is ordinary:
            if op in _WITH_ROW and now < self._turn(mine.column) + t.tccd_l:
                faults.add(Code.TCCD)
            if op in _ROW_READS and now < self._turn(mine.write) + t.twtr:
                faults.add(Code.TWTR)
        if closes:
            faults |= {code for code, since, least in (
                (Code.TRAS, mine.act, t.tras), (Code.TWR, self._turn(mine.write), t.twr),
                (Code.TRTP, self._turn(mine.read), t.trtp)) if now < since + least}
        return faults

    def _turn(self, column: int) -> int:
        """The last column that has had its turn, of a burst up to `column`."""
        gap = self._burst_gap
        return column - max(0, -(-(column - self.now + 1) // gap)) * gap

    def _runs(self, bank: int, buffer: RowBuffer) -> bool:
        """Whether a burst runs over the row in a buffer of a bank."""
        used = self.pim if self._burst.op in _PIM_READS else self.ordinary
        return (self.now <= self._burst_end and bool(self._burst.bank_mask >> bank & 1)
                and buffer is used[bank] and self._burst.op != Op.PQ_CONFIG)

    def apply(self, command: Command) -> None:
        """Carry out a legal command now."""
        op, now = command.op, self.now
        banks = self.targets(command)
        if op in ACTIVATIONS:
            self._activate(command, banks)
        elif op in (Op.PRE, Op.PRE_ALL, Op.PIM_PRE):
            for bank in banks:
                buffer = (self.pim if op == Op.PIM_PRE else self.ordinary)[bank]
                buffer.row, buffer.pre = None, now
        elif op in (Op.RD, Op.WR):
            buffer = self.ordinary[banks[0]]
            self._access = buffer.column = now
            self._access_group[banks[0] // self.config.group_banks] = now
            if op == Op.RD:
                buffer.read = now
            else:
                buffer.write = now
        elif op == Op.GB_WR:
            self.filled[command.slot] = max(self.filled[command.slot], command.col + 1)
        elif op in _BURSTS:
            self._start(command, banks)
        elif op == Op.REF:
            self._refresh, self._due = now, now + self.config.timing.trefi
        elif op == Op.HEADER:
            self.header = command.n

    def _activate(self, command: Command, banks: list[int]) -> None:
        for bank in banks:
            buffer = (self.pim if command.op == Op.PIM_ACT else self.ordinary)[bank]
            buffer.row, buffer.act = command.row, self.now
            self._act_group[bank // self.config.group_banks] = self.now
        self._act = self.now
        if self._counts(command):
            self._window.extend([self.now] * min(4, len(banks)))

    def turns(self, command: Command) -> int:
        """Turns of a burst."""
        config = self.config
        return command.n * {
            Op.SUMS_TO_ROW: config.column_sums, Op.PQ_CONFIG: config.lanes,
            Op.LUT_BUILD: config.column_centroids, Op.LUT_SUM: config.column_indices,
            Op.BIN_ADD: config.column_indices}.get(Op(command.op), 1)

    def gap(self, op: int) -> int:
        """Cycles between turns of a burst: tCCD, or fewer where not each turn is of a column, as
        long as columns are tCCD apart."""
        config, tccd = self.config, self.config.timing.tccd_mac
        if op == Op.PQ_CONFIG:
            return 1
        columns = {Op.SUMS_TO_ROW: config.column_sums, Op.LUT_BUILD: config.column_centroids,
                   Op.BIN_ADD: config.acc_latency * config.lanes}.get(Op(op), 1)
        if columns < tccd or columns == 1:
            return tccd
        return config.acc_latency if op == Op.BIN_ADD else 1

    def turn(self) -> tuple[Command, int] | None:
        """The burst that has a turn in this cycle, and which one, the first being 0."""
        if not self._burst_start <= self.now <= self._burst_last:
            return None
        number, wait = divmod(self.now - self._burst_start, self._burst_gap)
        return None if wait else (self._burst, number)

    def _start(self, command: Command, banks: list[int]) -> None:
        config, op, n = self.config, command.op, command.n
        self._burst, self._burst_start = command, self.now
        self._burst_gap = self.gap(op)
        last = self._burst_last = self.now + (self.turns(command) - 1) * self._burst_gap
        self._burst_end = last
        if op in _WITH_ROW:
            for bank in banks:
                buffer = (self.pim if op in _PIM_READS else self.ordinary)[bank]
                buffer.column = last
                if op in _ROW_READS:
                    buffer.read = last
                else:
                    buffer.write = last
        if op == Op.ROW_TO_GB:
            self._burst_end += COPY_SETTLES
            self.filled[command.slot] = max(self.filled[command.slot], command.row + n)
        elif op not in _MACS:
            self._burst_end += config.pq_settles
        else:
            self._header_and_slots(command)

    def _header_and_slots(self, command: Command) -> None:
        """What a MAC leaves of the header's columns, and when its slots are free again."""
        config, n = self.config, command.n
        self.header = max(0, self.header - n)
        for i in range(max(0, n - config.rotation), n):
            turn = self.now + i * config.timing.tccd_mac
            self.slot_free[command.slot + i % config.rotation] = turn + config.column_latency
