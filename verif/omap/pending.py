"""Items that wait for their page, and what an operation takes of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .layout import Item


@dataclass
class Record:
    """What is known of a page: its slots in use, the first item that waits, how many keys
    belong to it, and how often it was written."""

    used: int = 0
    head: int | None = None
    load: int = 0
    version: int = 0


@dataclass
class Fetched:
    """The items of a page's list that an operation takes from it."""

    first: int | None = None
    last: int | None = None
    after: int | None = None
    merged: list[tuple[int, Item]] = field(default_factory=list)
    popped: int = 0
    held: Item | None = None
    entries: list[int] = field(default_factory=list)

    @property
    def mask(self) -> int:
        """The slots that it fills."""
        return sum(1 << slot for slot, _ in self.merged)


class Pending:
    """Items that wait for their page, in a list a page, last in first out.

    Parameters
    ----------
    entries : int
        Room for items.
    """

    def __init__(self, entries: int):
        self.items: list[Item | None] = [None] * entries
        self.next: list[int | None] = [*range(1, entries), None]
        self.prev: list[int | None] = [None] * entries
        self.listed: set[int] = set()
        self.free: int | None = 0
        self.returned: int | None = None
        self.count = 0

    @property
    def next_free(self) -> int | None:
        """The entry that the next item gets."""
        return self.free if self.returned is None else self.returned

    def walk(self, head: int | None) -> list[Item]:
        """The items of a list."""
        found = []
        while head is not None:
            item = self.items[head]
            assert item is not None
            found.append(item)
            head = self.next[head]
        return found

    def fetch(self, record: Record, slots: int, budget: int, key: int | None) -> Fetched:
        """The first items of a list for the lowest free slots of its page.

        The item of `key`, if it is among them, is taken out; its slot, if there is one, stays
        free.
        """
        got = Fetched(first=record.head, after=record.head)
        free = [slot for slot in range(slots) if not record.used >> slot & 1]
        for _ in range(budget):
            entry = got.after
            if entry is None:
                break
            item = self.items[entry]
            assert item is not None
            if item[0] == key:
                got.held = item
                del free[:1]
            elif free:
                got.merged.append((free.pop(0), item))
            else:
                break
            got.entries.append(entry)
            got.last, got.after, got.popped = entry, self.next[entry], got.popped + 1
        self.listed.difference_update(got.entries)
        return got
