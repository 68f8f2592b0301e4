"""What the OMAP cache controller does: a map, its trusted memory, and its trace, without time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pimlico.hdl.omap.config import (
    DEL,
    FATAL_INDEX,
    FATAL_PENDING,
    FULL,
    GET,
    HOST_PROTOCOL,
    MISS,
    NOP,
    OK,
    PUT,
    RELOCATIONS,
    OmapConfig,
)

from .index import Entry, Index, Place
from .layout import Item, beats_to_slots, slots_to_beats
from .pending import Pending, Record


class Draw(NamedTuple):
    """A draw of random numbers: a pair for a key that is not there, and the key's next pair."""

    miss_a: int
    miss_b: int
    new_a: int
    new_b: int


class Response(NamedTuple):
    status: int
    found: int
    value: int


class Access(NamedTuple):
    """What an operation does to the host: two pages of beats read, and written."""

    response: Response
    pages: tuple[int, int]
    written: tuple[list[int], list[int]] | None


class ObliviousMap:
    """Golden model of ``omap-controller``.

    Parameters
    ----------
    config : OmapConfig
    seed : int
        Of the index's hash; that of the configuration if not given.
    """

    def __init__(self, config: OmapConfig, seed: int | None = None):
        self.config = config
        self.index = Index(config, config.fixed_seed if seed is None else seed)
        half = config.pages // 2
        self.records = [[Record() for _ in range(half)] for _ in range(2)]
        self.waiting = Pending(config.pending_entries)
        self.live = 0
        self.fatal = OK

    def operate(self, op: int, key: int, value: int, draw: Draw,
                host: Sequence[list[int]]) -> Access:
        """Run one operation on the plain pages of `host`, which it does not change.

        Parameters
        ----------
        op, key, value : int
        draw : Draw
        host : sequence of list of int
            The beats of every page, lower half first.
        """
        operation = self.begin(op, key, value, draw)
        a, b = operation.pages
        return operation.finish(host[a], host[self.config.pages // 2 + b])

    def begin(self, op: int, key: int, value: int, draw: Draw) -> Operation:
        """Look a key up, and relocate; the operation still needs its pages."""
        place = self.lookup(op, key)
        for _ in range(RELOCATIONS):
            self.index.relocate(key)
        return Operation(self, op, key, value, draw, place, self.free_entry)

    @property
    def free_entry(self) -> int | None:
        return self.waiting.next_free

    def lookup(self, op: int, key: int) -> Place | None:
        """The place of a key; none for a nop."""
        return self.index.find(key) if op != NOP else None

    def pair(self, place: Place | None, draw: Draw) -> tuple[int, int]:
        """The pages that an operation reads, each in its half."""
        if place is None:
            return draw.miss_a, draw.miss_b
        return place.entry.a, place.entry.b

    def stored(self, host: Sequence[list[int]]) -> dict[int, int]:
        """The whole map, from pages and pending buffer; raises AssertionError for a duplicate."""
        found: dict[int, int] = {}
        for half, records in enumerate(self.records):
            for number, record in enumerate(records):
                page = beats_to_slots(self.config, host[half * len(records) + number])
                items = [page[slot] for slot in range(self.config.slots)
                         if record.used >> slot & 1] + self.waiting.walk(record.head)
                assert len(items) == record.load
                for key, value in items:
                    assert key not in found
                    found[key] = value
        return found


class Operation:
    """One operation, from its launch to its commit.

    Parameters
    ----------
    map_ : ObliviousMap
    op, key, value : int
    draw : Draw
    place : Place or None
        Where the index has the key.
    entry : int or None
        The entry of the pending buffer that the item will get.
    """

    def __init__(self, map_: ObliviousMap, op: int, key: int, value: int, draw: Draw,
                 place: Place | None, entry: int | None):
        self.map, self.op, self.key, self.value = map_, op, key, value
        self.draw, self.place, self.entry = draw, place, entry
        self.hit = place is not None
        self.pages = map_.pair(place, draw)
        self.full = map_.live == map_.config.capacity
        self.inserts = op == PUT and not self.hit and not self.full
        self.places = self.inserts or (self.hit and op in (GET, PUT))
        self.status = self._status()
        records = [map_.records[half][page] for half, page in enumerate(self.pages)]
        config = map_.config
        self.fetched = [map_.waiting.fetch(record, config.slots, config.merges,
                                           key if self.hit else None) for record in records]
        self.versions = [record.version for record in records]
        self.which = self._target()

    def _status(self) -> int:
        if self.op == PUT:
            return FULL if self.full and not self.hit else OK
        return OK if self.hit or self.op == NOP else MISS

    def _target(self) -> int:
        """The less loaded of the new pages, the left one on a tie."""
        loads = [self.map.records[half][page].load
                 for half, page in enumerate((self.draw.new_a, self.draw.new_b))]
        if self.place is not None:
            old = self.place.entry.which
            loads[old] -= (self.draw.new_a, self.draw.new_b)[old] == self.pages[old]
        return int(loads[1] < loads[0])

    def finish(self, *beats: list[int]) -> Access:
        """Take the beats of both pages, and commit."""
        if not self.judge(*beats):
            self.abort()
            return Access(self.response, self.pages, None)
        self.update_index()
        self.commit()
        return Access(self.response, self.pages, self.written)

    def judge(self, *beats: list[int]) -> bool:
        """Find the key's item, the response, and the pages to write; False if it is lost."""
        config, records = self.map.config, self._records
        slots: list[list[Item | None]] = []
        self.used = []
        self.in_page, held = False, None
        for half, record in enumerate(records):
            kept: list[Item | None] = [None] * config.slots
            used = record.used
            for slot, item in enumerate(beats_to_slots(config, beats[half])):
                if not record.used >> slot & 1:
                    continue
                if self.hit and item[0] == self.key:
                    self.in_page, held, used = True, item, used & ~(1 << slot)
                else:
                    kept[slot] = item
            for slot, item in self.fetched[half].merged:
                kept[slot] = item
            slots.append(kept)
            self.used.append(used | self.fetched[half].mask)
        if self.place is not None and held is None:
            waiting, entry = self.map.waiting, self.place.entry.pointer
            popped = any(got.held is not None for got in self.fetched)
            if popped or entry in waiting.listed:
                held = waiting.items[entry]
            if held is None or held[0] != self.key:
                self.response = Response(HOST_PROTOCOL, 0, 0)
                return False
        if self.op != PUT:
            self.value = held[1] if held is not None else 0
        self.written = slots_to_beats(config, slots[0]), slots_to_beats(config, slots[1])
        self.response = Response(self.status, int(self.hit), self.value)
        return True

    def abort(self) -> None:
        """Change nothing: what was fetched waits as before."""
        for got in self.fetched:
            self.map.waiting.listed.update(got.entries)

    @property
    def _records(self) -> list[Record]:
        return [self.map.records[half][page] for half, page in enumerate(self.pages)]

    def commit(self) -> None:
        """Change lists and records, as judged."""
        map_, waiting, records = self.map, self.map.waiting, self._records
        popped = any(got.held is not None for got in self.fetched)
        deep = self.hit and not self.in_page and not popped
        heads = [got.after for got in self.fetched]
        freed = None
        if self.entry is not None and self.places and waiting.returned is None:
            waiting.free = waiting.next[self.entry]
        for got in self.fetched:
            if got.last is not None:
                waiting.next[got.last], waiting.free = waiting.free, got.first
        if deep and self.place is not None:
            freed, old = self.place.entry.pointer, self.place.entry.which
            waiting.listed.remove(freed)
            after, before = waiting.next[freed], waiting.prev[freed]
            if heads[old] == freed:
                heads[old] = after
            elif before is not None:
                waiting.next[before] = after
                if after is not None:
                    waiting.prev[after] = before
        if self.places:
            waiting.returned = freed
        elif freed is not None:
            if waiting.returned is None:
                waiting.returned = freed
            else:
                waiting.next[freed], waiting.free = waiting.free, freed
        for half, record in enumerate(records):
            record.used, record.head = self.used[half], heads[half]
            record.version += 1
        if self.place is not None:
            records[self.place.entry.which].load -= 1
        waiting.count += self.places - deep - sum(got.popped for got in self.fetched)
        if self.places:
            self._push()
        if waiting.count > map_.config.pending and not map_.fatal:
            map_.fatal = FATAL_PENDING

    def _push(self) -> None:
        waiting, entry = self.map.waiting, self.entry
        assert entry is not None
        record = self.map.records[self.which][(self.draw.new_a, self.draw.new_b)[self.which]]
        waiting.items[entry] = (self.key, self.value)
        waiting.listed.add(entry)
        waiting.next[entry] = record.head
        if record.head is not None:
            waiting.prev[record.head] = entry
        record.head, record.load = entry, record.load + 1

    def update_index(self) -> None:
        """Give the key its next pair in the index, add it, or remove it."""
        map_, place = self.map, self.place
        changes = {"a": self.draw.new_a, "b": self.draw.new_b, "which": self.which,
                   "pointer": self.entry or 0}
        if self.inserts:
            map_.index.add(Entry(self.key, **changes))
            map_.live += 1
            if map_.index.full and not map_.fatal:
                map_.fatal = FATAL_INDEX
        elif place is not None and self.op == DEL:
            map_.index.remove(place)
            map_.live -= 1
        elif place is not None:
            map_.index.update(place, **changes)
