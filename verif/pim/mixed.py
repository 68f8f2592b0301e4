"""Random commands, mostly legal and mostly in time."""

from __future__ import annotations

import numpy as np

from pimlico.hdl.pim.commands import PQ_ONLY, Op

from .doubtful import knock, with_idle_fields
from .rules import Command
from .script import Commands

LONGEST_WAIT = 1000
"""Cycles that a command of a random stream may wait for its turn."""


def mix(made: Commands, count: int) -> None:
    """Commands mostly legal and mostly in time."""
    rng, config = made.rng, made.config
    for _ in range(count):
        if rng.random() < 0.5:
            made.refresh(60)
        op, banks, fields = _likely(made) if rng.random() < 0.93 else _anything(made)
        if rng.random() < 0.5:
            fields, banks = with_idle_fields(made, op, fields, banks)
        known = {name: fields[name] for name in fields if name != "data"}
        wait = made.script.wait(Command(int(op), banks, **known))
        if wait > LONGEST_WAIT:
            continue
        early = late = 0
        if rng.random() < 0.3:
            knock(made, Command(int(op), banks, **known), min(wait, 40) or int(rng.integers(3)))
        elif wait and rng.random() < 0.2:
            early = int(rng.choice([1, int(rng.integers(1, wait + 1))]))
        elif rng.random() < 0.2:
            late = int(rng.integers(1, 12 if rng.random() < 0.8 else 80))
        made.issue(op, banks, early=early, late=late, **fields)
        if op in (Op.MAC, Op.ROW_TO_GB) and rng.random() < 0.4:
            _within(made, min(fields["n"], config.cols))
        if config.pq and op in PQ_ONLY:
            _beside(made, banks)


