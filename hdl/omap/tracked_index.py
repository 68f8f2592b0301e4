"""The index holds every key once, where its hash has it, and finds it."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Mux, Signal, Value

from pimlico.hdl.common.properties import Harness

from .config import DEL, RELOCATIONS, OmapConfig
from .inside import AnyHash, Inside, Places, any_of, one_at_most
from .operation import OperationInvariants


class IndexInvariants:
    """What ties the steps of a lookup to the contents of the index.

    Attributes
    ----------
    places : Places
    sound : Signal
        The index is in use: initialised.
    """

    def __init__(self, inside: Inside):
        self.inside = inside
        h = inside.h
        config: OmapConfig = h.config
        self.places = places = Places(inside)
        latency = config.trusted_latency
        ready, clear = inside("startup.ready"), inside("startup.clear")
        clearing, address = inside("index.clearing"), inside("startup.address")
        cycle, active = inside("index.cycle"), inside("index.active")
        key = inside("lookup_key")
        hashed = AnyHash(inside)
        addresses = inside("index.addresses")
        moving, move_way = inside("index.moving"), inside("index.move_way")
        waits, hashed_key = inside("index.waits"), inside("index.hashed_key")
        bits = config.index_bits
        turn = inside("index.turn")
        h.require(turn.any() & one_at_most(list(turn)), "one way's turn")

        # init
        h.require(ready | ~(active | inside("lookup_full") | inside("busy")),
                  "nothing runs before init is through")
        h.require(~(ready & (clear | inside.maybe("startup.drawing"))),
                  "init is through when all is drawn and cleared")
        h.require(~clearing | ~active, "nothing is looked up before all is cleared")
        h.require(address < config.clear_words, "words to clear")
        h.require(clear | (address == 0), "cleared from the first word on")
        h.require(~clear | (address == 0) | (clearing & ~waits.any()), "what is cleared")
        h.require(~clearing | (ready & (address == 0)) | (clear & (address != 0)),
                  "clearing follows")
        h.require(~clearing | ~(waits.any() | inside("live").any() | inside("busy")),
                  "an empty stash, no keys, and nothing that runs")
        last = inside.named((address - 1)[:bits], "cleared_last")
        for way in range(config.index_ways):
            h.require(~clearing | (addresses.word_select(way, bits) == last), "what is cleared")
            for number, place in enumerate(places.ways[way]):
                h.require(~clearing | ~place.valid
                          | ((number >= last) if number < (1 << bits) - 1
                             else Const(1, 1)), "what was cleared is empty")
                h.require(~(ready & clearing) | ~place.valid | (number == (1 << bits) - 1),
                          "all but the last is empty")

        self.use = use = inside.named(ready & ~clearing, "index_in_use")
        h.require(~active | inside("lookup_full"), "a lookup is of a command")
        h.require(active | ~inside("lookup_full"), "a command is looked up")
        h.require(~active | (cycle <= config.relocated), "cycles of a lookup")
        h.require(~active | (inside("index.settled") == (cycle == config.relocated)), "settled")
        h.require(~active | (inside("index.done") == (cycle > latency + 2)), "done")

        # places
        where = [hashed(place.key)
                 for number, place in enumerate(places.all)]
        size = 1 << bits
        for number, place in enumerate(places.all[:config.index_ways * size]):
            h.require(~use | ~place.valid | (where[number][number // size] == number % size),
                      "an entry is where its hash has it")
        for number, place in enumerate(places.all):
            for other in places.all[:number]:
                h.require(~use | ~(place.valid & other.holds(place.key)), "a key has one place")

        # the lookup
        own = hashed(key)
        step = config.relocation_cycles
        starts = [number * step for number in range(RELOCATIONS)]

        def at(*cycles: int) -> Value:
            return active & Cat(cycle == number for number in cycles).any()

        selected = [Mux(moving[number], place.key, 0)
                    for number, place in enumerate(places.stash)]
        moved = inside.named(_or(selected), "moved_key")
        moved_where = hashed(moved)
        h.require(~at(0) | (hashed_key == key), "the key is hashed")
        h.require(~at(1) | (addresses == Cat(*own)), "the key's addresses")
        for start in starts:
            h.require(~at(*range(start + 1, start + step)) | ~(moving & ~waits).any(),
                      "what moves waits")
            h.require(~at(*range(start + 1, start + step)) | one_at_most(list(moving)),
                      "one moves")
            h.require(~at(start + 1) | (hashed_key == moved), "what moves is hashed")
            h.require(~at(*range(start + 2, start + step)) | (addresses == Cat(*moved_where)),
                      "the addresses of what moves")
            h.require(~at(start + step - 1) | one_at_most(list(move_way)), "one way")
        h.require(~at(starts[-1] + step - 1) | (hashed_key == key), "the key is hashed again")
        h.require(~at(config.relocated) | (addresses == Cat(*own)), "the key's addresses again")
        hit_way, hit_stash = inside("index.hit_way"), inside("index.hit_stash")
        known, found = inside("index.known"), inside("index.found")
        read = [Array(words)[one] for words, one in zip(places.words, own, strict=True)]
        targets = []
        for way in range(config.index_ways):
            current = inside.named(Array(places.words[way])[addresses.word_select(way, bits)],
                                   f"current{way}")
            mine = inside.named(read[way], f"mine{way}")
            entry = places.place(mine)
            word, inner = inside(f"index.way{way}.word"), inside(f"index.way{way}.ram.word")
            h.require(~at(2) | (inner == mine), "the key's word is read")
            h.require(~at(3) | (word == mine), "the key's word is there")
            for start in starts:
                h.require(~at(start + 3, start + 4) | (inner == current), "the word is read")
                h.require(~at(start + 4, start + 5) | (word == current), "the word is there")
                h.require(~at(start + 5) | ~move_way[way]
                          | (moving.any() & ~entry.holds(moved)
                             & ~places.place(current).holds(key) & (moved != key)),
                          "what the lookup is of stays")
            late = active & (cycle >= 4)
            h.require(~late | (hit_way[way] == entry.holds(key)), "found in a way")
            h.require(~at(4) | ~hit_way[way] | (inside(f"index.held{way}") == entry.target),
                      "its target")
            targets.append(Mux(hit_way[way], entry.target, 0))
        for number, place in enumerate(places.stash):
            h.require(~(active & (cycle >= 4)) | (hit_stash[number] == place.holds(key)),
                      "found in the stash")
            targets.append(Mux(hit_stash[number], place.target, 0))
        hits = Cat(hit_way, hit_stash)
        self.asked = asked = inside.named(active & (cycle >= 5), "key_asked")
        h.require(~asked | (found == hits.any()), "found")
        h.require(~asked | (known == _or(targets)), "the target")

        # room for a new key
        inserted, fatal = inside("inserted"), inside("fatal")
        h.require(~inserted | ~active | (cycle == 0), "nothing is looked up yet")
        h.require(~use | ~waits.all() | inserted | fatal.any(), "the stash has room, or it is told")


def _or(values: list[Value]) -> Value:
    result = values[0]
    for value in values[1:]:
        result = result | value
    return result


def tracked_index(h: Harness) -> None:
    """An arbitrary key: what the index says of it is what its last update stored."""
    inside = Inside(h)
    index = IndexInvariants(inside)
    OperationInvariants(inside)
    config: OmapConfig = h.config
    key = h.constant(config.key_width, "tracked_key")
    stored = Signal(name="tracked_stored")
    target = Signal(len(inside("index.known")), name="tracked_target")
    with h.m.If(~index.use):
        h.m.d.sync += stored.eq(0)
    with h.m.Elif(inside("update") & (inside("lookup_key") == key)):
        h.m.d.sync += [stored.eq(inside("op") != DEL),
                       target.eq(Cat(inside("new_a"), inside("new_b"), inside("records.target"),
                                     inside("pending.entry")))]
    asked = index.asked & (inside("lookup_key") == key)
    h.require(~asked | (inside("index.found") == stored), "the index knows the key")
    h.require(~asked | ~stored | (inside("index.known") == target), "its last target")
    h.require(~index.use | (any_of([place.holds(key) for place in index.places.all]) == stored),
              "the key has a place while it is stored")
    for place in index.places.all:
        h.require(~index.use | ~place.holds(key) | (place.target == target),
                  "it has its last target")
