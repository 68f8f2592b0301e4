"""An operation ends after so many cycles in which nothing outside keeps it waiting."""

from __future__ import annotations

from amaranth.hdl import Mux, Signal

from pimlico.hdl.common.properties import Harness

from .config import COMMIT_STEPS, OmapConfig
from .inside import Claim, Inside
from .schedule import Schedule


class Steps:
    """By when an operation does what, in cycles of its own from its launch.

    Attributes
    ----------
    first, read : int
        The first beat is taken; both pages are read.
    commit, sends : int
        It is committed; its pages begin to go out.
    answers : int
        Its response is on offer.
    leaves, ends : int
        Its command leaves the lookup stage; it ends.
    launch : int
        The next is launched, if it is looked up.
    """

    def __init__(self, config: OmapConfig):
        beats, merging = 2 * config.beats, 2 * config.merges if config.appends else 0
        self.first = max(config.arrives, 2)
        self.read = self.first + beats + 1
        self.commit = max(self.read, config.fetched)
        self.sends = max(self.commit, self.read + merging - 2)
        self.answers = self.sends + beats + 2
        # a command is launched when it has been looked up for as long
        self.looked_up = config.trusted_latency + 3
        self.leaves = max(self.read, config.relocated - self.looked_up)
        self.ends = max(self.commit + COMMIT_STEPS, self.read + merging - 1, self.sends,
                        self.leaves + 1)
        self.launch = max(self.ends + 1, self.answers if config.bus == "shared" else 0)

    def interval(self, config: OmapConfig) -> int:
        """Cycles of its own from launch to launch, of commands that wait."""
        return max(self.launch, self.leaves + self.looked_up + 1)


