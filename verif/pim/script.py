"""Commands with their times, and commands that touch only what has been written.

A script keeps its own copy of the rules, so it knows when each command becomes legal, and may
offer one just then, later, or a few cycles too early.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.commands import WAITS, Code, Op
from pimlico.hdl.pim.config import PimConfig

from ..bits import pack
from ..episode import Episode
from .rules import Command, Rules


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
        if config.cols > 8 and not config.pq:  # an index may stand for any column
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
        if self.config.pq:
            self.issue(Op.PQ_CONFIG, self.every, n=self.config.operand_cols)
            self._load_operands()

    def _load_operands(self) -> None:
        """Fill the operand buffers, from a row that is written."""
        self.refresh(200)
        self.issue(Op.ACT_ALL, row=self.rows[0])
        self.issue(Op.ROW_TO_OB, self.every, n=self.config.operand_cols)
        self.issue(Op.PRE_ALL)

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
