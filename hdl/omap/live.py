"""Loads of pages, keys of the index, and the count of live keys agree."""

from __future__ import annotations

from amaranth.hdl import Array, Mux, Signal, Value
from amaranth.lib import data

from pimlico.hdl.common.properties import Harness

from .config import OmapConfig
from .index import target_layout
from .inside import Claim, Inside, Place, given, total
from .operation import OperationInvariants
from .records import record_layout
from .schedule import Schedule
from .tracked_index import IndexInvariants


class Records:
    """What ties an operation to the records of its pages.

    Attributes
    ----------
    halves : list of list of View
        The records, lower half first.
    """

    def __init__(self, inside: Inside, schedule: Schedule, claim: Claim):
        h = inside.h
        config: OmapConfig = h.config
        layout = record_layout(config)
        self.words = [h.dut.words(f"records.{name}.ram.words") for name in ("lower", "upper")]
        self.halves = [[data.View(layout, word) for word in words] for words in self.words]
        clear, address = inside("startup.clear"), inside("startup.address")
        for words in self.words:
            for number, word in enumerate(words):
                claim(~(clear & (address > number)
                        | (inside("startup.ready") & inside("index.clearing"))) | (word == 0),
                      "a record was cleared")
        busy, step, places = inside("busy"), inside("step"), inside("places")
        latency = config.trusted_latency
        pages = [inside("page_a"), inside("page_b")]
        new = [inside("new_a"), inside("new_b")]
        before = busy & ~schedule.recorded
        here, target = inside("records.here"), inside("records.target")
        same, nexts = [], []
        for half, name in enumerate(("lower", "upper")):
            mine = inside.named(Array(self.words[half])[pages[half]], f"record_{'ab'[half]}")
            following = inside.named(Array(self.words[half])[new[half]],
                                     f"next_record_{'ab'[half]}")
            word, inner = inside(f"records.{name}.word"), inside(f"records.{name}.ram.word")
            claim(~busy | (step != 1) | (inner == mine), "the record is read")
            claim(~busy | (step != latency) | (word == mine), "the record is there")
            claim(~busy | (step != latency) | (inner == following), "the next one is read")
            claim(~busy | (step != latency + 1) | (word == following), "the next one is there")
            claim(~before | (step <= latency)
                  | (inside(f"records.load_{'ab'[half]}") == data.View(layout, mine).load),
                  "the page's load")
            same.append(inside.named(new[half] == pages[half], f"stays_{'ab'[half]}"))
            nexts.append(following)
            claim(~busy | (step < latency) | (inside(f"records.same_{'ab'[half]}") == same[half]),
                  "the next page is in hand")
        later = busy & (step > latency + 1)
        claim(~later | (here == (Mux(target, same[1] << 1, same[0]) & places.replicate(2))),
              "the item's next page is in hand")
        claim(~later | schedule.closed | (schedule.recorded & (here.any() | ~places))
              | (inside("records.chosen") == Mux(target, nexts[1], nexts[0])),
              "the record of the item's next page")


def loads_live(h: Harness) -> None:
    """The keys of the index that have an arbitrary page as theirs, counted."""
    inside = Inside(h)
    config: OmapConfig = h.config
    index = IndexInvariants(inside, given(h))
    OperationInvariants(inside, given(h))
    schedule = Schedule(inside, h.require)
    records = Records(inside, schedule, h.require)
    half = h.constant(1, "tracked_half")
    number = h.constant(config.half_bits, "tracked_page")

    def belongs(place: Place) -> Value:
        target = data.View(target_layout(config), place.target)
        return place.valid & (target.which == half) \
            & (Mux(half, target.b, target.a) == number)

    counts: list[Value] = []
    keys: list[Value] = []
    for way, places in enumerate(index.places.ways):
        path = f"index.way{way}"
        old = index.places.place(inside.named(
            Array(index.places.words[way])[inside(f"{path}.address")], f"replaced{way}"))
        new = index.places.place(inside(f"{path}.data"))
        for what, kept, name in ((belongs, counts, "page"), (lambda each: each.valid, keys, "")):
            count = Signal(range(len(places) + 1), name=f"{name}_keys_of_way{way}")
            with h.m.If(~index.use):
                h.m.d.sync += count.eq(0)
            with h.m.Elif(inside(f"{path}.write")):
                h.m.d.sync += count.eq(count + what(new) - what(old))
            h.require(~index.use | (count == total([what(place) for place in places])),
                      "what a way holds")
            kept.append(count)
    counts += [belongs(place) for place in index.places.stash]
    keys += [place.valid for place in index.places.stash]
    live, busy = inside("live"), inside("busy")
    own = schedule.own
    h.require(~index.use | (total(keys) == live), "live keys are those of the index")
    h.require(live <= config.capacity, "no more keys than capacity")
    h.require(~own | ~inside("places") | inside("hit") | (live < config.capacity),
              "a new key fits")

    hit, places_item = inside("hit"), inside("places")
    which, target = inside("which"), inside("records.target")
    was = hit & (which == half) & (Mux(half, inside("page_b"), inside("page_a")) == number)
    becomes = places_item & (target == half) \
        & (Mux(half, inside("new_b"), inside("new_a")) == number)
    stays = inside("records.here").any()
    load = Mux(half, Array(each.load for each in records.halves[1])[number],
               Array(each.load for each in records.halves[0])[number])
    updated, recorded, closed = schedule.updated, schedule.recorded, schedule.closed
    left = total([*counts, updated & was, recorded & becomes & stays, closed & becomes & ~stays])
    right = load + (recorded & was) + (updated & becomes)
    h.require(~index.use | (left == right), "a page's load is the number of its keys")
    h.require(~index.use | busy | (total(counts) == load),
              "between operations a page's load is the number of its keys")
