"""Invariants of an operation's steps: what has come, and what has been changed, by when."""

from __future__ import annotations

from amaranth.hdl import Cat, Mux, Signal

from .config import COMMIT_STEPS, OmapConfig
from .inside import Claim, Inside, one_at_most


class Schedule:
    """The steps of an operation, also of one that is aborted, with any host.

    Attributes
    ----------
    updated : Signal
        The operation's change of the index is done, if it makes one.
    recorded : Signal
        The records of its two pages are changed.
    closed : Signal
        The item is in its list: all is changed.
    """

    def __init__(self, inside: Inside, claim: Claim):
        config: OmapConfig = inside.h.config
        busy, committed, aborted = inside("busy"), inside("committed"), inside("aborted")
        step, fetched, probed = inside("step"), inside("fetched"), inside("probed")
        closed, phase = inside("closed"), inside("pending.phase")
        latency = config.trusted_latency
        claim(busy == step.any(), "an operation has a step")
        claim(step <= config.fetched + COMMIT_STEPS, "the last step lasts")
        claim(~busy | (fetched == (step >= config.fetched)), "fetched")
        claim(~busy | (probed == (step >= latency + 3)), "probed")
        cycle = inside("pending.cycle")
        for number in range(len(cycle)):
            claim(~busy | (cycle[number] == (step == number + 1)), "the walk's cycles")
        claim(busy | ~cycle.any(), "a walk is of an operation")
        claim(~busy | ~inside("pending.turn").any() | (step > config.fetched + 2),
              "what was taken returns after the walk")
        claim(~busy | ~committed | (step > config.fetched), "changes come after the walk")
        claim(~phase.any() | (busy & committed), "changes are of a committed operation")
        claim(one_at_most(list(phase)), "one change after the other")
        claim(~busy | ~committed | (closed != phase.any()), "a committed operation changes")
        claim(~busy | committed | ~closed, "it closes after it")
        claim(~busy | ~committed | (fetched & ~aborted), "what is committed is not aborted")

        # the bus
        left, writes = inside("requests.left"), inside("requests.write")
        waits = busy & ~committed
        arriving, due = inside("buffer.busy"), inside("arrivals.due")
        beats = config.beats
        arrived = Signal(range(2 * beats + 1), name="beats_arrived")
        asked = Signal(range(2 * beats + 1), name="beats_asked")
        inside.h.m.d.comb += [
            arrived.eq(Mux(arriving, inside("buffer.half") * beats + inside("buffer.row"),
                           2 * beats)),
            asked.eq(Mux(waits & left.any(), (2 - left) * beats, 2 * beats))]
        claim(left <= 2, "two requests at most")
        claim(~left.any() | (writes == ~waits), "reads wait for the commit")
        claim(inside("buffer.row") < beats, "rows of a page")
        claim(~waits | (due + arrived == asked), "beats due were asked for")
        claim(waits | ~(due.any() | arriving), "none is due after a commit")
        gone_by = inside("buffer.arrived")
        claim(~busy | ~gone_by | ~(arriving | inside("buffer.stage_valid")), "all have arrived")
        claim(~busy | arriving | gone_by | inside("buffer.stage_valid"), "the last one arrives")

        # what is sound stays so
        self.own = own = inside.named(inside("lookup_full") & inside("launched"), "own_command")
        unsound = inside("arrivals.late") | inside("arrivals.mismarked") | inside("lost")
        self.updated = inside.named(busy & ~own & ~aborted, "index_updated")
        claim(~(self.updated | (busy & committed)) | (inside("judged") & ~unsound),
              "what was sound stays so")
        self.recorded = inside.named(busy & (phase[3] | closed), "pages_recorded")
        self.closed = inside.named(busy & closed, "item_listed")
        claim(~busy | ~own | Cat(inside("index.active"), inside("index.done")).all(),
              "its command is looked up")
