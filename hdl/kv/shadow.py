"""What the properties of the history buffer are stated with: the running pass, as its ports and
handshakes tell it, and the invariants that tie it to the core's registers."""

from __future__ import annotations

from amaranth.hdl import Mux, Signal, Value
from amaranth.lib import data

from pimlico.hdl.common.properties import Harness

from .config import KvConfig, count, parts
from .walk import beat_layout


class Place:
    """A beat's place in a pass: its row, and its number in the row."""

    def __init__(self, config: KvConfig, row: Value, beat: Value):
        self.config, self.row, self.beat = config, row, beat

    @classmethod
    def register(cls, config: KvConfig, name: str) -> Place:
        return cls(config, Signal(config.row_bits + 1, name=f"{name}_row"),
                   Signal(count(config.beats), name=f"{name}_beat"))

    def __eq__(self, other: object) -> Value:  # type: ignore[override]
        assert isinstance(other, Place)
        return (self.row == other.row) & (self.beat == other.beat)

    def set(self, other: Place) -> list:
        """Statements that make a register's place another's."""
        return [self.row.eq(other.row), self.beat.eq(other.beat)]

    @property
    def ends(self) -> Value:
        return self.beat == self.config.beats - 1

    @property
    def next(self) -> Place:
        """The place of the beat after this one."""
        return Place(self.config, Mux(self.ends, self.row + 1, self.row),
                     Mux(self.ends, 0, self.beat + 1))

    def after(self, steps: list[Value]) -> Place:
        """This place, or one further for each of `steps`, of which at most all are high."""
        place = self
        for step in steps:
            onward = place.next
            place = Place(self.config, Mux(step, onward.row, place.row),
                          Mux(step, onward.beat, place.beat))
        return place


