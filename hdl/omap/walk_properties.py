"""How an operation walks the lists of the pending buffer, and decides what to change in them."""

from __future__ import annotations

from amaranth.hdl import Cat, Mux, Value
from amaranth.lib import data

from .inside import Claim, any_of, one_at_most, total
from .list_properties import Lists
from .pending import link_layout


class Walk:
    """The walk takes the first entries of both lists, and finds the operation's own.

    Parameters
    ----------
    lists : Lists
    claim : callable
    """

    def __init__(self, lists: Lists, claim: Claim):
        self.lists, self.claim = lists, claim
        self.inside, self.config = lists.inside, lists.config
        self.before, self.step = lists.operation.before, self.inside("step")
        self.nexts = [each.as_value() for each in lists.next]
        self.items = [each.as_value() for each in lists.items]
        # words that were read, as they come out of the memories
        self.links = [self.inside(f"pending.next.{name}") for name in ("ram.word", "word")]
        self.read = [self.inside(f"pending.items.{name}") for name in ("ram.word", "word")]
        self._taken()
        self._first_free()
        self.waits_deeper = self._own()
        rests = [self._list(half) for half in range(2)]
        self._changes(rests)

    def _is_own(self, item: Value) -> Value:
        """Whether an item is that of the operation's key."""
        return self.inside("hit") & (item[:self.config.key_width] == self.inside("key"))

    def _taken(self) -> None:
        """Entries that were taken, and come back if the operation is aborted."""
        inside, lists, claim = self.inside, self.lists, self.claim
        turn, busy, aborted = inside("pending.turn"), inside("busy"), inside("aborted")
        entries = 2 * self.config.merges
        claim(turn <= entries, "what was taken returns in turn")
        claim(~busy | ~turn.any() | aborted, "what was taken returns after an abort")
        claim(busy | ~aborted | (turn == entries), "what was taken has returned")
        for number, (gone, walked) in enumerate(zip(lists.gone, lists.walked, strict=True)):
            claim(~gone | (walked < len(lists.entries)), "entries taken")
            claim(~inside("startup.ready") | ~gone | aborted
                  | (self.before & ~lists.spliced[number % 2]) | lists.at(lists.free, walked),
                  "what was taken is free")
        claim(~self.before | (inside("pending.pops") == total(list(lists.gone))),
              "how many were taken")

    def _first_free(self) -> None:
        """The entry that the operation's item is to take."""
        inside, lists, claim, step = self.inside, self.lists, self.claim, self.step
        before, latency = self.before, self.config.trusted_latency
        free, returned = lists.link("free"), lists.link("returned")
        entry, places = inside("pending.entry"), inside("places")
        unspliced = before & ~lists.spliced[0]
        after = lists.at(self.nexts, free.entry)
        early, word = self.links
        for when, value in ((before & (step == 1), early), (before & (step == latency), word),
                            (unspliced & (step > latency), lists.link("free_next").as_value())):
            claim(~when | ~free.valid | (value == after), "after the first free entry")
        claim(~unspliced | ~places | Mux(returned.valid, entry == returned.entry,
                                         free.valid & (entry == free.entry)), "the entry to take")
        claim(~before | ~places | (inside("pending.count") <= self.config.pending),
              "there is one to take")

    def _own(self) -> Value:
        """The probe of the operation's own item; whether this waits behind those taken."""
        inside, lists, claim, step = self.inside, self.lists, self.claim, self.step
        before, hit, pointer = self.before, inside("hit"), inside("pointer")
        latency = self.config.trusted_latency
        mine, after = lists.at(self.items, pointer), lists.at(self.nexts, pointer)
        previous = lists.at(lists.previous, pointer)
        backs = [inside(f"pending.prev.{name}") for name in ("ram.word", "word")]
        own, waits = self._is_own(mine), lists.at(lists.listed, pointer)
        for number, (item, following, back) in enumerate((
                (self.read[0], self.links[0], backs[0]), (self.read[1], self.links[1], backs[1]),
                (inside("pending.item"), inside("pending.successor"), backs[1]))):
            claim(~before | ~hit | (step != number + 2)
                  | ((item == mine) & (following == after) & (back == previous)),
                  "the probed entry is read")
        claim(~before | ~hit | (step < 2) | (step > latency + 1) | (backs[0] == previous),
              "the entry before it stays")
        claim(~before | (step != latency + 2) | ((inside("pending.matches") == own)
                                                 & (~hit | (inside("pending.probed") == waits))),
              "the probed entry is compared")
        probed = before & (step >= latency + 3)
        claim(~probed | lists.spliced[0] | (inside("pending.known") == (own & waits)),
              "it is known to wait")
        claim(~probed | ~hit | ~waits
              | ((lists.link("probe_next").as_value() == after)
                 & (inside("pending.probe_previous") == previous)), "its neighbours")
        popped = inside("pending.own_popped")
        taken = [gone & self._is_own(lists.at(self.items, walked))
                 for gone, walked in zip(lists.gone, lists.walked, strict=True)]
        claim(~before | (popped == any_of(taken)), "its own was taken")
        for each, walked in zip(taken, lists.walked, strict=True):
            claim(~before | ~each | (walked == pointer), "only its own has its key")
        deeper = inside.named(hit & ~inside("buffer.in_page") & ~popped, "own_deep")
        claim(~before | ~inside("committed") | ~deeper | (own & waits), "its own waits deeper")
        return deeper

    def _list(self, half: int) -> data.View:
        """The walk of a list; its rest."""
        inside, lists, claim, step = self.inside, self.lists, self.claim, self.step
        before, latency, name = self.before, self.config.trusted_latency, "ab"[half]
        page, pops = lists.operation.pages[half], lists.pops[half]
        waiting = lists.waiting[half]
        first, rest, current = (lists.link(f"{of}_{name}") for of in ("first", "rest", "current"))
        last, popped = inside(f"pending.last_{name}"), inside(f"pending.popped_{name}")
        walks, seen = before & (step > latency), before & ~lists.spliced[half]
        head = lists.at([each.head for each in lists.records], page)
        claim(~walks | ~seen | (first.as_value() == head), "the first in the list")
        claim(~walks | (rest.valid == (waiting > pops)), "the rest of a list")
        claim(~walks | ~rest.valid | (rest.entry < len(lists.entries)), "the rest of a list")
        claim(~seen | ~popped | (last < len(lists.entries)), "the last taken")
        claim(~seen | (popped == pops.any()), "some were taken")
        for number in lists.entries:
            inlist, rank = lists.belongs(number, page), lists.rank[number]
            claim(~walks | ~rest.valid | (rest.entry != number)
                  | (inlist & (rank + 1 + pops == waiting)), "the rest of a list")
            claim(~seen | ~popped | (last != number) | (inlist & (rank + pops == waiting)),
                  "the last taken")
            claim(~seen | (lists.popped[half][number] == (inlist & (rank + pops >= waiting))),
                  "those taken")
        item, following = (lists.at(words, current.entry) for words in (self.items, self.nexts))
        after = data.View(link_layout(self.config), following)
        for count in range(self.config.merges):
            reach = latency * (count + 2) + half + 1
            since = latency * (count + 1) + (half + 2 if count else 1)
            when = before & (step >= since) & (step <= reach)
            claim(~when | (current.valid == ((pops == count) & rest.valid)), "the next to take")
            claim(~when | ~current.valid | (current.entry == rest.entry), "the next to take")
            due = current.valid & (after.valid if count else 1)
            place = after.entry if count else current.entry
            claim(~before | (step != reach - 2) | ~due
                  | ((self.read[0] == lists.at(self.items, place))
                     & (self.links[0] == lists.at(self.nexts, place))), "its words are read")
            claim(~before | (step != reach - 1) | ~current.valid
                  | ((self.read[1] == item) & (self.links[1] == following)),
                  "its words are there")
            claim(~before | (step != reach) | ~current.valid
                  | ((inside("pending.item") == item)
                     & (inside("pending.successor") == following)
                     & (inside("pending.matches") == self._is_own(item))), "its words are known")
        return rest

    def _changes(self, rests: list[data.View]) -> None:
        """What is decided once both lists are walked."""
        inside, lists, claim, phase = self.inside, self.lists, self.claim, self.lists.phase
        here, places, which = inside("records.here"), inside("places"), inside("which")
        deeper, now = self.waits_deeper, phase[2]
        heads = [rest.valid & (rest.entry == inside("pointer")) & (which == half)
                 for half, rest in enumerate(rests)]
        claim(~now | (inside("pending.deep") == deeper), "its own waits deeper")
        claim(~now | (inside("pending.unlinks") == (deeper & ~any_of(heads))),
              "it leaves the middle")
        claim(~now | (inside("pending.chains")
                      == (~places & deeper & lists.link("returned").valid)), "two are returned")
        claim(~(now | phase[3]) | (inside("pending.pushes") == places), "an item is put")
        left = [inside.named(Mux(deeper & heads[half], lists.link("probe_next").as_value(),
                                 rest.as_value()), f"left{half}")
                for half, rest in enumerate(rests)]
        pushed = Cat(1, inside("pending.entry"))
        for half, name in enumerate("ab"):
            claim(~now | (inside(f"pending.after_{name}") == Mux(here[half], pushed, left[half])),
                  "the list that is left")
        there = lists.at([each.head for each in lists.records], lists.operation.goes)
        claim(~now | (inside("pending.onto") == Mux(here[0], left[0], Mux(
            here[1], left[1], there))), "the list that it goes to")
        claim(~(phase[0] | phase[1] | phase[2]) | one_at_most(list(here)), "one page in hand")
