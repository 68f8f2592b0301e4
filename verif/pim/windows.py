"""Commands at the ends of windows of time: four activations in one, and headers before refresh."""

from __future__ import annotations

import numpy as np

from pimlico.hdl.pim.commands import Op
from pimlico.hdl.pim.config import PimConfig

from ..episode import Episode
from .rules import Command, RowBuffer
from .script import Commands

_OFTEN = 40
"""Commands of an episode, about."""


def activations(config: PimConfig, rng: np.random.Generator) -> Episode:
    """Rows closed and opened again as soon as may be, each command refused a cycle earlier.

    So the window of tFAW is full nearly all the time, and any of the four activations in it is
    the one that the next has to wait for, alone or with others of the same cycle.
    """
    made = Commands(config, rng)
    rules = made.script.rules
    while len(made.script.codes) < _OFTEN:
        made.edges = True
        made.refresh(2 * config.timing.tfaw)
        pim = config.dual_row_buffer and rng.random() < 0.5
        buffers = rules.pim if pim else rules.ordinary
        closed = _banks(buffers, is_open=False)
        late = int(rng.choice([0, 0, 0, 1, int(rng.integers(1, 2 * config.timing.tfaw))]))
        made.edges = not late
        held = {"late": late} if late else {}
        if not closed or (len(closed) < config.banks and rng.random() < 0.5):
            _close(made, pim, _banks(buffers, is_open=True))
        elif pim:
            made.issue(Op.PIM_ACT, _some(rng, closed), row=made.rows[-1], **held)
        else:
            op, bank = _opens(config, rng, closed)
            made.issue(op, bank, row=int(rng.choice(made.rows[:2])), **held)
    return made.script.episode("windows of activations")


def _banks(buffers: list[RowBuffer], is_open: bool) -> list[int]:
    return [bank for bank, buffer in enumerate(buffers) if (buffer.row is not None) == is_open]


def _some(rng: np.random.Generator, banks: list[int]) -> int:
    """A mask of one bank, or of some."""
    count = 1 if rng.random() < 0.5 else int(rng.integers(1, len(banks) + 1))
    return sum(1 << int(bank) for bank in rng.permutation(banks)[:count])


def _opens(config: PimConfig, rng: np.random.Generator, closed: list[int]) -> tuple[Op, int]:
    """An activation of closed banks."""
    size = config.group_banks
    whole = [first for first in range(0, config.banks, size)
             if set(range(first, first + size)) <= set(closed)]
    if len(closed) == config.banks and rng.random() < 0.4:
        return Op.ACT_ALL, 0
    if whole and rng.random() < 0.4:
        return Op.ACT_GROUP, 1 << int(rng.choice(whole)) + int(rng.integers(size))
    return Op.ACT, 1 << int(rng.choice(closed))


def _close(made: Commands, pim: bool, banks: list[int]) -> None:
    """Close the banks that may be closed first: one, or some."""
    op = Op.PIM_PRE if pim else Op.PRE
    order = sorted(banks, key=lambda bank: made.script.wait(Command(op, 1 << bank)))
    count = 1 if made.rng.random() < 0.7 else int(made.rng.integers(1, len(order) + 1))
    made.issue(op, sum(1 << bank for bank in order[:count]))


def headers(config: PimConfig, rng: np.random.Generator) -> Episode:
    """Columns announced that just have no time before refresh, and then some that just have, while
    status is waited for as often as not."""
    made = Commands(config, rng)
    rules, gap = made.script.rules, config.timing.tccd_mac
    field = next(field for field in config.port("cmd").fields if field.name == "n")
    most = (1 << field.width) - 1
    due = int(rng.integers(1, most * gap + 20))
    late, fits = max(0, rules.refresh_left - due), False
    while not fits and len(made.script.codes) < _OFTEN:
        n = (rules.refresh_left - late - 1) // gap + int(rng.integers(3))
        fits = not made.issue(Op.HEADER, n=max(0, min(n, most)), late=late)
        late = 0
    return made.script.episode("headers before refresh", ready={"status": 0.5})