class PassShadow:
    """The pass that runs, followed from its start.

    Attributes
    ----------
    active, busy : Signal
        A pass runs; it has beats that have not entered.
    n_tokens, appends : Signal
        The start's.
    entering, leaving : Place
        Of the beat that enters next, and of the one that leaves ``kv`` next.
    enter, move, leave : Value
        A beat enters, moves to the output, leaves.
    memory_full, output_full : Value
    executed : Value
        The row of the beat that enters is streamed, as its mask bit, or its place, has it.
    new_row, tail : Value
        That row is the new token's; it has no place in the memory.
    """

    def __init__(self, h: Harness):
        m, core, config = h.m, h.dut.component, h.config
        self.config, self._inside = config, h.dut.inside
        inside = h.dut.inside
        accept, taken = inside("passes.accept"), core.done.valid & core.done.ready
        self.enter, self.move = inside("walk.enter"), inside("move")
        self.leave = core.kv.valid & core.kv.ready
        self.memory_full, self.output_full = inside("memory_full"), core.kv.valid

        self.active = Signal(name="pass_active")
        self.busy = Signal(name="pass_busy")
        self.n_tokens = Signal(config.row_bits, name="pass_tokens")
        self.appends = Signal(name="pass_appends")
        self.entering = Place.register(config, "entering")
        self.leaving = Place.register(config, "leaving")
        self.rows = self.n_tokens + self.appends
        self.new_row = self.appends & (self.entering.row == self.n_tokens)
        self.tail = self.entering.row >= config.tokens
        self._row_executed = Signal(name="row_executed")
        mask_bit = core.mask.payload
        if config.append:
            mask_bit = Mux(self.new_row, core.append.payload[-1], mask_bit)
        self.executed = Mux(self.entering.beat == 0, mask_bit | self.tail, self._row_executed)
        self.final = self.entering.ends & (self.entering.row + 1 == self.rows)

        start = core.start.payload
        port = config.port("start")
        with m.If(self.enter):
            m.d.sync += [*self.entering.set(self.entering.next),
                         self._row_executed.eq(self.executed)]
            with m.If(self.final):
                m.d.sync += self.busy.eq(0)
        with m.If(self.leave):
            m.d.sync += self.leaving.set(self.leaving.next)
        with m.If(taken):
            m.d.sync += self.active.eq(0)
        with m.If(accept):
            m.d.sync += [
                self.active.eq(1), self.busy.eq(1),
                self.n_tokens.eq(start[port.offset("n_tokens"):][:config.token_bits]),
                self.appends.eq(start[-1] if config.append else 0),
                self.entering.row.eq(0), self.entering.beat.eq(0),
                self.leaving.row.eq(0), self.leaving.beat.eq(0)]
        self._tie(h)

    def _tie(self, h: Harness) -> None:
        """The invariants."""
        config, core, inside = self.config, h.dut.component, self._inside
        walk = Place(config, inside("walk.row"), inside("walk.number"))
        h.require(inside("passes.active") == self.active, "the core knows that a pass runs")
        h.require(inside("walk.busy") == self.busy, "the core knows that beats are to come")
        h.require(~self.active | ((inside("passes.n_tokens") == self.n_tokens)
                                  & (inside("passes.appends") == self.appends)
                                  & (self.rows > 0)), "the core keeps the start's numbers")
        if not config.append:
            h.require(~self.appends, "no new token")
        if config.overflow == "reject":
            h.require(~self.active | (self.rows <= config.tokens), "the rows have a place")
        h.require(~self.active | (self.n_tokens < 1 << config.token_bits),
                  "no more tokens than a start can ask for")
        h.require(~self.busy | (self.active & (self.entering.row < self.rows)),
                  "a busy pass has rows left")
        h.require(~self.busy | (walk == self.entering), "the walk is where the pass is")
        h.require(self.busy | (walk.beat == 0), "the walk begins with a row's first beat")
        h.require(inside("walk.first_beat") == (walk.beat == 0), "first")
        if config.beats > 1:
            h.require(inside("walk.last_beat") == walk.ends, "last")
        h.require((self.entering.beat < config.beats) & (self.leaving.beat < config.beats),
                  "a row has so many beats")
        h.require(~self.busy | (inside("walk.following") == walk.row + 1), "the row after")
        h.require(~self.busy | (inside("walk.new_token") == self.new_row), "the new token's row")
        if config.overflow == "dense_tail":
            h.require(~self.busy | (inside("walk.past_the_end") == self.tail), "the tail")
        h.require(~(self.active & ~self.busy)
                  | ((self.entering.row == self.rows) & (self.entering.beat == 0)),
                  "an exhausted pass has entered all of its rows")
        flights = [self.output_full, self.memory_full]
        h.require(~self.active | (self.leaving.after(flights) == self.entering),
                  "what has entered and not left is in the stages")
        h.require(self.active | ~(self.memory_full | self.output_full | core.done.valid
                                  | self.busy), "nothing is in the stages outside of a pass")
        ended = core.done.valid
        h.require(~ended | ~(self.busy | self.memory_full | self.output_full),
                  "done comes after everything")
        h.require(~self.active | ended | self.busy | self.memory_full | self.output_full,
                  "a pass without beats has its done")
        self.check_flags(h, "memory", self.memory_full, inside("memory_beat"),
                         self.leaving.after(flights[:1]))
        self.check_flags(h, "output", self.output_full, inside("output_beat"), self.leaving)
        wanted, began = inside("walk.wanted"), self.entering.beat > 0
        h.require(~(self.busy & began & wanted) | self.executed,
                  "a beat is wanted of executed rows")
        h.require(~(self.busy & began & ~wanted & self.executed)
                  | (inside("walk.hollow_row") & ~self.new_row & inside("burst.over")),
                  "an executed row without a burst is a hole")
        h.require(~(self.busy & began & self.tail) | self.executed, "a tail is streamed")
        h.require(~(inside("burst.dropping") & self.busy)
                  | ((self.entering.row == 0) & ~began), "a pass waits for the burst before it")
        if config.quant_bits:
            h.require(~self.busy | ((self.entering.row == 0) & ~began) | inside("begun"),
                      "a pass has begun with its first beat")
        finished = inside("finished")
        h.require(~finished | (self.active & ~self.busy & ~ended & self.memory_full),
                  "the burst is closed in the cycle after the last beat has entered")
        pending = inside("account.fresh_row") | inside("account.held_row") \
            | inside("account.mask_byte")
        h.require(~ended | ~pending, "everything is counted when done comes")
        h.require(~ended | (inside("errors.code") == 0), "every code is noted when done comes")
        last_out = self.output_full & data.View(beat_layout(config), inside("output_beat")).last
        h.require(~last_out | ~pending, "everything is counted before the last beat leaves")

    def check_flags(self, h: Harness, name: str, full: Value, beat: Signal, at: Place) -> None:
        """A stage's beat has the flags of its place."""
        flags = data.View(beat_layout(self.config), beat)
        part: Value = Mux(at.beat == 0, parts(self.config, 0), 0)
        for number in range(1, self.config.beats):
            part = Mux(at.beat == number, parts(self.config, number), part)
        h.require(~full | (flags.ends == at.ends), f"{name}: the end of a row")
        h.require(~full | (flags.last == (at.ends & (at.row + 1 == self.rows))),
                  f"{name}: last on the last beat of the pass")
        h.require(~full | (flags.part == part), f"{name}: the part of the row")
