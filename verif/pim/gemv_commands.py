"""The commands of a product, each in its cycle: rows written, multiplied, and sums read.

What has to go on, goes as soon as it is legal: rows open, bursts run, rows close. Between these
commands the bus is free, and takes the rest: sums of lines that are done, accumulators to clear,
the vector's next piece, and, with two row buffers, the rows of the next load.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from .gemv import Burst, Plan
from .gemv_visits import Visit, visits
from .gemv_writer import Writer
from .rules import Op
from .timeline import Timeline

_CLOSE = 8
"""Cycles before the last one for a refresh in which no other command is begun."""


class Phase(NamedTuple):
    """Commands from `first` up to `end` that write a load or a vector, or multiply."""

    kind: str
    load: int
    first: int
    end: int


class Read(NamedTuple):
    """An ACC_RD of a product."""

    line: int
    turn: int
    bank: int


class _Sum(NamedTuple):
    """ACC_RD, or ACC_WR, of an accumulator of a line."""

    op: Op
    mask: int
    slot: int
    read: Read


class Commands:
    """All commands of a product.

    Parameters
    ----------
    made : Plan

    Attributes
    ----------
    timeline : Timeline
        The commands, and their cycles.
    writes : list of (position, bank)
        Of each WR in order; positions as in ``made.order``.
    vectors : list of (vector, column)
        Of each GB_WR.
    reads : list of Read
        Of each ACC_RD.
    phases : list of Phase
    """

    def __init__(self, made: Plan):
        self.made = made
        self.timeline = Timeline(made.config)
        self.writes: list[tuple[int, int]] = []
        self.vectors: list[tuple[int, int]] = []
        self.reads: list[Read] = []
        self.phases: list[Phase] = []
        self._dual = made.config.dual_row_buffer
        self._sums: deque[_Sum] = deque()
        self._unclear: Counter[int] = Counter()
        self._buffer: deque[tuple[int, int, int]] = deque()
        self._tile: int | None = None
        self._writer: Writer | None = None
        self._make()

    def _make(self) -> None:
        made = self.made
        for line in range(min(made.sets, made.lines)):
            self._clear(line)
        planned = visits(made)
        self._load(0)
        first = len(self.timeline.cycles)
        self._need(planned[0][0])
        self._send_vector(0)
        self._phase("vector", 0, first)
        for load in range(made.loads):
            if load:
                self._load(load)
            if self._dual and load + 1 < made.loads:
                self._writer = Writer(made, self.timeline, load + 1)
            self._multiply(load, planned[load])
        while self._sums:
            self._send_sum()

    def _phase(self, kind: str, load: int, first: int) -> None:
        self.phases.append(Phase(kind, load, first, len(self.timeline.cycles)))

    def _load(self, load: int) -> None:
        """Write a load, or what is left of it."""
        first = len(self.timeline.cycles)
        writer = self._writer or Writer(self.made, self.timeline, load)
        self._writer = None
        writer.alone()
        while not writer.done:
            step = writer.step()
            if step is None:
                self._go(Op.REF)
                continue
            op, bank, at = step
            if not self._aside(at):
                writer.take(op, at, bank)
        self.writes += writer.writes
        self._phase("write", load, first)

    def _multiply(self, load: int, planned: Sequence[Visit]) -> None:
        config, line = self.made.config, self.timeline
        opens, closes = (Op.PIM_ACT, Op.PIM_PRE) if self._dual else (Op.ACT_ALL, Op.PRE_ALL)
        first = len(line.cycles)
        self._go(Op.REF)
        for visit, following in zip(planned, [*planned[1:], None], strict=True):
            self._need(visit)
            self._send_vector(max(0, config.timing.trcd_mac - 2))
            if line.due - line.earliest(opens) < visit.need:
                self._refresh()
            self._go(opens, mask=line.every, row=self.made.place(visit.row))
            if self._writer:
                self._writer.beside(visit, following)
            self._go(Op.HEADER, n=visit.n)
            for burst in visit.bursts:
                self._burst(burst)
            self._go(closes, mask=line.every)
        self._phase("compute", load, first)

    def _burst(self, burst: Burst) -> None:
        made = self.made
        slot = made.slot(burst.line)
        while self._unclear[slot]:
            self._send_sum()
        self._send_vector(0)
        self._go(Op.MAC, mask=self.timeline.every, row=burst.column % made.piece, col=burst.col,
                 slot=slot, n=burst.n)
        if burst.column + burst.n == made.columns:
            self._read(burst.line)

    def _read(self, line: int) -> None:
        """Let the sums of a line be read, and its accumulators cleared if another has them."""
        made, config = self.made, self.made.config
        for turn in range(config.rotation):
            for bank in range(config.banks):
                self._sums.append(_Sum(Op.ACC_RD, 1 << bank, made.slot(line) + turn,
                                       Read(line, turn, bank)))
        if line + made.sets < made.lines:
            self._clear(line + made.sets)

    def _clear(self, line: int) -> None:
        slot, config = self.made.slot(line), self.made.config
        for turn in range(config.rotation):
            self._sums.append(_Sum(Op.ACC_WR, self.timeline.every, slot + turn,
                                   Read(line, turn, 0)))
        self._unclear[slot] += config.rotation

    def _need(self, visit: Visit) -> None:
        """Let the global buffer be written with the piece of the vector that a visit needs."""
        if visit.tile == self._tile:
            return
        self._tile = visit.tile
        made, column = self.made, visit.bursts[0].column
        start = column - column % made.piece
        for vector in range(made.config.reuse):
            for col in range(min(made.piece, made.columns - start)):
                self._buffer.append((vector, col, start + col))

    def _send_vector(self, but: int) -> None:
        """Write the global buffer, refreshing as needed, until so many columns are left."""
        line = self.timeline
        while len(self._buffer) > but:
            if not line.pim.open and line.earliest(Op.REF) + _CLOSE > line.due:
                self._refresh()
                continue
            vector, col, _ = self._buffer[0]
            self._go(Op.GB_WR, slot=vector, col=col)

    def _refresh(self) -> None:
        if self.timeline.ordinary.open:
            self._go(Op.PRE_ALL)
        self._go(Op.REF)

    def _send_sum(self) -> None:
        op, mask, slot, read = self._sums[0]
        self._go(op, mask=mask, slot=slot, tag=read.line % 256)

    def _go(self, op: Op, **fields: int) -> None:
        """Issue a command as soon as it is legal, and others while it is not."""
        at = self.timeline.earliest(op, slot=fields.get("slot", 0))
        while self._aside(at, op == Op.REF):
            at = self.timeline.earliest(op, slot=fields.get("slot", 0))
        self._issue(op, at, **fields)

    def _aside(self, until: int, refreshes: bool = False) -> bool:
        """Issue one of the commands that wait for a free cycle, before a given one.

        Rows stay closed before a refresh.
        """
        line = self.timeline
        if until == line.now + 1:
            return False
        at = until
        if self._sums:
            op, mask, slot, read = self._sums[0]
            at = line.earliest(op, slot=slot)
            if at == line.now + 1:
                self._issue(op, at, mask=mask, slot=slot, tag=read.line % 256)
                return True
        buffer = line.earliest(Op.GB_WR) if self._buffer else until
        step = self._writer.step() if self._writer and not refreshes else None
        if step and step[2] < min(until, at, buffer):
            assert self._writer
            self._writer.take(step[0], step[2], step[1])
        elif buffer < min(until, at):
            vector, col, _ = self._buffer[0]
            self._issue(Op.GB_WR, buffer, slot=vector, col=col)
        elif at < until:
            self._issue(op, at, mask=mask, slot=slot, tag=read.line % 256)
        else:
            return False
        return True

    def _issue(self, op: Op, at: int, **fields: int) -> None:
        self.timeline.issue(op, at, **fields)
        if op == Op.ACC_RD:
            self.reads.append(self._sums.popleft().read)
        elif op == Op.ACC_WR:
            slot = self._sums.popleft().slot
            self._unclear[slot - slot % self.made.config.rotation] -= 1
        elif op == Op.GB_WR:
            vector, _, column = self._buffer.popleft()
            self.vectors.append((vector, column))
