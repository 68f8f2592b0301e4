"""Commands for the PIM banks: directed ones first, then random streams without end.

A script keeps its own copy of the rules, so it knows when each command becomes legal, and may
offer one just then, later, or a few cycles too early.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.commands import WAITS, Code, Op
from pimlico.hdl.pim.config import PimConfig

from ..bits import pack
from ..episode import Episode
from .rules import Command, Rules

LONGEST_WAIT = 1000
"""Cycles that a command of a random stream may wait for its turn."""


class Script:
    """Commands in order, each with the cycles that it is held back.

    Parameters
    ----------
    config : PimConfig
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.rules = Rules(config)
        self.codes: list[Code] = []
        """Of each command, as it is if nothing stalls."""
        self._port: Stream = config.port("cmd")
        self._cmd: list[int] = []
        self._delay: list[int] = []
        self._data: list[int] = []

    def issue(self, op: int, banks: int = 0, *, early: int = 0, late: int = 0,
              data: Sequence[int] | int | None = None, **fields: int) -> Code:
        """Offer a command when it becomes legal, or some cycles before or after that.

        `data` is the beat of wdata, used if the command is carried out. One that no waiting makes
        legal is offered at once.
        """
        command = Command(int(op), banks, **fields)
        wait = self.wait(command)
        hold = max(0, wait + late - early) if self.config.strict else 0
        self._pass(1 + (hold if self.config.strict else wait))
        code, _ = self.rules.check(command)
        if code == Code.OK:
            self.rules.apply(command)
            if data is not None:
                self._data.append(int(data))  # type: ignore[arg-type]
        self._cmd.append(self._port.pack(command._asdict()))
        self._delay.append(hold)
        self.codes.append(code)
        return code

    def wait(self, command: Command) -> int:
        """Cycles until a command is legal, or refused for good; from the next one on."""
        rules = self.rules
        now = rules.now
        rules.now += 1
        while rules.check(command)[0] >= WAITS and rules.now - now < 100_000:
            rules.now += 1
        wait, rules.now = rules.now - now - 1, now
        return wait

    def _pass(self, cycles: int) -> None:
        self.rules.now += cycles

    def episode(self, name: str, surplus: Sequence[int] = (), **options: Any) -> Episode:
        """The episode; `surplus` is data that commands may take which stalls have made legal."""
        return Episode(name, {"cmd": self._cmd, "wdata": [*self._data, *surplus]},
                       delay={"cmd": self._delay}, **options)


