"""Commands in the first cycles in which the rules let them go, with refreshes in between."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.commands import WAITS, Code
from pimlico.hdl.pim.config import PimConfig

from .play import Played, octets, payloads
from .rules import Command, Op, Rules

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Step:
    """A command, and what it writes.

    Attributes
    ----------
    command : Command
    data : uint8 array of shape (octets,), optional
        A beat of ``wdata``, zeros at its end left out.
    """

    command: Command
    data: Array | None = None


class _LateError(Exception):
    """A command is not legal before the next refresh."""


class Schedule:
    """A list of commands that grows, each in its cycle.

    Parameters
    ----------
    config : PimConfig

    Attributes
    ----------
    steps : list of Step
    cycles : list of int
        In which each acts.
    parts : list of str
        What each is a part of: the value of `part` when it was placed.
    part : str
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.steps: list[Step] = []
        self.cycles: list[int] = []
        self.parts: list[str] = []
        self.part = ""
        self.every = (1 << config.banks) - 1
        self._rules = Rules(config)

    def run(self, steps: Sequence[Step], row: int | None = None, pim: bool = False) -> None:
        """Place commands that no refresh may part; if they take too long, in pieces.

        Parameters
        ----------
        steps : sequence of Step
        row : int, optional
            A row that is opened before in all banks, and closed after.
        pim : bool
            Whether that is for the row buffers that MAC uses.

        Raises
        ------
        ConfigError
            If there is no time for one of the commands between two refreshes.
        """
        if not steps or self._fits(steps, row, pim):
            return
        if self._rules.refresh_left < self.config.timing.trefi:
            self._go(Step(Command(Op.REF)))
            if self._fits(steps, row, pim):
                return
        if len(steps) == 1:
            op = Op(steps[0].command.op).name
            raise ConfigError("timing.trefi", self.config.timing.trefi,
                              f"leave time for a row with {op} of {steps[0].command.n} columns")
        half = len(steps) // 2
        self.run(steps[:half], row, pim)
        self.run(steps[half:], row, pim)

    def played(self) -> Played:
        """The beats of all commands; where commands that are too soon wait, offered at once."""
        port: Stream = self.config.port("cmd")
        fields = np.array([step.command for step in self.steps], np.int64)
        words = payloads(port, {field.name: fields[:, Command._fields.index(field.name)]
                                for field in port.fields})
        beats = [step.data for step in self.steps if step.data is not None]
        data = np.zeros((len(beats), octets(self.config, "wdata")), np.uint8)
        for row, beat in zip(data, beats, strict=True):
            row[:len(beat)] = beat
        cycles = np.array(self.cycles, np.int64)
        return Played(cycles - 1 if self.config.strict else np.zeros_like(cycles), words, data)

    def spent(self, accepted: Array) -> dict[str, int]:
        """Cycles of each part: of each command, from the one before until it acts.

        Parameters
        ----------
        accepted : integer array of shape (n,)
            Cycle in which each command was taken; where commands wait, in that in which the one
            before acts.
        """
        acted = accepted + 1
        if not self.config.strict:
            wait = self.cycles[-1] - self.cycles[-2] if len(self.cycles) > 1 else 1
            acted = np.append(accepted[1:], accepted[-1] + wait)
        took = np.diff(acted, prepend=0)
        parts = np.array(self.parts)
        return {part: int(took[parts == part].sum()) for part in dict.fromkeys(self.parts)}

    def _fits(self, steps: Sequence[Step], row: int | None, pim: bool) -> bool:
        """Place commands if they end in time for the next refresh."""
        before, count = deepcopy(self._rules, {id(self.config): self.config}), len(self.steps)
        dual = pim and self.config.dual_row_buffer
        opens, closes = (Op.PIM_ACT, Op.PIM_PRE) if dual else (Op.ACT_ALL, Op.PRE_ALL)
        mask = self.every if dual else 0
        try:
            if row is not None:
                self._go(Step(Command(opens, mask, row=row)))
            for step in steps:
                self._go(step)
            if row is not None:
                self._go(Step(Command(closes, mask)))
            self._legal(Command(Op.REF))
        except _LateError:
            self._rules = before
            for each in (self.steps, self.cycles, self.parts):
                del each[count:]
            return False
        return True

    def _go(self, step: Step) -> None:
        """Place a command in the first cycle from the next one on in which it is legal."""
        rules = self._rules
        rules.now = self._legal(step.command)
        rules.apply(step.command)
        self.steps.append(step)
        self.cycles.append(rules.now)
        self.parts.append(self.part)

    def _legal(self, command: Command) -> int:
        """The first cycle in which a command is legal, before the next refresh is due."""
        rules, start = self._rules, self._rules.now
        last = start + rules.refresh_left - (command.op != Op.REF)
        low, step = start, 1
        try:
            while True:
                high = min(low + step, last)
                if high <= low:
                    raise _LateError
                if self._is_legal(command, high):
                    break
                low, step = high, 2 * step
            # what is legal stays so: the first such cycle is after `low`, `high` at the latest
            while high - low > 1:
                middle = (low + high) // 2
                if self._is_legal(command, middle):
                    high = middle
                else:
                    low = middle
            return high
        finally:
            rules.now = start

    def _is_legal(self, command: Command, cycle: int) -> bool:
        self._rules.now = cycle
        code, bank = self._rules.check(command)
        if code and code < WAITS and code != Code.REF_OVERDUE:
            raise ValueError(f"{Command(*command)} is never legal in bank {bank}: {code.name}")
        return not code
