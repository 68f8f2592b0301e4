"""Every item is where the index says, in a page or among those that wait, and there alone."""

from __future__ import annotations

from amaranth.hdl import Mux, Value
from amaranth.lib import data

from .inside import Claim
from .list_properties import Lists
from .map_properties import KEY_BITS, page_of
from .pages import Pages


def own_once(lists: Lists, claim: Claim) -> None:
    """The operation's own item is in a page in hand or among those that wait, not in both."""
    inside, operation = lists.inside, lists.operation
    pointer, key = inside("pointer"), inside("key")
    claim(~inside("committed") | ~operation.before | ~inside("buffer.stage_matched").any(),
          "what is committed has been found")
    claim(~operation.before | ~inside("hit") | ~inside("buffer.in_page")
          | ~lists.at(lists.listed, pointer)
          | (lists.at([each.key for each in lists.items], pointer) != key),
          "its own is in one place")


def items_indexed(lists: Lists, claim: Claim) -> None:
    """Every item that waits is where the index says."""
    operation = lists.operation
    for at in lists.entries:
        key = lists.items[at].key
        entry = operation.look(key)
        claim(~lists.inside("startup.ready") | ~lists.listed[at]
              | ((key >> KEY_BITS) == 0) & entry.valid & (entry.target.pointer == at)
              & (page_of(entry.target) == lists.page[at]), "a waiting item is indexed")


def slots_indexed(pages: Pages, lists: Lists, claim: Claim) -> None:
    """Every item in a page is where the index says, and not among those that wait, too."""
    inside, operation = pages.inside, lists.operation
    ready = inside("startup.ready")

    def waits(entry: data.View, key: Value) -> Value:
        pointer = entry.target.pointer
        return lists.at(lists.listed, pointer) \
            & (lists.at([each.key for each in lists.items], pointer) == key)

    for number, (used, page) in enumerate(pages.all):
        for slot, item in enumerate(page):
            entry = operation.look(item.key)
            claim(~ready | ~used[slot]
                  | (((item.key >> KEY_BITS) == 0) & entry.valid
                     & (page_of(entry.target) == number) & ~waits(entry, item.key)),
                  "an item in a page is indexed")
    for half in range(2):
        for slot, item in enumerate(pages.hand[half]):
            entry = operation.look(item.key)
            pointer = entry.target.pointer
            there = operation.before & pages.taken[half][slot]
            claim(~there | (((item.key >> KEY_BITS) == 0) & entry.valid
                            & (page_of(entry.target) == operation.pages[half])
                            & ~(inside("hit") & (item.key == inside("key")))),
                  "an item that is merged is indexed")
            claim(~there | Mux(lists.spliced[half], lists.at(lists.free, pointer),
                               lists.at(lists.popped[half], pointer)
                               & (lists.at(lists.items, pointer) == item.as_value())),
                  "an item that is merged has left its list")
