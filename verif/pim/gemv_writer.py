"""The columns of a load, written row by row, alone or beside a product."""

from __future__ import annotations

from .gemv import Plan
from .gemv_visits import Visit
from .row_times import open_cycles, visit_cycles
from .rules import Op
from .timeline import Timeline

NEVER = 1 << 60
_MARGIN = 2


class Writer:
    """Writes a load through the ordinary row buffers, with a command whenever it is asked.

    Columns go to the banks in turn, to those of another group each time.

    Parameters
    ----------
    made : Plan
    timeline : Timeline
    load : int

    Attributes
    ----------
    writes : list of (position, bank)
        Of the WRs so far; positions as in ``made.order``.
    """

    def __init__(self, made: Plan, timeline: Timeline, load: int):
        config = made.config
        self.writes: list[tuple[int, int]] = []
        self._made, self._line = made, timeline
        self._row = load * made.load_rows
        self._end = min(self._row + made.load_rows, made.rows)
        self._beat = 0
        self._banks = [group * config.group_banks + bank for bank in range(config.group_banks)
                       for group in range(config.bank_groups)]
        self._positions = made.lines * made.columns
        self.alone()

    @property
    def done(self) -> bool:
        return self._row == self._end and not self._line.ordinary.open

    def alone(self) -> None:
        """Nothing else is to be waited for."""
        self._last_act = self._deadline = NEVER

    def beside(self, visit: Visit, following: Visit | None) -> None:
        """Keep clear of a product that has just opened a row.

        Rows are not opened where the product's next one would have to wait for it. They are
        closed when its row is, if a refresh comes before the next one.
        """
        config, line = self._made.config, self._line
        t = config.timing
        self.alone()
        if following is None:
            return
        follows = line.now + visit_cycles(config, visit.n, len(visit.bursts))
        self._last_act = follows - max(t.trrd_l, 0 if t.faw_exempt else t.tfaw)
        if line.due - follows < following.need:
            self._deadline = line.now + open_cycles(config, visit.n, len(visit.bursts))

    def step(self) -> tuple[Op, int, int] | None:
        """The next command, its bank, and its first cycle; none if it has to wait."""
        line, t = self._line, self._made.config.timing
        deadline = min(self._deadline, line.due - t.trp - _MARGIN)
        if line.ordinary.open:
            if self._beat < self._beats:
                bank = self._banks[self._beat % len(self._banks)]
                at = line.earliest(Op.WR, bank)
                if at + t.twr <= deadline:
                    return Op.WR, bank, at
            return Op.PRE_ALL, 0, line.earliest(Op.PRE_ALL)
        if self._row == self._end:
            return None
        at = line.earliest(Op.ACT_ALL)
        if at > self._last_act or at + max(t.trcd_wr + t.tccd_l + t.twr, t.tras) > deadline:
            return None
        return Op.ACT_ALL, 0, at

    def take(self, op: Op, at: int, bank: int) -> None:
        """Issue the command of `step` in a cycle."""
        line, config = self._line, self._made.config
        if op == Op.WR:
            col = self._beat // config.banks
            line.issue(op, at, mask=1 << bank, col=col)
            self.writes.append((self._row * config.cols + col, bank))
            self._beat += 1
        elif op == Op.ACT_ALL:
            line.issue(op, at, row=self._made.place(self._row))
        else:
            line.issue(op, at)
            if self._beat == self._beats:
                self._row, self._beat = self._row + 1, 0

    @property
    def _beats(self) -> int:
        """Columns of the row in all banks."""
        config = self._made.config
        return min(config.cols, self._positions - self._row * config.cols) * config.banks