def tell(made: Commands) -> None:
    """Bring out what operand buffers and sums hold, after a stream."""
    config = made.config
    made.refresh(2 * config.longest_burst)
    made.issue(Op.PRE_ALL)
    if config.dual_row_buffer:
        made.issue(Op.PIM_PRE, made.every)
    made.open(made.rows[0])
    share = -(-config.operand_cols // len(made.mac_slots))
    for slot, first in zip(made.mac_slots, range(0, config.operand_cols, share), strict=False):
        made.issue(Op.ACC_WR, made.every, slot=slot, n=0)
        made.issue(Op.BIN_MAC, made.every, slot=slot, row=first,
                   n=min(share, config.operand_cols - first))
    made.close()
    made.results()
    made.issue(Op.ACT_ALL, row=made.rows[-1])
    made.issue(Op.SUMS_TO_ROW, made.every, n=config.cols)
    for bank in range(config.banks):
        for col in range(config.cols):
            made.issue(Op.RD, 1 << bank, col=col)


def _within(made: Commands, columns: int) -> None:
    """Commands that are refused while a burst runs, in the cycles of its turns too."""
    rng, config = made.rng, made.config
    waiting = Command(Op.GB_WR, col=int(rng.integers(config.gb_cols)),
                      slot=int(rng.integers(config.reuse)))
    knock(made, waiting, int(rng.integers(1, columns * config.timing.tccd_mac + 2)))


def _beside(made: Commands, banks: int) -> None:
    """Columns read in other banks while a burst runs."""
    rng, rules = made.rng, made.script.rules
    others = [bank for bank in range(made.config.banks)
              if not banks >> bank & 1 and rules.ordinary[bank].row is not None]
    for _ in range(int(rng.integers(6)) if others else 0):
        made.issue(Op.RD, 1 << int(rng.choice(others)), col=int(rng.integers(made.config.cols)),
                   late=int(rng.integers(3)))


def _likely(made: Commands) -> tuple[Op, int, dict[str, int]]:
    """A command that fits what is open."""
    rng, rules, config = made.rng, made.script.rules, made.config
    row = int(rng.choice(made.rows))
    is_open = [bank for bank in range(config.banks) if rules.ordinary[bank].row is not None]
    closed = [bank for bank in range(config.banks) if bank not in is_open]
    pim = [bank for bank in range(config.banks) if rules.pim[bank].row is not None]
    col, n = made.span()
    slot, vector = int(rng.integers(config.acc_slots)), int(rng.integers(config.reuse))
    ready = min(rules.filled)
    choices: list[tuple[float, Op, int, dict[str, int]]] = [
        (1.5, Op.GB_WR, 0, {"slot": vector, "col": min(rules.filled[vector], config.gb_cols - 1)}),
        (0.5, Op.ACC_WR, int(rng.integers(1, made.every + 1)),
         {"slot": slot, "n": int(rng.integers(2))}),
        (1.5, Op.ACC_RD, 1 << int(rng.integers(config.banks)), {"slot": slot}),
        (0.2, Op.HEADER, 0, {"n": int(rng.integers(1, config.cols + 1))}),
        (0.1, Op.PRE_ALL, 0, {}),
        (0.1, Op.REF, 0, {}),
    ]
    if closed:
        bank = 1 << int(rng.choice(closed))
        choices += [(2, Op.ACT, bank, {"row": row}), (0.3, Op.ACT_GROUP, bank, {"row": row})]
        if not is_open:
            choices.append((2, Op.ACT_ALL, 0, {"row": row}))
    if is_open:
        bank = 1 << int(rng.choice(is_open))
        choices += [(2, Op.RD, bank, {"col": col}), (2, Op.WR, bank, {"col": col}),
                    (0.7, Op.PRE, bank, {})]
        at = int(rng.integers(0, rules.filled[vector] + 1))
        if at + n <= config.gb_cols:
            choices.append((0.7, Op.ROW_TO_GB, bank,
                            {"col": col, "row": at, "n": n, "slot": vector}))
    if pim and ready:
        mask = sum(1 << bank for bank in pim if rng.random() < 0.8) or 1 << pim[0]
        n = min(n, ready, rules.header or n)
        choices.append((4, Op.MAC, mask, {
            "col": col, "row": int(rng.integers(0, ready - n + 1)), "n": n,
            "slot": int(rng.choice(made.mac_slots))}))
    if config.pq:
        choices += _quantized(made, is_open, pim)
    if config.dual_row_buffer:
        mask = int(rng.integers(1, made.every + 1))
        choices += [(1.5, Op.PIM_ACT, mask, {"row": row}),
                    (0.5, Op.PIM_PRE, sum(1 << bank for bank in pim) or mask, {})]
    weights = np.array([weight for weight, *_ in choices])
    _, op, banks, fields = choices[int(rng.choice(len(choices), p=weights / weights.sum()))]
    return op, banks, fields


def _quantized(made: Commands, is_open: list[int], pim: list[int]) \
        -> list[tuple[float, Op, int, dict[str, int]]]:
    """Commands of product quantization that fit what is open, in either row buffer."""
    rng, config = made.rng, made.config

    def some(banks: list[int]) -> int:
        return sum(1 << bank for bank in banks if rng.random() < 0.8) or 1 << banks[0]

    def span(columns: int, most: int = 1 << 16) -> tuple[int, int]:
        first = int(rng.integers(columns))
        return first, int(rng.integers(1, min(columns - first, most) + 1))

    row, n = span(config.operand_cols)
    choices = [(0.5, Op.PQ_CONFIG, int(rng.integers(1, made.every + 1)),
                {"row": row, "n": n, "slot": int(rng.integers(2))})]
    if is_open:
        col, count = span(config.cols, n)
        choices.append((1, Op.ROW_TO_OB, some(is_open), {"col": col, "row": row, "n": count}))
        col, count = span(config.cols, 4)
        choices.append((0.7, Op.SUMS_TO_ROW, some(is_open), {
            "col": col, "row": int(rng.integers(config.cols - count + 1)), "n": count}))
    if not pim:
        return choices
    banks = some(pim)
    col, count = span(min(config.cols, config.codebook_cols))
    if ready := made.script.rules.filled[0]:  # the next one is not written
        choices.append((1.5, Op.LUT_BUILD, banks, {
            "col": col, "n": count, "row": int(rng.integers(min(ready + 1, config.pq_m))),
            "slot": int(rng.integers(config.codebook_rows))}))
    col, count = span(config.token_groups, n)
    choices.append((1.5, Op.LUT_SUM, banks, {
        "col": col, "row": row, "n": count, "slot": int(rng.integers(config.row_tables))}))
    group = config.column_indices // config.lanes
    if groups := config.cols // group:
        col, count = span(groups, n)
        choices.append((1.5, Op.BIN_ADD, banks, {"col": col * group, "row": row, "n": count}))
    col, count = span(config.cols, min(n, made.script.rules.header or n))
    choices.append((1.5, Op.BIN_MAC, banks, {
        "col": col, "row": row, "n": count, "slot": int(rng.choice(made.mac_slots))}))
    return choices


def _anything(made: Commands) -> tuple[int, int, dict[str, int]]:
    """Any command with any fields, but for columns that may never have been written."""
    rng, config = made.rng, made.config
    if config.pq and rng.random() < 0.5:
        return _nearly(made)
    op = int(rng.integers(0, 32))
    fields = {field.name: int(rng.integers(0, 1 << field.width))
              for field in config.port("cmd").fields if field.name not in ("op", "tag")}
    banks = fields.pop("bank_mask")
    if op in (Op.ACT, Op.ACT_ALL, Op.ACT_GROUP, Op.PIM_ACT) and fields["row"] < config.rows:
        fields["row"] = int(rng.choice(made.rows))
    if op in (Op.RD, Op.MAC, Op.ROW_TO_GB) and rng.random() < 0.8:
        fields["col"], fields["n"] = made.span()
        if op == Op.MAC and rng.random() < 0.5:
            fields["n"] = config.cols - fields["col"] + 1
    elif op in (Op.RD, Op.MAC, Op.ROW_TO_GB):
        fields["col"] = config.cols - 1
        fields["n"] = 2
    return op, banks, fields


def _nearly(made: Commands) -> tuple[int, int, dict[str, int]]:
    """A command of product quantization that fits but for one field."""
    rng, rules = made.rng, made.script.rules
    is_open, pim = ([bank for bank, buffer in enumerate(buffers) if buffer.row is not None]
                    for buffers in (rules.ordinary, rules.pim))
    choices = _quantized(made, is_open, pim)
    _, op, banks, fields = choices[int(rng.integers(len(choices)))]
    name = str(rng.choice(["row", "col", "slot", "n"]))
    width = next(field.width for field in made.config.port("cmd").fields if field.name == name)
    fields[name] = int(rng.integers(1 << width))
    return int(op), banks, fields
