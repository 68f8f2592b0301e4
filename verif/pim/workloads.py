"""A controller's work for the PIM banks: rows that are multiplied, and others that are read.

Commands are given as soon as the rules allow, those of the multiplication first. With two row
buffers a bank, reads run beside it; with one they come before it, as no row can stay open for
both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.commands import Code, Op
from pimlico.hdl.pim.config import PimConfig

from ..episode import Episode
from .rules import ACTIVATIONS, Command, Rules


class Schedule(NamedTuple):
    """Commands, each with the cycle since reset in which it is carried out."""

    commands: list[tuple[int, Command]]
    start: int
    """First cycle after the preparation: the global buffer is written, accumulators are zeros."""

    @property
    def cycles(self) -> int:
        """Cycles that all work takes, without the preparation."""
        return self.commands[-1][0] + 1 - self.start

    @property
    def pim_cycles(self) -> int:
        """Cycles until the last burst of MAC has begun."""
        return self.last(Op.MAC) - self.start

    def last(self, op: Op) -> int:
        """Cycle of the last command of a kind."""
        return max(cycle for cycle, command in self.commands if command.op == op)

    def count(self, op: Op) -> int:
        """Commands of a kind."""
        return sum(command.op == op for _, command in self.commands)

    def episode(self, config: PimConfig, columns: list[int]) -> Episode:
        """The same for the bench, `columns` in turn for the global buffer."""
        port: Stream = config.port("cmd")
        cycles = [0, *(cycle for cycle, _ in self.commands)]
        data = [columns[at % len(columns)] for at in range(self.count(Op.GB_WR))]
        return Episode(
            "rows multiplied, others read",
            {"cmd": [port.pack(command._asdict()) for _, command in self.commands],
             "wdata": data},
            delay={"cmd": [now - before - 1 for before, now in pairwise(cycles)]})


def schedule(config: PimConfig, rows: int, columns: int, reads: int = 0) -> Schedule:
    """Work of a matrix and of reads beside.

    Parameters
    ----------
    config : PimConfig
        Of 4 rows at least. With as many bank groups as fit, RD comes every tCCD short.
    rows : int
        Rows that all banks multiply by the vectors in the global buffer, one after the other;
        those of the lower half of the banks, again and again if they are fewer.
    columns : int
        Columns of each, up to the size of a row and of the global buffer.
    reads : int
        Columns read of the upper half, whole rows of the banks in turn.
    """
    return _Controller(config, rows, columns, reads).run()


class _Controller:
    def __init__(self, config: PimConfig, rows: int, columns: int, reads: int):
        self.config, self.columns = config, columns
        self.rules = Rules(config)
        self.rules.tick()
        self.given: list[tuple[int, Command]] = []
        self._every = (1 << config.banks) - 1
        self._half = config.rows // 2
        self._multiplies = deque(self._bursts(rows))
        self._rows = deque((number % config.banks, self._half + number // config.banks % self._half,
                            min(config.cols, reads - number * config.cols))
                           for number in range(-(-reads // config.cols)))
        """Rows to read: bank, row and columns."""
        self._open: dict[int, tuple[int, int]] = {}
        """By bank, in the order of activations: the row that is read, and columns to come."""
        self._next_open = 0
        """Earliest cycle for the next activation for MAC."""
        self._drains = False

    def _bursts(self, rows: int) -> Iterator[Command]:
        dual, every = self.config.dual_row_buffer, self._every
        for number in range(rows):
            yield Command(Op.PIM_ACT if dual else Op.ACT_ALL, every, number % self._half)
            yield Command(Op.MAC, every, n=self.columns)
            yield Command(Op.PIM_PRE if dual else Op.PRE_ALL, every)

    def run(self) -> Schedule:
        for slot in range(self.config.acc_slots):
            self._wait(Command(Op.ACC_WR, self._every, slot=slot))
        for vector in range(self.config.reuse):
            for col in range(self.columns):
                self._wait(Command(Op.GB_WR, col=col, slot=vector))
        start = self.rules.now
        while self._multiplies or self._rows or self._open:
            any(self._give(command) for command in self._wanted())
            self.rules.tick()
        return Schedule(self.given, start)

    def _wait(self, command: Command) -> None:
        while not self._give(command):
            self.rules.tick()
        self.rules.tick()

    def _give(self, command: Command) -> bool:
        """Carry out a command now, if it is legal."""
        rules = self.rules
        if rules.check(command)[0] != Code.OK:
            return False
        rules.apply(command)
        self.given.append((rules.now, command))
        bank = command.bank_mask.bit_length() - 1
        if self._multiplies and command is self._multiplies[0]:
            self._multiplies.popleft()
            if command.op in ACTIVATIONS:
                self._next_open = rules.now + self.config.row_cycles(self.columns)
        elif command.op == Op.ACT:
            at = next(at for at, row in enumerate(self._rows) if row[0] == bank)
            _, row, count = self._rows[at]
            del self._rows[at]
            self._open[bank] = row, count
        elif command.op == Op.RD:
            row, count = self._open[bank]
            self._open[bank] = row, count - 1
        elif command.op == Op.PRE:
            row, count = self._open.pop(bank)
            if count:
                self._rows.appendleft((bank, row, count))
        elif command.op == Op.REF:
            self._drains = False
        return True

    def _wanted(self) -> Iterator[Command]:
        """What would be given now, the most urgent first."""
        head = self._multiplies[0] if self._multiplies else None
        starts = head is None or head.op in ACTIVATIONS
        if starts and self.rules.refresh_left <= self.config.row_cycles(self.config.cols):
            self._drains = True
        if head and not (self._drains and starts) and (
                self.config.dual_row_buffer or not (self._rows or self._open)):
            yield head
        if self._drains:
            yield Command(Op.REF)
        yield from self._reads()

    def _reads(self) -> Iterator[Command]:
        for bank, (_, count) in self._open.items():
            if self._drains or not count:
                yield Command(Op.PRE, 1 << bank)
        waits = set(self._open)
        for bank, row, _ in self._rows:
            if bank not in waits and self._may_open():
                waits.add(bank)
                yield Command(Op.ACT, 1 << bank, row)
        for bank, (_, count) in self._open.items():
            if count and not self._drains:
                # columns are taken from the end: the count is all that is kept
                yield Command(Op.RD, 1 << bank, col=count - 1)

    def _may_open(self) -> bool:
        """Whether an activation now would not be in the way of the next one for MAC."""
        t = self.config.timing
        late = self.rules.now + max(t.tfaw, t.trrd_l) > self._next_open
        return not self._drains and not (self.config.dual_row_buffer and self._multiplies and late)