class Commands:
    """Makes commands of a configuration that touch only what `fill` has written.

    Parameters
    ----------
    config : PimConfig
    rng : numpy.random.Generator
    """

    def __init__(self, config: PimConfig, rng: np.random.Generator):
        self.config, self.rng = config, rng
        self.script = Script(config)
        self.edges = False
        """Whether every command that has to wait is offered a cycle too early first."""
        self.every = (1 << config.banks) - 1
        self.rows = sorted({0, 1, config.rows - 1})
        """Rows in use."""
        self.spans = [(0, config.cols)]
        if config.cols > 8:
            self.spans = [(0, 6), (config.cols - 3, config.cols)]
        """Columns in use, from and to."""

    def word(self, bits: int) -> int:
        """A beat of data: `bits` of random elements, or of accumulators."""
        config, rng = self.config, self.rng
        width = config.fmt_bits if bits == config.column_bits else config.acc_bits
        lanes = bits // width
        raw = rng.integers(0, 1 << width, lanes, dtype=np.uint64)
        kind = rng.random()
        if not config.floating:
            if kind < 0.2:
                raw = rng.choice([1 << width - 1, (1 << width - 1) - 1], lanes).astype(np.uint64)
            elif width == 32:
                raw &= np.uint64(0xFFFF)
            return self._packed(raw, width)
        form = config.fmt_format if width == config.fmt_bits else config.acc_format
        if kind < 0.85:
            spread = min(int(rng.choice([2, 4, 12])), form.bias - 1)
            exponent = rng.integers(form.bias - spread, form.bias + spread, lanes)
            fraction = (1 << form.fraction_bits) - 1
            raw = raw & np.uint64(1 << width - 1 | fraction) \
                | exponent.astype(np.uint64) << np.uint64(form.fraction_bits)
        if kind < 0.05:
            special = [0, 1 << width - 1, 1, form.infinity, form.infinity | 1 << width - 1,
                       form.nan, form.infinity - 1]
            at = rng.integers(0, lanes, 2)
            raw[at] = rng.choice(np.array(special, np.uint64), 2)
        return self._packed(raw, width)

    @staticmethod
    def _packed(raw: np.ndarray, width: int) -> int:
        return pack(raw.reshape(1, -1), width)[0]

    def column(self) -> int:
        return self.word(self.config.column_bits)

    def issue(self, op: Op, banks: int = 0, **fields: Any) -> Code:
        """A command, with data of its own if it writes."""
        if op in (Op.WR, Op.GB_WR):
            fields["data"] = self.column()
        if op == Op.ACC_WR and fields.get("n") == 1:
            fields["data"] = self.word(self.config.slot_bits)
        fields["tag"] = int(self.rng.integers(256))
        if self.edges and self.config.strict:
            known = {name: value for name, value in fields.items() if name != "data"}
            if self.script.wait(Command(int(op), banks, **known)):
                self.script.issue(op, banks, **{**fields, "early": 1})
        return self.script.issue(op, banks, **fields)

    def refresh(self, cycles: int) -> None:
        """Close all rows and refresh, if that is due in so many cycles."""
        if self.script.rules.refresh_left < cycles:
            self.issue(Op.PRE_ALL)
            pim = sum(1 << bank for bank, buffer in enumerate(self.script.rules.pim)
                      if buffer.row is not None)
            if self.config.dual_row_buffer and pim:
                self.issue(Op.PIM_PRE, pim)
            self.issue(Op.REF)

    def fill(self) -> None:
        """Write all columns in use, in all banks."""
        for row in self.rows:
            for bank in range(self.config.banks):
                self.refresh(100)
                self.issue(Op.ACT, 1 << bank, row=row)
                for start, end in self.spans:
                    for col in range(start, end):
                        self.issue(Op.WR, 1 << bank, col=col)
            self.issue(Op.PRE_ALL)

    def clear(self) -> None:
        """Set all accumulators: to zeros, or to numbers."""
        for slot in range(self.config.acc_slots):
            self.issue(Op.ACC_WR, self.every, slot=slot, n=int(self.rng.integers(2)))

    def buffer(self, columns: int) -> None:
        """Write columns of the global buffer, for all vectors."""
        for vector in range(self.config.reuse):
            for col in range(min(columns, self.config.gb_cols)):
                self.issue(Op.GB_WR, col=col, slot=vector)

    def open(self, row: int) -> None:
        """Open a row in all banks, for MAC."""
        dual = self.config.dual_row_buffer
        self.issue(Op.PIM_ACT if dual else Op.ACT_ALL, self.every, row=row)

    def close(self) -> None:
        if self.config.dual_row_buffer:
            self.issue(Op.PIM_PRE, self.every)
        else:
            self.issue(Op.PRE_ALL)

    def results(self) -> None:
        """Read all accumulators."""
        for slot in range(self.config.acc_slots):
            for bank in range(self.config.banks):
                self.issue(Op.ACC_RD, 1 << bank, slot=slot)

    @property
    def mac_slots(self) -> range:
        return range(0, self.config.acc_slots - self.config.rotation + 1, self.config.rotation)

    def span(self) -> tuple[int, int]:
        """Columns for a burst: the first, and how many; also what the global buffer can hold."""
        start, end = self.spans[int(self.rng.integers(len(self.spans)))]
        first = int(self.rng.integers(start, end))
        return first, int(self.rng.integers(1, min(end - first, self.config.gb_cols) + 1))


def episodes(config: PimConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The stimulus of ``pim-channel`` and ``pim-bank``."""
    yield from _directed(config, rng)
    while True:
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
    yield _copies(config, rng)
    yield _reads(config, rng)
    yield _edges(config, rng)
    yield _overdue(config, rng)
    for _ in range(2):
        made = Commands(config, rng)
        made.clear()
        _stream(made, 30)
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
    return made.script.episode("read back", ready={"rdata": float(rng.choice([0.4, 0.2]))})


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
    _stream(made, int(rng.integers(20, 120)))
    stalls = rng.random() < 0.5
    rates = {name: float(rng.choice([1.0, 0.7, 0.3])) for name in ("rdata", "result", "status")}
    length = made.script.rules.now
    return made.script.episode(
        "random stream", surplus=[made.column() for _ in range(40)],
        valid={"cmd": float(rng.choice([1.0, 0.8])), "wdata": float(rng.choice([1.0, 0.6]))}
        if stalls else {}, ready=rates if stalls else {}, cycles=length + 40)


def _stream(made: Commands, count: int) -> None:
    """Commands mostly legal and mostly in time."""
    rng = made.rng
    for _ in range(count):
        if rng.random() < 0.5:
            made.refresh(60)
        op, banks, fields = _likely(made) if rng.random() < 0.93 else _anything(made)
        known = {name: fields[name] for name in fields if name != "data"}
        wait = made.script.wait(Command(int(op), banks, **known))
        if wait > LONGEST_WAIT:
            continue
        early = late = 0
        if wait and rng.random() < 0.2:
            early = int(rng.choice([1, int(rng.integers(1, wait + 1))]))
        elif rng.random() < 0.2:
            late = int(rng.integers(1, 12))
        made.issue(op, banks, early=early, late=late, **fields)


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
    if config.dual_row_buffer:
        mask = int(rng.integers(1, made.every + 1))
        choices += [(1.5, Op.PIM_ACT, mask, {"row": row}),
                    (0.5, Op.PIM_PRE, sum(1 << bank for bank in pim) or mask, {})]
    weights = np.array([weight for weight, *_ in choices])
    _, op, banks, fields = choices[int(rng.choice(len(choices), p=weights / weights.sum()))]
    return op, banks, fields


def _anything(made: Commands) -> tuple[int, int, dict[str, int]]:
    """Any command with any fields, but for columns that may never have been written."""
    rng, config = made.rng, made.config
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
