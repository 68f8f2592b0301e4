"""The index holds every key once, where its hash has it, and finds it."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Mux, Signal, Value

from pimlico.hdl.common.properties import Harness

from .config import DEL, RELOCATIONS, OmapConfig
from .inside import AnyHash, Claim, Inside, Places, any_of, one_at_most
from .operation import OperationInvariants


class IndexInvariants:
    """What ties the steps of a lookup to the contents of the index.

    Attributes
    ----------
    places : Places
    sound : Signal
        The index is in use: initialised.
    """

    def __init__(self, inside: Inside, claim: Claim):
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
        claim(turn.any() & one_at_most(list(turn)), "one way's turn")

        # init
        claim(ready | ~(active | inside("lookup_full") | inside("busy")),
              "nothing runs before init is through")
        claim(~(ready & (clear | inside.maybe("startup.drawing"))),
              "init is through when all is drawn and cleared")
        claim(~clearing | ~active, "nothing is looked up before all is cleared")
        claim(~clear | (address < config.clear_words), "words to clear")
        claim(~inside.maybe("startup.drawing") | (address == 0), "the first word comes first")
        claim(~clear | (address == 0) | (clearing & ~waits.any()), "what is cleared")
        claim(~clearing | ready | (clear & (address != 0)), "clearing follows")
        claim(~clearing | ~(waits.any() | inside("live").any() | inside("busy")),
              "an empty stash, no keys, and nothing that runs")
        last = inside.named(Mux(ready, config.clear_words, address) - 1, "cleared_last")
        for way in range(config.index_ways):
            claim(~clearing | (addresses.word_select(way, bits) == last[:bits]), "what is cleared")
            for number, place in enumerate(places.ways[way]):
                claim(~clearing | ~place.valid | (number >= last), "what was cleared is empty")

        self.use = use = inside.named(ready & ~clearing, "index_in_use")
        claim(~active | inside("lookup_full"), "a lookup is of a command")
        claim(active | ~inside("lookup_full"), "a command is looked up")
        claim(~active | (cycle <= config.relocated), "cycles of a lookup")
        claim(~active | (inside("index.settled") == (cycle == config.relocated)), "settled")
        claim(~active | (inside("index.done") == (cycle > latency + 2)), "done")

        # places
        where = [hashed(place.key)
                 for number, place in enumerate(places.all)]
        size = 1 << bits
        for number, place in enumerate(places.all[:config.index_ways * size]):
            claim(~use | ~place.valid | (where[number][number // size] == number % size),
                  "an entry is where its hash has it")
        for number, place in enumerate(places.all):
            for other in places.all[:number]:
                claim(~use | ~(place.valid & other.holds(place.key)), "a key has one place")

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
        claim(~at(0) | (hashed_key == key), "the key is hashed")
        claim(~at(1) | (addresses == Cat(*own)), "the key's addresses")
        for start in starts:
            claim(~at(*range(start + 1, start + step)) | ~(moving & ~waits).any(),
                  "what moves waits")
            claim(~at(*range(start + 1, start + step)) | one_at_most(list(moving)),
                  "one moves")
            claim(~at(start + 1) | (hashed_key == moved), "what moves is hashed")
            claim(~at(*range(start + 2, start + step)) | (addresses == Cat(*moved_where)),
                  "the addresses of what moves")
            claim(~at(start + step - 1) | one_at_most(list(move_way)), "one way")
        claim(~at(starts[-1] + step - 1) | (hashed_key == key), "the key is hashed again")
        claim(~at(config.relocated) | (addresses == Cat(*own)), "the key's addresses again")
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
            claim(~at(2) | (inner == mine), "the key's word is read")
            claim(~at(3) | (word == mine), "the key's word is there")
            for start in starts:
                claim(~at(start + 3, start + 4) | (inner == current), "the word is read")
                claim(~at(start + 4, start + 5) | (word == current), "the word is there")
                claim(~at(start + 5) | ~move_way[way]
                      | (moving.any() & ~entry.holds(moved)
                         & ~places.place(current).holds(key) & (moved != key)),
                      "what the lookup is of stays")
            late = active & (cycle >= 4)
            claim(~late | (hit_way[way] == entry.holds(key)), "found in a way")
            claim(~at(4) | ~hit_way[way] | (inside(f"index.held{way}") == entry.target),
                  "its target")
            targets.append(Mux(hit_way[way], entry.target, 0))
        for number, place in enumerate(places.stash):
            claim(~(active & (cycle >= 4)) | (hit_stash[number] == place.holds(key)),
                  "found in the stash")
            targets.append(Mux(hit_stash[number], place.target, 0))
        hits = Cat(hit_way, hit_stash)
        self.asked = asked = inside.named(active & (cycle >= 5), "key_asked")
        claim(~asked | (found == hits.any()), "found")
        claim(~asked | (known == _or(targets)), "the target")

        # room for a new key
        inserted, fatal = inside("inserted"), inside("fatal")
        claim(~inserted | ~active | (cycle == 0), "nothing is looked up yet")
        claim(~use | ~waits.all() | inserted | fatal.any(), "the stash has room, or it is told")


def _or(values: list[Value]) -> Value:
    result = values[0]
    for value in values[1:]:
        result = result | value
    return result


class TrackedEntry:
    """What the last update of a key stored, and that it is what the index has.

    Attributes
    ----------
    stored : Signal
        The key is in the map.
    target : Signal
        Its entry's target.
    """

    def __init__(self, inside: Inside, index: IndexInvariants, key: Value, claim: Claim):
        m = inside.h.m
        self.stored = stored = Signal(name="tracked_stored")
        self.target = target = Signal(len(inside("index.known")), name="tracked_target")
        with m.If(~index.use):
            m.d.sync += stored.eq(0)
        with m.Elif(inside("update") & (inside("lookup_key") == key)):
            m.d.sync += [stored.eq(inside("op") != DEL),
                         target.eq(Cat(inside("new_a"), inside("new_b"), inside("records.target"),
                                       inside("pending.entry")))]
        asked = index.asked & (inside("lookup_key") == key)
        claim(~asked | (inside("index.found") == stored), "the index knows the key")
        claim(~asked | ~stored | (inside("index.known") == target), "its last target")
        claim(~index.use | (any_of([place.holds(key) for place in index.places.all]) == stored),
              "the key has a place while it is stored")
        for place in index.places.all:
            claim(~index.use | ~place.holds(key) | (place.target == target),
                  "it has its last target")


def tracked_index(h: Harness) -> None:
    """An arbitrary key: what the index says of it is what its last update stored."""
    inside = Inside(h)
    index = IndexInvariants(inside, h.require)
    OperationInvariants(inside, h.require)
    TrackedEntry(inside, index, h.constant(h.config.key_width, "tracked_key"), h.require)
