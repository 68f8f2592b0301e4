"""Pages in hand: as they came in, without the operation's item, with those that were merged."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Mux, Signal, Value
from amaranth.lib import data

from .config import PUT, OmapConfig
from .inside import Claim, Inside, one_at_most
from .live import Records
from .schedule import Schedule


class Pages:
    """The host's pages, and those in hand as they are to be written.

    The host is honest: of a page that comes in, the slots in use are as they were last written.
    All else, when beats come, what is in slots that are not in use, and which beat is marked as
    the last, is free.

    Attributes
    ----------
    host : list of list of list of View
        Items by half, page and slot.
    used : list of list of Value
        By half and page: slots in use, as its record has it.
    in_use : list of list of Signal
        By half and page: slots that have an item.
    hand : list of list of View
        By half and slot, as far as is known, from the launch of an operation on.
    kept : list of Signal
        By half: slots of the page that keep their item.
    taken : list of Signal
        By half: slots that an item goes into which waited.
    """

    def __init__(self, inside: Inside, schedule: Schedule, records: Records):
        h = inside.h
        m = h.m
        config: OmapConfig = h.config
        assert config.bus == "shared" and config.parts == 1 and not config.sealed
        assert config.beats == config.slot_beats
        self.inside, self.config = inside, config
        self.before = inside.named(inside("busy") & ~schedule.recorded, "before_records")
        self.numbers = [inside("page_a"), inside("page_b")]
        slots = range(config.slots)
        item = data.StructLayout({"key": config.key_width, "value": config.value_width})
        self.host = [[[Signal(item, name=f"host_{half}{page}_{slot}") for slot in slots]
                      for page in range(config.pages // 2)] for half in "ab"]
        self.used = [[record.used for record in half] for half in records.halves]
        self.in_use = [[Signal(config.slots, name=f"host_{half}{page}_in_use")
                        for page in range(config.pages // 2)] for half in "ab"]
        self.hand = [[Signal(item, name=f"hand_{half}{slot}") for slot in slots]
                     for half in "ab"]
        self.kept = [Signal(config.slots, name=f"hand_keeps_{half}") for half in "ab"]
        self.taken = [inside("pending.taken_a"), inside("pending.taken_b")]
        self.known = known = Signal(name="pages_in_hand")
        launch = inside("launch")
        got = inside("pending.got")
        got_item = inside("pending.item")
        self.old: list[list[data.View]] = []
        self.old_used: list[Signal] = []
        self.match: list[list[Signal]] = []
        coming = [inside("first"), inside("second")]
        with m.If(launch):
            m.d.sync += known.eq(1)
        for half in range(2):
            number = self.numbers[half]
            now = inside.named(Array(self.used[half])[coming[half]], f"coming_used{half}")
            used = inside.named(Array(self.used[half])[number], f"page_used{half}")
            self.old_used.append(used)
            self.old.append([])
            self.match.append([])
            for slot in slots:
                each = [page[slot].as_value() for page in self.host[half]]
                comes = data.View(item, inside.named(Array(each)[coming[half]],
                                                     f"coming{half}{slot}"))
                old = Signal(item, name=f"old{half}{slot}")
                m.d.comb += old.eq(Array(each)[number])
                self.old[half].append(old)
                self.match[half].append(inside.named(
                    used[slot] & inside("hit") & (old.key == inside("key")),
                    f"match{half}{slot}"))
                hand = self.hand[half][slot]
                with m.If(launch):
                    m.d.sync += [hand.eq(comes), self.kept[half][slot].eq(
                        now[slot] & ~(inside("hit_now") & (comes.key == inside("lookup_key"))))]
                with m.Elif(got & (inside("pending.got_half") == half)
                            & inside("pending.got_slot")[slot]):
                    m.d.sync += hand.eq(got_item)
        phase = inside("pending.phase")
        for half, pages in enumerate(self.host):
            for number, page in enumerate(pages):
                with m.If(phase[2] & (self.numbers[half] == number)):
                    m.d.sync += [one.eq(hand)
                                 for one, hand in zip(page, self.hand[half], strict=True)]
                    m.d.sync += self.in_use[half][number].eq(self.kept[half] | self.taken[half])
                with m.If(~inside("startup.ready")):
                    m.d.sync += self.in_use[half][number].eq(0)
        self._honest(inside("buffer.busy") & self.before)

    @property
    def all(self) -> list[tuple[Value, list[data.View]]]:
        """Of every page, lower ones first, its slots in use and its items."""
        return [(used, items) for half in range(2)
                for used, items in zip(self.used[half], self.host[half], strict=True)]

    def row(self, slot: int) -> int:
        """The beat of a page with the slot."""
        return slot // self.config.lanes

    def lane(self, slot: int) -> int:
        """The slot's place in its beat."""
        return slot % self.config.lanes

    def slice(self, beat: Value, slot: int) -> Value:
        """The slot in its beat."""
        return beat.word_select(self.lane(slot), self.config.tuple_width)

    def _honest(self, arriving: Value) -> None:
        h = self.inside.h
        rdata = h.dut.component.rdata
        half, row = self.inside("buffer.half"), self.inside("buffer.row")
        for number in range(2):
            for slot, old in enumerate(self.old[number]):
                h.assume(~(rdata.valid & arriving & (half == number) & (row == self.row(slot))
                           & self.old_used[number][slot])
                         | (self.slice(rdata.payload, slot) == old.as_value()))


