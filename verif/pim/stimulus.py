"""Commands for the PIM banks: directed ones first, then random streams without end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pimlico.hdl.pim.commands import Op
from pimlico.hdl.pim.config import PimConfig

from ..episode import Episode
from .cycles import READS
from .mixed import mix, tell
from .script import Commands
from .table_stimulus import tables
from .windows import activations, headers


def episodes(config: PimConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The stimulus of ``pim-channel`` and ``pim-bank``."""
    yield from _directed(config, rng)
    seldom = min(1, 500 / config.timing.trefi)  # it is a long wait until refresh is due
    while True:
        kind = rng.random()
        if kind < 0.12:
            yield activations(config, rng)
        elif kind < 0.16:
            yield _crowded(config, rng)
        elif kind < 0.3:
            yield _afresh(config, rng)
        elif kind < 0.3 + 0.15 * seldom:
            yield headers(config, rng)
        else:
            yield _random(config, rng)


def _directed(config: PimConfig, rng: np.random.Generator) -> Iterator[Episode]:
    yield _first(config, rng)
    made = Commands(config, rng)
    made.fill()
    made.clear()
    made.buffer(8)
    made.open(made.rows[-1])
    for slot in made.mac_slots:
        col, n = made.span()
        made.issue(Op.MAC, made.every, slot=slot, col=col, n=n)
    made.close()
    made.results()
    yield made.script.episode("fill and multiply")
    if config.pq:
        yield tables(config, rng)
    yield _copies(config, rng)
    yield _reads(config, rng)
    yield _edges(config, rng)
    yield _overdue(config, rng)
    for _ in range(2):
        made = Commands(config, rng)
        made.clear()
        mix(made, 30)
        yield made.script.episode("reset in a stream", surplus=[made.column() for _ in range(20)],
                                  cycles=int(rng.integers(5, max(6, made.script.rules.now))))


def _first(config: PimConfig, rng: np.random.Generator) -> Episode:
    """A little of everything in one bank."""
    made = Commands(config, rng)
    n = min(4, config.gb_cols)
    made.issue(Op.ACT, 1, row=0)
    made.issue(Op.ACC_WR, made.every, n=0)
    for col in range(n):
        made.issue(Op.WR, 1, col=col)
    for vector in range(config.reuse):
        for col in range(n):
            made.issue(Op.GB_WR, col=col, slot=vector)
    made.issue(Op.RD, 1, col=0)
    made.issue(Op.RD, 1, col=n - 1)
    made.issue(Op.ACT, 1, row=1)
    if config.dual_row_buffer:
        made.issue(Op.PRE, 1)
        made.issue(Op.PIM_ACT, 1, row=0)
    made.issue(Op.MAC, 1, n=n)
    made.issue(Op.ACC_RD, 1)
    made.close()
    return made.script.episode("first")


def _copies(config: PimConfig, rng: np.random.Generator) -> Episode:
    """Rows copied to the global buffer and multiplied, before and after a refresh."""
    made = Commands(config, rng)
    made.clear()
    n = min(made.spans[0][1], config.gb_cols)
    for number in range(2):
        bank = 1 << int(rng.integers(config.banks))
        made.issue(Op.ACT, bank, row=made.rows[0])
        for vector in range(config.reuse):
            made.issue(Op.ROW_TO_GB, bank, n=n, slot=vector)
        made.issue(Op.PRE_ALL)
        made.open(made.rows[number])
        made.issue(Op.HEADER, n=2 * n)
        for _ in range(2):
            made.issue(Op.MAC, made.every, n=n, slot=made.mac_slots[-1])
        made.close()
        made.issue(Op.REF)
    made.results()
    return made.script.episode("copies", ready={"result": 0.3})


def _reads(config: PimConfig, rng: np.random.Generator) -> Episode:
    """Every column in use, read back under stalls."""
    made = Commands(config, rng)
    for row in made.rows:
        for bank in range(config.banks):
            made.refresh(100)
            made.issue(Op.ACT, 1 << bank, row=row)
            for start, end in made.spans:
                for col in range(start, end):
                    made.issue(Op.RD, 1 << bank, col=col)
        made.issue(Op.PRE_ALL)
    return made.script.episode("read back", ready={"rdata": float(rng.choice([0.2, 0.08]))})


