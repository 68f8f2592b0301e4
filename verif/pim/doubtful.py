"""Commands that are refused: at the edges of what is legal, in every cycle of a wait."""

from __future__ import annotations

from pimlico.hdl.pim.commands import PQ_ONLY, WAITS, Code, Op

from .rules import ACTIVATIONS, Command
from .script import Commands

_USED = {
    Op.ACT: "bank_mask row", Op.ACT_GROUP: "bank_mask row", Op.ACT_ALL: "row",
    Op.PRE: "bank_mask", Op.PRE_ALL: "", Op.RD: "bank_mask col", Op.WR: "bank_mask col",
    Op.GB_WR: "col slot", Op.ROW_TO_GB: "bank_mask n col row slot",
    Op.MAC: "bank_mask n col row slot", Op.ACC_WR: "bank_mask slot n",
    Op.ACC_RD: "bank_mask slot", Op.REF: "", Op.HEADER: "n", Op.PIM_ACT: "bank_mask row",
    Op.PIM_PRE: "bank_mask", Op.PQ_CONFIG: "bank_mask n row slot",
    Op.LUT_BUILD: "bank_mask n col row slot", Op.LUT_SUM: "bank_mask n col row slot",
    Op.BIN_ADD: "bank_mask n col row", Op.BIN_MAC: "bank_mask n col row slot",
    Op.ROW_TO_OB: "bank_mask n col row", Op.SUMS_TO_ROW: "bank_mask n col row"}
"""Fields that play a part in a command."""


def with_idle_fields(made: Commands, op: int, fields: dict[str, int], banks: int
                     ) -> tuple[dict[str, int], int]:
    """The fields of a command and its banks, with anything in those that play no part."""
    if op not in _USED:
        return fields, banks
    used = _USED[Op(op)].split()
    idle = {field.name: int(made.rng.integers(0, 1 << field.width))
            for field in made.config.port("cmd").fields
            if field.name not in ("op", "tag", *used)}
    banks = idle.pop("bank_mask", banks)
    return {**fields, **idle}, banks


def knock(made: Commands, waiting: Command, cycles: int) -> None:
    """A command in each of so many cycles, refused but for a few: the one that waits, or one at
    the edge of what is legal."""
    rng, script = made.rng, made.script
    for _ in range(cycles):
        command = waiting if rng.random() < 0.4 else doubtful(made)
        script.rules.now += 1
        code, _ = script.rules.check(command)
        script.rules.now -= 1
        if code == Code.OK or (not made.config.strict and code >= WAITS) \
                or not _harmless(made, command):
            command = Command(0)
        made.issue(command.op, command.bank_mask, **{  # type: ignore[arg-type]
            name: value for name, value in command._asdict().items()
            if name not in ("op", "bank_mask", "tag")}, early=1 << 20)


def _harmless(made: Commands, command: Command) -> bool:
    """Whether nothing is read that was never written if, after a stall, it is legal after all."""
    op, config = command.op, made.config
    if op in ACTIVATIONS:
        return command.row in made.rows or command.row >= config.rows
    if op not in (Op.RD, Op.MAC, Op.ROW_TO_GB):
        return True
    end = command.col + (1 if op == Op.RD else command.n)
    return end > config.cols or any(first <= command.col and end <= last
                                    for first, last in made.spans)


def doubtful(made: Commands) -> Command:
    """Any command, each of its fields within what it is of, at its end, or past it by a bit."""
    config, rng, rules = made.config, made.rng, made.script.rules
    ops = rules.ops
    op = int(rng.choice(ops)) if rng.random() < 0.95 else int(rng.integers(32))
    widths = {field.name: field.width for field in config.port("cmd").fields}

    def near(limit: int, name: str) -> int:
        value = int(rng.integers(max(1, limit)))
        if rng.random() < 0.5:
            away = int(rng.choice([-1, 0, 1, 1 << int(rng.integers(widths[name]))]))
            value = max(0, limit + away)
        return value & (1 << widths[name]) - 1

    kind = rng.random()
    banks = 1 << int(rng.integers(config.banks)) if kind < 0.6 else made.every if kind < 0.7 \
        else int(rng.integers(made.every + 1))
    n = near(int(rng.choice([1, rules.header, config.cols, config.gb_cols,
                             rules.refresh_left // config.timing.tccd_mac])), "n")
    slot = near(config.reuse if op in (Op.GB_WR, Op.ROW_TO_GB) else config.acc_slots, "slot")
    filled = rules.filled[min(slot, config.reuse - 1)]
    row = near(config.rows, "row")
    if op in (Op.MAC, Op.ROW_TO_GB, Op.LUT_BUILD):
        row = near(max(0, int(rng.choice([filled, config.gb_cols])) - n * (op == Op.MAC)), "row")
    elif op in PQ_ONLY:
        row = near(max(0, config.operand_cols - n), "row")
    elif rng.random() < 0.7:
        row = int(rng.choice(made.rows))
    col = near(int(rng.choice([filled, config.gb_cols])), "col") if op == Op.GB_WR else \
        near(max(0, config.cols - int(rng.choice([1, n]))), "col")
    return Command(op, banks, row, col, slot, n)
