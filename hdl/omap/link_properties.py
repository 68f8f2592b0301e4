"""The links of the pending buffer, and the heads in the records, follow from its lists."""

from __future__ import annotations

from amaranth.hdl import Mux, Signal

from .inside import Claim, any_of, total
from .list_properties import Kind, Lists
from .pending import link_layout


def lists_whole(lists: Lists, claim: Claim) -> None:
    """Every entry is in one list, and links, heads and counts are those of the lists."""
    _cleared(lists, claim)
    _linked(lists, claim)
    _ends(lists, claim)
    _pages(lists, claim)
    inside = lists.inside
    ready, count = inside("startup.ready"), inside("pending.count")
    counted = inside.named(total(lists.listed), "all_listed")
    done = [gone & lists.spliced[number % 2] for number, gone in enumerate(lists.gone)]
    claim(~ready | (count == counted + total(done)), "how many wait")
    claim(~ready | (count <= lists.config.pending) | inside("fatal").any() | lists.phase[3],
          "too many are told")


def _cleared(lists: Lists, claim: Claim) -> None:
    """Init makes one free list of all entries."""
    inside, size = lists.inside, len(lists.entries)
    ready, clear, address = (inside(f"startup.{name}") for name in ("ready", "clear", "address"))
    free, returned, fresh = (lists.link(name) for name in ("free", "returned", "fresh"))
    claim(ready | ~lists.phase.any(), "no changes before init is through")
    claim(ready | ~clear | (address == 0)
          | (free.valid & (free.entry == 0) & ~returned.valid & ~inside("pending.count").any()),
          "init frees the first entry")
    clears = clear & (address != 0) & (address <= size)
    claim(inside("pending.clearing") == clears, "init links entries")
    claim(~clears | ((inside("pending.cleared") == address - 1)
                     & (fresh.valid == (address != size))
                     & (~fresh.valid | (fresh.entry == address))), "to the next one")
    for at in lists.entries:
        link = lists.next[at]
        claim(~clear | (address <= at) | ~lists.bits[at], "init: nothing waits")
        claim(~clear | (address <= at + 1)
              | ((link.valid == (at != size - 1)) & (~link.valid | (link.entry == at + 1))),
              "init links an entry to the next")
        claim(ready | ~clear | (address == 0)
              | (lists.free[at] & (lists.rank[at] == size - 1 - at)), "init frees all")
    for number, record in enumerate(lists.records):
        claim(~clear | (address <= number % (lists.config.pages // 2)) | (record.as_value() == 0),
              "init: a record")
        claim(~inside("index.clearing") | ~ready | (record.as_value() == 0), "init: no records")


def _linked(lists: Lists, claim: Claim) -> None:
    """Links lead to the next entry of the list and back, as the last phase leaves them."""
    inside, phase, ranks, size = lists.inside, lists.phase, lists.rank, len(lists.entries)
    ready, turn = inside("startup.ready"), inside("pending.turn")
    unlinks = inside.named(phase[3] & inside("pending.unlinks"), "unlinks_now")
    probe_next, probe_previous = lists.link("probe_next"), inside("pending.probe_previous")
    leaves = phase[3] & inside("pending.deep")
    for at in lists.entries:
        for other in range(at):
            claim(~ready | ~lists.together(at, other) | (ranks[at] != ranks[other]), "an order")
        link = Signal(link_layout(lists.config), name=f"next{at}")
        inside.h.m.d.comb += link.eq(
            Mux(unlinks & (probe_previous == at), probe_next, lists.next[at]))
        ranked = ready & (lists.free[at] | lists.listed[at])
        claim(~ranked | (link.valid == ranks[at].any()), "the last one of a list")
        claim(~ranked | ~link.valid | (link.entry < size), "links of an entry")
        for other in lists.entries:
            back = Mux(unlinks & probe_next.valid & (probe_next.entry == other), probe_previous,
                       lists.previous[other])
            claim(~ranked | ~link.valid | (link.entry != other)
                  | (lists.together(at, other) & (ranks[other] + 1 == ranks[at])
                     & (lists.free[at] | (back == at))), "links of an entry")
        came_back = any_of([gone & (walked == at) & (number >= turn) for number, (gone, walked)
                            in enumerate(zip(lists.gone, lists.walked, strict=True))])
        claim(~ready | ((lists.bits[at] & ~(leaves & (inside("pointer") == at)))
                        == (lists.listed[at] & ~came_back)), "bits of waiting entries")


def _ends(lists: Lists, claim: Claim) -> None:
    """The first free entry, those taken and returned, and the numbers of entries."""
    inside, phase, size = lists.inside, lists.phase, len(lists.entries)
    ready, busy, places = inside("startup.ready"), inside("busy"), inside("places")
    free, returned = lists.link("free"), lists.link("returned")
    entry = inside("pending.entry")
    taking = inside.named((phase[1] | phase[2]) & places, "an_entry_is_taken")
    for at in lists.entries:
        claim(~ready | ((lists.kind[at] == Kind.TAKEN) == (taking & (entry == at))),
              "the one taken")
        claim(~ready | (lists.kind[at] != Kind.RETURNED)
              | (returned.valid & (returned.entry == at)), "the one returned")
        claim(~ready | ~free.valid | (free.entry != at)
              | (lists.free[at] & (lists.rank[at] + 1 == lists.frees)), "the first free one")
    claim(~ready | ~free.valid | (free.entry < size), "entries of the free list")
    claim(~ready | ~returned.valid | (returned.entry < size), "an entry that was returned")
    claim(~busy | ~places | (entry < size), "an entry to take")
    claim(~busy | ~inside("hit") | (inside("pointer") < size), "its own entry")
    for one in lists.operation.index.map:
        claim(~one.valid | (one.target.pointer < size), "entries of the index")
    claim(~ready | (free.valid == lists.frees.any()), "some are free")
    claim(~ready | ~returned.valid | (taking & (returned.entry == entry))
          | (lists.at(lists.kind, returned.entry) == Kind.RETURNED), "what was returned")
    claim(~ready | ~taking | ~returned.valid | (returned.entry == entry), "it is taken first")


def _pages(lists: Lists, claim: Claim) -> None:
    """The record of a page has the first entry of its list."""
    inside, operation, m = lists.inside, lists.operation, lists.inside.h.m
    ready, entry = inside("startup.ready"), inside("pending.entry")
    elsewhere = lists.phase[3] & inside("places") & ~inside("records.here").any()
    for number, record in enumerate(lists.records):
        head = Signal(link_layout(lists.config), name=f"head_of_page{number}")
        m.d.comb += head.eq(record.head)
        with m.If(elsewhere & (operation.goes == number)):
            m.d.comb += [head.valid.eq(1), head.entry.eq(entry)]
        stale = any_of([lists.spliced[half] & (operation.pages[half] == number)
                        for half in range(2)])
        current = ready & ~stale
        count = inside.named(total([lists.belongs(at, number) for at in lists.entries]),
                             f"wait_for_page{number}")
        claim(~current | (head.valid == count.any()), "a page's list")
        claim(~current | ~head.valid | (head.entry < len(lists.entries)), "a page's list")
        for at in lists.entries:
            claim(~current | ~head.valid | (head.entry != at)
                  | (lists.belongs(at, number) & (lists.rank[at] + 1 == count)),
                  "the first one of a page")
