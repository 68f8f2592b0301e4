"""Beats of pages in hand: how they come in, are merged with what waited, and go out."""

from __future__ import annotations

from amaranth.hdl import Array, Const, Mux, Signal, Value

from pimlico.hdl.common.properties import Harness

from .config import COMMIT_STEPS, OmapConfig
from .inside import AnyIndex, Claim, Inside, any_of, one_at_most
from .live import Records
from .pages import Pages, answers, contents
from .schedule import Schedule


def arrivals(pages: Pages, claim: Claim) -> list[list[Signal]]:
    """Beats come in: of each half and row whether its beat is stored."""
    inside, config = pages.inside, pages.config
    before, step, busy = pages.before, inside("step"), inside("busy")
    slots, lanes, beats = config.slots, config.lanes, config.beats
    latency, known = config.trusted_latency, pages.known
    row_at, half_at = inside("buffer.row"), inside("buffer.half")
    arriving = inside("buffer.busy")
    place = Signal(range(2 * beats + 1), name="place_of_beat")
    inside.h.m.d.comb += place.eq(Mux(arriving, half_at * beats + row_at, 2 * beats))
    staged, matched = inside("buffer.stage_valid"), inside("buffer.stage_matched")
    keeps, beat = inside("buffer.stage_kept"), inside("buffer.beat")
    stage_at = inside("buffer.stage_half") * beats + inside("buffer.stage_row")
    claim((row_at < beats) & (inside("buffer.part") == 0), "rows of a page")
    claim(~busy | (inside("may_arrive") == (step >= config.arrives)), "beats may arrive")
    claim(~busy | (step > latency) | (place == 0), "no beat comes at once")
    claim(~(busy & (step <= latency)) | ~staged, "no beat comes at once")
    claim(~staged | (stage_at + 1 == place), "a beat is stored in the next cycle")
    claim(staged | ~(matched | keeps).any(), "of no beat nothing is kept")
    claim(~staged | known, "beats of an operation")
    at_hand = []
    for half in range(2):
        register = inside(f"buffer.used_slots_{'ab'[half]}")
        come = [inside.named(place > half * beats + row, f"come{half}{row}")
                for row in range(beats)]
        stored = [inside.named(come[row] & ~(staged & (stage_at == half * beats + row)),
                               f"stored{half}{row}") for row in range(beats)]
        at_hand.append(stored)
        all_slots = beats * lanes
        for count in range(beats + 1):
            when = before & (step > latency) \
                & (come[count - 1] if count else 1) & (~come[count] if count < beats else 1)
            for slot in range(all_slots):
                bit = register[(slot - count * lanes) % all_slots]
                expect: Value = Const(0) if slot >= slots else pages.kept[half][slot] \
                    if pages.row(slot) < count else pages.old_used[half][slot]
                claim(~when | (bit == expect), "slots that keep their item, once round")
        for slot in range(slots):
            now = before & staged & (stage_at == half * beats + pages.row(slot))
            lane = pages.lane(slot)
            claim(~now | (keeps[lane] == pages.kept[half][slot]), "what of a beat is kept")
            claim(~now | (matched[lane] == pages.match[half][slot]), "what of a beat is taken out")
            claim(~now | ~pages.old_used[half][slot]
                  | (pages.slice(beat, slot) == pages.old[half][slot].as_value()),
                  "a beat as it came")
        for slot in range(slots, all_slots):
            now = staged & (stage_at == half * beats + slot // lanes)
            claim(~now | ~(keeps | matched)[slot % lanes], "no slot")
    claim(~before | (inside("buffer.in_page") == any_of([
        pages.match[half][slot] & at_hand[half][pages.row(slot)]
        for half in range(2) for slot in range(slots)])), "the item is in a page")
    claim(~inside("buffer.arrived") | ~(arriving | staged), "all beats are stored")
    claim(busy | ~(arriving | staged), "beats are of an operation")
    return at_hand


def merging(pages: Pages, at_hand: list[list[Signal]], claim: Claim) -> list[list[Signal]]:
    """Items that waited go in: of each half and slot what goes out."""
    inside, config = pages.inside, pages.config
    step, busy, known = inside("step"), inside("busy"), pages.known
    slots, lanes, beats, gone = config.slots, config.lanes, config.beats, inside("pending.gone")
    staged = inside("buffer.stage_valid")
    number, recorded = inside("buffer.number"), inside("pending.recorded")
    fits, entries = inside("buffer.fits"), 2 * config.merges
    into = [inside(f"buffer.into{each}") for each in range(entries)]
    waiting = inside.h.dut.words("buffer.waiting")
    inserts, at_row = inside("buffer.inserts"), inside("buffer.stored_row")
    stored_number = inside("buffer.stored_number")
    settled = inside.named(known & (~busy | (step > 1)), "hand_settled")
    inserting = inside.named(inserts.any(), "inserting")
    claim(~known | (number <= recorded), "what is stored was fetched")
    claim(recorded <= entries, "entries that were fetched")
    claim(~known | (number == 0) | inside("buffer.arrived"), "beats are stored first")
    claim(~settled | ~inserting | ((number != 0) & (stored_number + 1 == number)
                                   & ~staged & inside("buffer.arrived")),
          "an item is stored in the next cycle")
    claim(~settled | ~inserting | Array(list(fits))[stored_number], "one that fits")
    for each in range(entries):
        half = each % 2
        claim(~known | ~fits[each] | gone[each], "what fits was taken")
        claim(~known | ~fits[each] | (recorded > each), "what fits was fetched")
        claim(~known | ~fits[each] | (into[each].any() & one_at_most(list(into[each]))), "a slot")
        for slot in range(slots):
            there = fits[each] & into[each][slot]
            claim(~known | ~there | pages.taken[half][slot], "a slot that is taken")
            claim(~known | ~there | (waiting[each] == pages.hand[half][slot].as_value()),
                  "its item")
            claim(~settled | ~inserting | (stored_number != each) | ~there
                  | ((inserts == (1 << pages.lane(slot))) & (at_row == pages.row(slot))),
                  "where it goes")
    for half in range(2):
        for slot in range(slots):
            own = [fits[each] & into[each][slot] for each in range(half, entries, 2)]
            claim(~known | (pages.taken[half][slot] == any_of(own)), "slots that are taken")
            claim(~known | one_at_most(own), "one item a slot")

    stride = 1 << len(inside("buffer.row"))
    memories = [inside.h.dut.words(f"buffer.lane{lane}") for lane in range(lanes)]
    final: list[list[Signal]] = []
    for half in range(2):
        final.append([])
        for slot in range(slots):
            kept, taken = pages.kept[half][slot], pages.taken[half][slot]
            hand = pages.hand[half][slot].as_value()
            written = any_of([fits[each] & into[each][slot] & (number > each)
                              & ~(inserting & (number == each + 1))
                              for each in range(half, entries, 2)])
            word = memories[pages.lane(slot)][half * stride + pages.row(slot)]
            claim(~settled | ~at_hand[half][pages.row(slot)]
                  | (word == Mux(kept | written, hand, 0)), "a page in hand")
            final[half].append(inside.named(Mux(kept | taken, hand, 0), f"final{half}{slot}"))
        for slot in range(slots, beats * lanes):
            claim(~settled | ~at_hand[half][slot // lanes]
                  | (memories[slot % lanes][half * stride + slot // lanes] == 0),
                  "zeros behind the last slot")
    claim(~inside("departures.reading") | ~inserting
          | (~inside("departures.half") & (inside("departures.row") == 0)
             & (stored_number == entries - 1)), "the last item is stored")
    claim(~(inside("departures.beats__valid") & inserting), "all are stored")
    return final


def departures(pages: Pages, final: list[list[Signal]], claim: Claim) -> None:
    """What goes out is what the pages are to be."""
    inside, config = pages.inside, pages.config
    step, busy, known = inside("step"), inside("busy"), pages.known
    slots, lanes, beats, width = config.slots, config.lanes, config.beats, config.tuple_width
    entries, number, recorded = (2 * config.merges, inside("buffer.number"),
                                 inside("pending.recorded"))
    arriving, staged = inside("buffer.busy"), inside("buffer.stage_valid")
    reading, offered = inside("departures.reading"), inside("departures.beats__valid")
    out_half, out_row = inside("departures.half"), inside("departures.row")
    committed = inside("committed")
    out = Signal(range(2 * beats + 1), name="place_out")
    inside.h.m.d.comb += out.eq(Mux(reading, out_half * beats + out_row, 2 * beats))
    going = inside.named(reading | offered, "pages_go_out")
    claim(out_row < beats, "rows of a page")
    claim(~going | (known & (number == entries) & (recorded == entries)), "all is merged")
    claim(~going | ~arriving & ~staged & (~busy | (committed & (step > config.fetched + 1))),
          "committed pages go out")
    claim(~busy | ~inside("departed") | (number == entries), "all is merged")
    claim(~busy | inside("departed") | ~going, "one operation's pages")
    claim(~(reading & (out == 0)) | ~offered, "one operation's pages")
    claim(~(offered & reading) | (out != 0), "one operation's pages")
    ports = inside.h.dut.component
    for half in range(2):
        for row in range(beats):
            now = ports.wdata.valid & (out == half * beats + row + 1)
            for slot in range(slots):
                if pages.row(slot) == row:
                    claim(~now | (pages.slice(ports.wdata.payload, slot) == final[half][slot]),
                          "what goes out is the page")
            used = min(lanes, slots - row * lanes) * width
            claim(~now | (ports.wdata.payload[used:config.beat_width] == 0), "zeros beside it")


def paces(inside: Inside, claim: Claim) -> None:
    """When init is through, entries are walked, and changes are made."""
    config: OmapConfig = inside.h.config
    ready, busy, step = inside("startup.ready"), inside("busy"), inside("step")
    recorded, phase = inside("pending.recorded"), inside("pending.phase")
    claim(~(ready & (inside("startup.clear") | inside.maybe("startup.drawing"))),
          "init is through when all is drawn and cleared")
    claim(ready | ~(inside("index.active") | inside("lookup_full") | busy),
          "nothing runs before init is through")
    claim(~inside.maybe("startup.drawing") | (inside("startup.address") == 0),
          "the first word comes first")
    claim(inside("index.active") == inside("lookup_full"), "a command is looked up")
    claim(~inside("lookup_full") | ~inside("launched") | inside("index.done"),
          "what is launched was looked up")
    starts, entries = 2 * config.trusted_latency + 1, 2 * config.merges
    claim(~busy | (recorded == Mux(step < starts, 0, Mux(step > starts + entries, entries,
                                                         step - starts))), "entries walked")
    for number in range(entries):
        claim(~busy | ~inside("pending.gone")[number] | (recorded > number), "taken when walked")
    for number in range(COMMIT_STEPS):
        claim(~phase[number] | (step > config.fetched + number), "changes come in turn")
    claim(~busy | ~inside("closed") | (step >= config.fetched + COMMIT_STEPS), "and end")


def pages_in_hand(h: Harness) -> None:
    """Pages of an operation, from the host's beats to those for the host."""
    inside, claim = Inside(h), h.require
    AnyIndex(inside)
    paces(inside, claim)
    schedule = Schedule(inside, claim)
    pages = Pages(inside, schedule, Records(inside, schedule, claim))
    contents(pages, claim)
    departures(pages, merging(pages, arrivals(pages, claim), claim), claim)
    answers(pages, claim)
