"""The lists of the pending buffer: every entry is in one of them, and the links say so."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from amaranth.hdl import Array, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import data

from .config import OmapConfig
from .inside import Inside, any_of, total
from .map_properties import MappedOperation
from .pending import link_layout
from .records import record_layout


class Kind(IntEnum):
    """Where an entry is: in the free list, in a page's, kept to be the next one taken, or taken
    by the operation."""

    FREE, LISTED, RETURNED, TAKEN = range(4)


class Lists:
    """Of each entry, in which list it is and how many come after it.

    Each change of an operation is made to these as it is made to the links, and the links are
    shown to be what follows from them.

    Attributes
    ----------
    items : list of View
        Key and value of each entry.
    listed : list of Value
        It waits for a page.
    page : list of Signal
        Which one.
    popped : list of list of Value
        By half: the operation has taken it out of the list of that page in hand, but this is
        not to be seen yet.
    spliced : list of Value
        By half: it is to be seen.
    """

    def __init__(self, inside: Inside, operation: MappedOperation):
        h = inside.h
        config: OmapConfig = h.config
        self.inside, self.operation, self.config = inside, operation, config
        self.entries = range(config.pending_entries)
        words, link = h.dut.words, link_layout(config)
        self.next = [data.View(link, word) for word in words("pending.next.ram.words")]
        self.previous = words("pending.prev.ram.words")
        item = data.StructLayout({"key": config.key_width, "value": config.value_width})
        self.items = [data.View(item, word) for word in words("pending.items.ram.words")]
        self.bits = words("pending.listed")
        record = record_layout(config)
        self.records = [data.View(record, word) for half in ("lower", "upper")
                        for word in words(f"records.{half}.ram.words")]
        size = len(self.entries)
        self.kind = [Signal(Kind, name=f"kind{at}") for at in self.entries]
        self.page = [Signal(config.log2_pages, name=f"page{at}") for at in self.entries]
        self.rank = [Signal(range(size), init=size - 1 - at, name=f"rank{at}")
                     for at in self.entries]
        self.free = [self._named(kind == Kind.FREE, f"is_free{at}")
                     for at, kind in enumerate(self.kind)]
        self.listed = [self._named(kind == Kind.LISTED, f"is_listed{at}")
                       for at, kind in enumerate(self.kind)]
        self.phase = inside("pending.phase")
        before = operation.before
        self.spliced = [self._named(before & (self.phase[1] | self.phase[2]), "spliced_a"),
                        self._named(before & self.phase[2], "spliced_b")]
        gone = inside("pending.gone")
        walked = [inside(f"pending.walked{number}") for number in range(len(gone))]
        self.gone, self.walked = gone, walked
        self.pops, self.popped, self.waiting = [], [], []
        for half in range(2):
            seen = before & ~self.spliced[half]
            own = range(half, len(gone), 2)
            self.pops.append(self._named(total([gone[at] & seen for at in own]), f"pops{half}"))
            self.popped.append([self._named(
                seen & any_of([gone[at] & (walked[at] == entry) for at in own]),
                f"popped{half}_{entry}") for entry in self.entries])
            self.waiting.append(self._named(total([
                self.belongs(entry, operation.pages[half]) for entry in self.entries]),
                f"waiting{half}"))
        self.frees = self._named(total(self.free), "frees")
        self._follow(h.m)

    def _named(self, value: Value, name: str) -> Signal:
        return self.inside.named(value, name)

    def belongs(self, entry: int, page: Value) -> Value:
        """Whether an entry waits for a page."""
        return self.listed[entry] & (self.page[entry] == page)

    def together(self, one: int, other: int) -> Value:
        """Whether two entries are in the same list."""
        return (self.free[one] & self.free[other]) | (
            self.listed[one] & self.listed[other] & (self.page[one] == self.page[other]))

    def at(self, values: Iterable[ValueLike], entry: Value) -> Value:
        """One of the values of all entries."""
        return Array([Value.cast(value) for value in values])[entry]

    def link(self, name: str) -> data.View:
        """A link among the pending buffer's registers."""
        return data.View(link_layout(self.config), self.inside(f"pending.{name}"))

    def _follow(self, m: Module) -> None:
        """The changes of an operation, phase by phase."""
        inside, operation, config = self.inside, self.operation, self.config
        places, pointer = inside("places"), inside("pointer")
        entry, returned = inside("pending.entry"), self.link("returned")
        deep, chains = inside("pending.deep"), inside("pending.chains")
        pages, which, goes = operation.pages, inside("which"), operation.goes
        left = Mux(which, pages[1], pages[0])
        place = self.at(self.rank, pointer)
        frees = self._named(self.frees - (self.phase[0] & places & ~returned.valid), "frees_left")
        onto = self._named(total([self.belongs(at, goes) for at in self.entries])
                           - (deep & (left == goes)), "waiting_there")
        for at in self.entries:
            kind, page, rank = self.kind[at], self.page[at], self.rank[at]
            with m.If(~inside("startup.ready")):
                m.d.sync += [kind.eq(Kind.FREE), rank.eq(rank.init)]
            for half in range(2):
                with m.If(self.phase[half] & self.popped[half][at]):
                    m.d.sync += [kind.eq(Kind.FREE), rank.eq(
                        frees + rank + self.pops[half] - self.waiting[half])]
            with m.If(self.phase[0] & places & (entry == at)):
                m.d.sync += kind.eq(Kind.TAKEN)
            with m.If(self.phase[2]):
                with m.If(deep & (pointer == at)):
                    m.d.sync += [kind.eq(Mux(chains, Kind.FREE, Kind.RETURNED)),
                                 rank.eq(self.frees)]
                with m.Elif(places & (entry == at)):
                    m.d.sync += [kind.eq(Kind.LISTED), page.eq(goes), rank.eq(onto)]
                with m.Elif(deep & self.belongs(at, left) & (rank > place)):
                    m.d.sync += rank.eq(rank - 1)
        assert config.pending_entries < config.clear_words