def _crowded(config: PimConfig, rng: np.random.Generator) -> Episode:
    """More columns read, and more accumulators, than may wait for those who take them."""
    made = Commands(config, rng)
    made.clear()
    bank = int(rng.integers(config.banks))
    made.issue(Op.ACT, 1 << bank, row=int(rng.choice(made.rows)))
    for _ in range(READS + 4):
        made.issue(Op.RD, 1 << bank, col=made.span()[0])
    made.results()
    return made.script.episode("crowded replies", ready={
        "rdata": 0.25 / config.timing.tccd_l, "result": 0.2})


def _afresh(config: PimConfig, rng: np.random.Generator) -> Episode:
    """A bank from a reset on, in which no rule has a time to ask for yet: each command on time."""
    made = Commands(config, rng)
    made.edges = rng.random() < 0.5
    bank = 1 << int(rng.integers(config.banks))
    for _ in range(2):
        made.issue(Op.ACT, bank, row=int(rng.choice(made.rows)))
        if rng.random() < 0.5:
            made.issue(Op.RD if rng.random() < 0.5 else Op.WR, bank, col=made.span()[0])
        made.issue(Op.PRE, bank)
    return made.script.episode("a bank afresh")


def _edges(config: PimConfig, rng: np.random.Generator) -> Episode:
    """Each timing rule: refused a cycle too early, then carried out."""
    made = Commands(config, rng)
    made.clear()
    made.buffer(4)
    made.edges = True
    first, last = 1, 1 << config.banks - 1
    row, n = made.rows[0], min(4, config.gb_cols)
    for op in (Op.RD, Op.WR, Op.ROW_TO_GB):
        made.issue(Op.ACT, first, row=row)
        made.issue(op, first, col=0, n=n)
        made.issue(Op.PRE, first)
    for bank in range(min(config.banks, 6)):
        made.issue(Op.ACT, 1 << bank, row=row)
    for op in (Op.WR, Op.WR, Op.RD, Op.RD):
        made.issue(op, first, col=1)
        made.issue(op, last, col=0)
    made.issue(Op.ROW_TO_GB, last, n=n)
    made.issue(Op.PRE_ALL)
    made.issue(Op.REF)
    for _ in range(2):
        made.open(made.rows[-1])
        for slot in (made.mac_slots[0], made.mac_slots[-1], made.mac_slots[-1]):
            made.issue(Op.MAC, first, slot=slot, n=1 + (slot > 0) * (n - 1))
        made.issue(Op.GB_WR, col=0)
        made.issue(Op.ACC_RD, first, slot=made.mac_slots[-1])
        made.issue(Op.MAC, last, slot=made.mac_slots[0], n=n)
        made.issue(Op.ACC_WR, last, slot=made.mac_slots[0], n=1)
        made.close()
    made.issue(Op.REF)
    made.issue(Op.REF)
    made.results()
    return made.script.episode("edges")


def _overdue(config: PimConfig, rng: np.random.Generator) -> Episode:
    """What is refused until a refresh, and what is not."""
    made = Commands(config, rng)
    trefi = config.timing.trefi
    made.issue(Op.ACT, 1, row=made.rows[0])
    made.issue(Op.HEADER, n=1, late=trefi - 100 if trefi > 200 else 0)
    made.open(made.rows[-1])
    made.buffer(1)
    made.issue(Op.MAC, 1, n=1)
    made.issue(Op.HEADER, n=config.cols, late=max(0, 98 - config.cols) if trefi > 200 else trefi)
    made.issue(Op.RD, 1, late=trefi)
    made.open(made.rows[0])
    made.issue(Op.HEADER, n=1)
    made.issue(Op.PRE_ALL)
    made.close()
    made.issue(Op.ACT, 1, row=0)
    made.issue(Op.REF)
    made.issue(Op.ACT, 1, row=made.rows[-1])
    made.issue(Op.RD, 1)
    return made.script.episode("overdue refresh")


def _random(config: PimConfig, rng: np.random.Generator) -> Episode:
    made = Commands(config, rng)
    made.clear()
    mix(made, int(rng.integers(20, 120)))
    if config.pq:
        tell(made)
    elif rng.random() < 0.7:
        made.results()
    stalls = rng.random() < 0.5
    rates = {name: float(rng.choice([1.0, 0.7, 0.3])) for name in ("rdata", "result", "status")}
    length = made.script.rules.now
    return made.script.episode(
        "random stream", surplus=[made.column() for _ in range(40)],
        valid={"cmd": float(rng.choice([1.0, 0.8])), "wdata": float(rng.choice([1.0, 0.6]))}
        if stalls else {}, ready=rates if stalls else {}, cycles=length + 40)
