"""How long a product takes: rows and refreshes, counted without placing a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pimlico.hdl.pim.config import PimConfig

from .gemv import Burst, Plan
from .row_times import SPARE, open_cycles, turnover, visit_cycles


@dataclass(frozen=True)
class Visit:
    """A row that is opened, multiplied and closed.

    Attributes
    ----------
    row : int
        Counts the DRAM rows of all loads.
    tile : int
        Which piece of the vector the global buffer has; another number after each change.
    bursts : tuple of Burst
    need : int
        Cycles from its opening to the next refresh that it needs at most.
    """

    row: int
    tile: int
    bursts: tuple[Burst, ...]
    need: int

    @property
    def n(self) -> int:
        """Columns."""
        return sum(burst.n for burst in self.bursts)


def visits(made: Plan) -> list[list[Visit]]:
    """The rows that each load opens, in order."""
    config, t = made.config, made.config.timing
    most = t.trefi - t.trfc - SPARE
    loads: list[list[Visit]] = [[] for _ in range(made.loads)]

    def place(in_order: Sequence[Burst], tile: int) -> None:
        row = in_order[0].row
        loads[row // made.load_rows].append(Visit(
            row, tile, tuple(in_order), _need(config, in_order)))

    tile = 0
    for _, same in groupby(made.bursts, key=lambda burst: (burst.row, _tile(made, burst))):
        bursts = list(same)
        tile = _tile(made, bursts[0])
        taken: list[Burst] = []
        for burst in bursts:
            if taken and _need(config, [*taken, burst]) > most:
                place(taken, tile)
                taken = []
            taken.append(burst)
        place(taken, tile)
    return loads


def closed_form(made: Plan) -> list[int]:
    """Cycles in which each load is multiplied: from a refresh until all rows are closed.

    ``T = max(tRCD + (n - 1) tCCD + tRTP, tRAS) + tRP`` a row of n columns, at least tRC, and tRFC
    a refresh, which comes before a row for which there would be no time. Of R equal rows, ``q =
    floor((tREFI - tRFC - need) / T) + 1`` are between two refreshes, so the load takes ``R T +
    ceil(R / q) tRFC``. Time to read accumulators counts where there is one set of them only, or
    where it is more than all of that; and time to write the global buffer where a load changes
    it. Else both are taken to be hidden.
    """
    return [_load_cycles(made, planned) for planned in visits(made)]


def _load_cycles(made: Plan, planned: Sequence[Visit]) -> int:
    config, t = made.config, made.config.timing
    change = t.trtp + t.trp + t.trcd_mac
    total = left = 0
    before: Visit | None = None
    for visit in planned:
        if left < visit.need:
            total += t.trfc
            left = t.trefi - t.trfc
        spent = visit_cycles(config, visit.n, len(visit.bursts))
        if made.sets == 1:
            begun = sum(burst.column == 0 for burst in visit.bursts[1:])
            spent += begun * max(0, turnover(config) - t.tccd_mac)
            if before and visit.bursts[0].column == 0:
                spent += max(0, turnover(config) - change)
        if before and visit.tile != before.tile:
            spent += max(0, config.reuse * min(made.piece, made.columns) + 4 - change)
        total += spent
        left -= spent
        before = visit
    # each line that takes over accumulators waits for their commands, those of others before
    taking = sum(burst.column == 0 and burst.line >= made.sets
                 for visit in planned for burst in visit.bursts)
    return max(total, taking * (config.banks + 1) * config.rotation)


def _tile(made: Plan, burst: Burst) -> int:
    if made.pieces == 1:
        return 0
    return burst.line // made.sets * made.pieces + burst.column // made.piece


def _need(config: PimConfig, bursts: Sequence[Burst]) -> int:
    """Cycles that these bursts of a row take at most, until banks can refresh."""
    begun = sum(burst.column == 0 for burst in bursts)
    columns = sum(burst.n for burst in bursts)
    return (open_cycles(config, columns, len(bursts)) + config.timing.trp
            + begun * turnover(config) + SPARE)
