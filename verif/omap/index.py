"""The trusted index in plain Python: cuckoo hashing with a stash, in constant time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pimlico.hdl.omap.config import OmapConfig


@dataclass(frozen=True)
class Entry:
    """What the index knows of a key: its pair of pages, which of them it belongs to, and the
    entry of the pending buffer that it was last put in."""

    key: int
    a: int
    b: int
    which: int
    pointer: int


@dataclass(frozen=True)
class Place:
    """Where an entry of the index was found: a way's address, or a place in the stash."""

    entry: Entry
    way: int | None
    address: int


@dataclass(frozen=True)
class Move:
    """A step of relocation: what goes from a place in the stash to a way, and what comes."""

    number: int
    way: int
    address: int
    entry: Entry
    evicted: Entry | None


class Index:
    """Index of ``omap-controller``.

    Every key has one place in each way, by its hash, and may instead be in the stash. New keys
    go to the stash. Each operation takes a fixed number of steps, in which the first entry of
    the stash goes to an empty place, or changes with the entry in one of its places, in turn.

    Parameters
    ----------
    config : OmapConfig
    seed : int
        Of the hash, ``config.seed_bits`` bits.
    """

    def __init__(self, config: OmapConfig, seed: int):
        self.config = config
        self._seed = seed
        self._ways: list[dict[int, Entry]] = [{} for _ in range(config.index_ways)]
        self.stash: list[Entry | None] = [None] * config.index_stash
        self._turn = 0

    def hash(self, key: int) -> list[int]:
        """Address of a key in each way."""
        sums = self.sums(key)
        mixed = [self._chi(value) for value in sums]
        mask = (1 << self.config.index_bits) - 1
        return [(self._rotate(sums[way % 2], way // 2)
                 ^ self._rotate(mixed[1 - way % 2], way)) & mask
                for way in range(self.config.index_ways)]

    def sums(self, key: int) -> tuple[int, int]:
        """The two Toeplitz hashes of a key, which are linear over GF(2)."""
        length = self.config.key_width + self.config.hash_bits - 1
        return (self._toeplitz(key, self._seed & (1 << length) - 1),
                self._toeplitz(key, self._seed >> length))

    def _toeplitz(self, key: int, diagonals: int) -> int:
        mask = (1 << self.config.key_width) - 1
        return sum(((diagonals >> row & mask & key).bit_count() & 1) << row
                   for row in range(self.config.hash_bits))

    def _chi(self, value: int) -> int:
        """Each bit, with the product of the next one's complement and the one after added."""
        return value ^ ~self._rotate(value, -1) & self._rotate(value, -2)

    def _rotate(self, value: int, by: int) -> int:
        bits = self.config.hash_bits
        by %= bits
        return (value << by | value >> bits - by) & (1 << bits) - 1

    @property
    def stashed(self) -> int:
        """Entries in the stash."""
        return sum(entry is not None for entry in self.stash)

    @property
    def full(self) -> bool:
        """Whether no further key can be added."""
        return self.stashed == len(self.stash)

    def entries(self) -> list[Entry]:
        """All entries."""
        return [entry for way in self._ways for entry in way.values()] \
            + [entry for entry in self.stash if entry is not None]

    def find(self, key: int) -> Place | None:
        """The place of a key's entry."""
        for way, address in enumerate(self.hash(key)):
            entry = self._ways[way].get(address)
            if entry is not None and entry.key == key:
                return Place(entry, way, address)
        for number, entry in enumerate(self.stash):
            if entry is not None and entry.key == key:
                return Place(entry, None, number)
        return None

    @property
    def first(self) -> tuple[int, Entry | None]:
        """The first entry of the stash, and its place."""
        return next(((number, entry) for number, entry in enumerate(self.stash)
                     if entry is not None), (0, None))

    def relocate(self, held: int) -> None:
        """One step of relocation, which leaves the entry of the key `held` where it is."""
        move = self.move(held)
        self._turn = (self._turn + 1) % self.config.index_ways
        if move is not None:
            self._ways[move.way][move.address] = move.entry
            self.stash[move.number] = move.evicted

    def move(self, held: int) -> Move | None:
        """What the next step of relocation does."""
        number, entry = self.first
        if entry is None or entry.key == held:
            return None
        places = self.hash(entry.key)
        empty = next((way for way, address in enumerate(places)
                      if address not in self._ways[way]), None)
        way = self._turn if empty is None else empty
        evicted = self._ways[way].get(places[way])
        if evicted is not None and evicted.key == held:
            return None
        return Move(number, way, places[way], entry, evicted)

    def update(self, place: Place, **changes: int) -> None:
        """Change an entry in its place."""
        self._put(place, replace(place.entry, **changes))

    def remove(self, place: Place) -> None:
        self._put(place, None)

    def add(self, entry: Entry) -> None:
        """Add a key, by way of the stash, which must not be full."""
        self.stash[self.stash.index(None)] = entry

    def _put(self, place: Place, entry: Entry | None) -> None:
        if place.way is None:
            self.stash[place.address] = entry
        elif entry is None:
            del self._ways[place.way][place.address]
        else:
            self._ways[place.way][place.address] = entry
