"""The two stages of the OMAP cache controller: a lookup, and the operation launched from it."""

from __future__ import annotations

from types import SimpleNamespace

from pimlico.hdl.omap.config import OmapConfig

from .golden import Operation
from .index import Place
from .trusted import Asks

COMMIT_STEPS = 4
PUSH = 3
"""The step of a commit at whose end pending buffer and records have changed."""


class Lookup:
    """The lookup stage: a command, and how far the index has got with it."""

    def __init__(self, op: int, key: int, value: int, place: Place | None):
        self.op, self.key, self.value, self.place = op, key, value, place
        self.cycle = 0
        self.launched = False


class Stage:
    """The operation stage, from a launch to the next."""

    def __init__(self, config: OmapConfig, operation: Operation, pointer: int):
        self.config = config
        self._records = {config.trusted_latency * (turn + 2) + half + 1
                         for turn in range(config.merges) for half in range(2)}
        self.operation = operation
        self.pointer = pointer  # where the item was put, of the key that was looked up
        self.writes: list[Asks] = []  # of the commit
        self.step = 1
        self.aborted = self.committed = self.departed = False
        self.may_arrive = self.probed = self.closed = False
        self.phase = 0  # the step of the commit, from 1
        self.beats: list[int] = []
        self.staged = self.arrived = False  # the last beat is in its register; is stored
        self.recorded = self.merged = self.restored = 0
        self.judgement: bool | None = None

    @property
    def whole(self) -> tuple[bool, bool]:
        """Whether page a, and both pages, have their merged items from the next cycle on."""
        if not self.config.appends:
            return True, True
        entries = 2 * self.config.merges
        return self.merged >= entries - 1, self.merged == entries

    def judge(self) -> bool:
        """Whether the pages that came are what the controller sent, as far as it can tell."""
        if self.judgement is None:
            beats = self.config.beats
            self.judgement = self.operation.judge(self.beats[:beats], self.beats[beats:])
        return self.judgement

    def tick(self, now: SimpleNamespace) -> None:
        """The clock edge, given what is decided in the cycle."""
        config = self.config
        if self.staged and len(self.beats) == 2 * config.beats:
            self.arrived = True
        recorded = self.recorded + (self.step in self._records)
        if config.appends and self.arrived and recorded > self.merged:
            self.merged += 1
        self.staged = False
        if not config.sealed:
            if now.takes:
                self.beats.append(now.beat)
                self.staged = True
        elif now.allow and now.plain_valid:
            self.beats.append(now.plain)
            self.staged = True
        if self.step in self._records:
            self.recorded += 1
        self.may_arrive |= self.step == config.arrives - 1
        self.probed |= self.step == config.trusted_latency + 2
        if self.aborted and self.step > config.fetched + 1 \
                and self.restored < 2 * config.merges:
            self.restored += 1
        if now.abort:
            self.aborted = True
            self.operation.abort()
        if self.phase == COMMIT_STEPS:
            self.closed = True
        if self.phase == PUSH:
            self.operation.commit()
        if self.phase:
            self.phase = (self.phase + 1) % (COMMIT_STEPS + 1)
        if now.commit:
            self.committed, self.phase = True, 1
        self.departed |= now.send
        if self.step < config.fetched + COMMIT_STEPS:
            self.step += 1