def bounded_completion(h: Harness) -> None:
    """Counts the cycles that are an operation's own, and what is done by each."""
    inside = Inside(h)
    config: OmapConfig = h.config
    steps = Steps(config)
    m, ports, claim = h.m, h.dut.component, h.require
    h.assume(h.dut.outputs["fatal"] == 0)
    h.assume(~inside("abort"))
    h.assume(~inside("ran_dry"))
    schedule = Schedule(inside, claim)

    ready = inside("startup.ready")
    claim(ready | ~(inside("index.active") | inside("lookup_full") | inside("busy")),
          "nothing runs before init is through")
    claim(~(ready & (inside("startup.clear") | inside.maybe("startup.drawing"))),
          "init is through when all is drawn and cleared")

    # at the ports: who keeps whom waiting
    beats = config.beats
    due = Signal(range(2 * beats + 1), name="due_beats")
    asks = ports.req.valid & ports.req.ready & ~ports.req.payload[-1]
    m.d.sync += due.eq(due + Mux(asks, beats, 0)
                       - (ports.rdata.valid & ports.rdata.ready & due.any()))
    claim(inside("arrivals.due") == due, "beats due")
    waits = inside.named(
        (ports.req.valid & ~ports.req.ready) | (ports.wdata.valid & ~ports.wdata.ready)
        | (due.any() & ~ports.rdata.valid) | (ports.rsp.valid & ~ports.rsp.ready)
        | (ports.random.ready & ~ports.random.valid), "waits_for_others")
    most = steps.launch + 1
    own = Signal(range(most + 1), init=most, name="own_cycles")
    asked = Signal(range(most + 1), init=most, name="own_cycles_of_command")
    taken = ports.cmd.valid & ports.cmd.ready
    launch = ports.random.valid & ports.random.ready & h.dut.outputs["ready"]
    claim(launch == inside("launch"), "a draw is taken for a launch")
    with m.If(launch):
        m.d.sync += own.eq(1)
    with m.Elif(~waits & (own != most)):
        m.d.sync += own.eq(own + 1)
    with m.If(taken):
        m.d.sync += asked.eq(0)
    with m.Elif(~waits & (asked != most)):
        m.d.sync += asked.eq(asked + 1)

    claim((own <= most) & (asked <= most), "counts end there")
    command = inside("lookup_full")
    interval = steps.interval(config)
    pace = Signal(range(interval + 2), name="own_cycles_with_commands")
    with m.If(launch):
        m.d.sync += pace.eq(1)
    with m.Elif(pace.any() & ~waits & ~((~command | inside("leaves")) & ~taken)):
        m.d.sync += pace.eq(pace + 1)

    busy, committed, step = inside("busy"), inside("committed"), inside("step")
    left, staged = inside("requests.left"), inside("responder.staged")
    written = inside("responder.written")
    reading, offered = inside("departures.reading"), inside("departures.beats__valid")
    departed, settled = inside("departed"), inside("index.settled")
    cycle = inside("index.cycle")
    reads = busy & ~committed
    last = config.fetched + COMMIT_STEPS
    claim(~busy | (step == last) | (step >= own), "the steps count all cycles")
    claim(~busy | (inside("may_arrive") == (step >= config.arrives)), "beats may arrive")
    claim(~reads | (left + own <= 3) | ~left.any(), "pages are asked for")
    arrived = inside.named(Mux(inside("buffer.busy"), inside("buffer.half") * beats
                               + inside("buffer.row"), 2 * beats), "taken_beats")
    claim(~reads | (arrived == 2 * beats) | (arrived + steps.first >= own), "beats arrive")
    claim(~reads | inside("buffer.arrived") | (own < steps.read), "both pages are read")
    claim(~reads | (own <= steps.commit), "the operation is committed")
    if config.appends:
        _merges(inside, config, steps, own, claim)
    sends = busy & committed & ~departed
    claim(~inside("aborted"), "no operation is aborted")
    claim(~reads | ~departed, "nothing goes out before the commit")
    claim(~sends | (own <= steps.sends), "its pages go out")
    row = inside.named(inside("departures.half") * beats + inside("departures.row"), "next_row")
    claim(inside("departures.row") < beats, "rows of a page")
    pages = Signal(range(2 * beats + 4), init=2 * beats + 3, name="own_cycles_of_pages")
    with m.If(inside("send")):
        m.d.sync += pages.eq(1)
    with m.Elif(~waits & (pages != pages.init)):
        m.d.sync += pages.eq(pages + 1)
    claim(~reading | (pages <= row + 1), "beats go out")
    claim(~offered | (pages <= 2 * beats + 1), "the last beat goes out")
    claim(~offered | (inside("departures.final") == ~reading), "the last beat ends it")
    out = reading | offered | sends
    claim(out == (staged & ~written), "a response waits for its beats")
    claim(~sends | ~(reading | offered), "one operation's at a time")
    claim(~staged | sends | (pages <= 2 * beats + 1), "a response is on offer after its beats")
    if config.bus == "shared":
        claim(~reads | ~(reading | offered | staged), "the one before has gone")
        claim(~(reading | offered | staged) | sends | (own < steps.sends + 1 + pages),
              "its pages have gone")
        claim(~reading | (own <= steps.sends + 1 + row), "its beats go out")
        claim(~staged | (own < steps.answers), "its response is on offer")
    else:
        claim(~(reads & reading) | (own <= row + 1), "beats of the one before go out")
        claim(~(reads & (offered | staged)) | (own <= 2 * beats + 1), "the one before has gone")
        claim(~((staged | reads) & ports.rsp.valid) | (own <= 2 * beats + 2),
              "its response is taken")
    phase = inside("pending.phase")
    for number in range(COMMIT_STEPS):
        claim(~phase[number] | (own <= steps.commit + 1 + number), "the changes are made")
    waiting = command & ~inside("launched")
    claim(~schedule.own | busy, "a command that was launched has its operation")
    claim(command == inside("index.active"), "a command is looked up")
    claim(~inside("index.active") | ((cycle <= config.relocated)
                                     & (settled == (cycle == config.relocated))
                                     & (inside("index.done") == (cycle >= steps.looked_up))),
          "the cycles of a lookup")
    claim(~schedule.own | (cycle == config.relocated) | (cycle >= step + steps.looked_up),
          "it was looked up at its launch")
    claim(~schedule.own | (own <= steps.leaves), "its command leaves")
    claim(~busy | (own <= steps.ends), "the operation ends")
    claim(reads | ~left.any() | (left + own <= steps.commit + 3),
          "the pages to write are asked for")
    claim(~waiting | (asked == most) | (cycle == config.relocated) | (cycle >= asked),
          "it is looked up from its cycle on")
    claim(~waiting | (asked <= own), "a command is taken after the launch before")
    claim(~(command & inside("index.done")) | inside("launched") | (own <= steps.launch)
          | (asked <= steps.looked_up), "a command is launched")
    claim(~waiting | (asked <= steps.launch), "a command is launched in time")

    claim((pace <= own) | (own == most), "cycles with commands are among those of its own")
    claim(waiting | (pace <= steps.leaves), "the next command comes")
    claim(~waiting | (asked == most) | (pace <= steps.leaves + 1 + asked),
          "the next command is looked up")
    claim(pace <= interval, "commands that wait are launched so far apart")


def _merges(inside: Inside, config: OmapConfig, steps: Steps, own: Signal,
            claim: Claim) -> None:
    """What waited is stored after the beats, an item a cycle, once it is fetched."""
    busy, step, number = inside("busy"), inside("step"), inside("buffer.number")
    recorded = inside("pending.recorded")
    entries = 2 * config.merges
    before = 2 * config.trusted_latency + 1
    claim(~busy | (recorded == Mux(step < before, 0, Mux(step > before + entries, entries,
                                                          step - before))), "items are fetched")
    claim(~busy | (number <= recorded), "what is stored was fetched")
    claim(~busy | (number == entries) | (number + before >= step)
          | (number + steps.read >= own + 1), "items are stored")