def contents(pages: Pages, claim: Claim) -> None:
    """What the pages in hand are to be, and what of it the records and the host have."""
    inside, config = pages.inside, pages.config
    before, step = pages.before, inside("step")
    slots, latency = config.slots, config.trusted_latency
    known, busy = pages.known, inside("busy")
    claim(~busy | known, "pages in hand are those of an operation")
    claim(inside("startup.ready") | ~busy, "nothing runs before init is through")
    claim(~busy | (step < 2) | (inside("pending.matches") == (
        inside("hit") & (inside("pending.item")[:config.key_width] == inside("key")))),
          "items that wait are compared")
    for half in range(2):
        used, kept, taken = pages.old_used[half], pages.kept[half], pages.taken[half]
        free = inside(f"pending.free_{'ab'[half]}")
        claim(~before | ((taken & used) == 0), "items go into free slots")
        claim(~before | (step <= latency) | ((free & (used | taken)) == 0), "slots are free")
        claim(~busy | ~(kept & taken).any(), "kept or taken")
        for slot in range(slots):
            hand, old = pages.hand[half][slot].as_value(), pages.old[half][slot].as_value()
            claim(~before | (kept[slot] == (used[slot] & ~pages.match[half][slot])),
                  "what is kept")
            claim(~before | ~kept[slot] | (hand == old), "what is kept")
            claim(~busy | ~taken[slot] | ~inside("hit")
                  | (pages.hand[half][slot].key != inside("key")), "its own is not merged")
            claim(~known | before | inside("aborted") | ~(kept | taken)[slot] | (hand == old),
                  "the host is to have it")
        for record, slots_used in zip(pages.used[half], pages.in_use[half], strict=True):
            claim(~inside("startup.ready") | (record == slots_used), "the record is to have it")


def answers(pages: Pages, claim: Claim) -> None:
    """A value that is in a page in hand is what is answered, and put anew."""
    inside, before = pages.inside, pages.before
    m = inside.h.m
    matches = [match for half in pages.match for match in half]
    here = inside.named(Cat(matches).any(), "item_in_hand")
    value = Signal(inside.h.config.value_width, name="value_in_hand")
    m.d.comb += value.eq(reduce(or_, [Mux(match, old.value, 0) for match, old in zip(
        matches, [old for half in pages.old for old in half], strict=True)]))
    gives = inside.named(here & one_at_most(matches) & (inside("op") != PUT), "gives_from_hand")
    claim(~before | ~inside("committed") | (here == inside("buffer.in_page")),
          "it is known where the item is")
    claim(~before | ~gives | ~inside("buffer.in_page") | (inside("value") == value),
          "the value in hand")
    asked, offered = Signal(name="answer_from_hand"), Signal(name="offer_from_hand")
    answer, offer = Signal.like(value, name="answer"), Signal.like(value, name="offer")
    with m.If(inside("commit") | inside("abort") | inside("refuse")):
        m.d.sync += [asked.eq(inside("commit") & gives), answer.eq(value)]
    with m.If(inside("responder.gives")):
        m.d.sync += [offered.eq(asked), offer.eq(answer)]
    rsp = inside.h.dut.component.rsp
    width = len(value)
    claim(~inside("responder.staged") | ~asked | (inside("responder.response")[-width:] == answer),
          "an answer waits")
    claim(~rsp.valid | ~offered | (rsp.payload[-width:] == offer),
          "the answer is the value of the item in the page")
    puts, put = Signal(name="puts_anew"), Signal.like(value, name="value_put")
    m.d.sync += [puts.eq(inside("pending.phase")[2] & gives & inside("places")), put.eq(value)]
    claim(~inside("pending.phase")[2] | (inside("pending.pushes") == inside("places")),
          "what places an item puts it")
    words = inside.h.dut.words("pending.items.ram.words")
    entry = inside("pending.entry")
    claim(~puts | (entry >= len(words)) | (Array(words)[entry][-width:] == put),
          "the value in the page is what waits anew")
