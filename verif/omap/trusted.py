"""The trusted memories behind their ports: what an operation asks of them, and their answers."""

from __future__ import annotations

from collections import deque
from hashlib import shake_128

from pimlico.hdl.omap.config import DEL, OmapConfig

from .golden import Operation
from .index import Entry

Ask = tuple[int, int | None]
"""An address, and the word to store there; none for a read."""

Asks = dict[str, Ask]
"""What is asked of the memories in a cycle, by name."""


class TrustedMemories:
    """The memories, which answer after the same number of cycles, and hold noise at first.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self._config = config
        self._words: dict[str, dict[int, int]] = {name: {} for name in config.memories}
        self._due: dict[str, deque[tuple[int, int]]] = {name: deque() for name in config.memories}
        self._now = 0
        self.q = {name: self.noise(name, -1) for name in config.memories}

    def noise(self, name: str, address: int) -> int:
        """What a word is before anything was stored in it."""
        bits = self._config.memories[name][1]
        octets = shake_128(f"{name} {address}".encode()).digest(bits // 8 + 1)
        return int.from_bytes(octets, "little") & (1 << bits) - 1

    def word(self, name: str, address: int) -> int:
        """A word as it is stored."""
        found = self._words[name].get(address)
        return self.noise(name, address) if found is None else found

    def answers(self) -> dict[str, int]:
        """The wires ``q``."""
        return {f"{name}_q": word for name, word in self.q.items()}

    def outputs(self, asks: Asks) -> dict[str, int]:
        """The wires that ask, of all memories."""
        values = {}
        for name in self._words:
            values[f"{name}_enable"] = int(name in asks)
            values[f"{name}_write"] = 0
            if name in asks:
                address, data = asks[name]
                values[f"{name}_address"] = address
                if data is not None:
                    values[f"{name}_write"], values[f"{name}_data"] = 1, data
        return values

    def tick(self, asks: Asks) -> None:
        """The clock edge that ends a cycle."""
        for name, (address, data) in asks.items():
            words, bits = self._config.memories[name]
            assert 0 <= address < words, f"{name} has no word {address}"
            if data is None:
                due = self._now + self._config.trusted_latency
                self._due[name].append((due, self.word(name, address)))
            else:
                assert 0 <= data < 1 << bits
                self._words[name][address] = data
        self._now += 1
        for name, waiting in self._due.items():
            if waiting and waiting[0][0] <= self._now:
                self.q[name] = waiting.popleft()[1]


class Words:
    """How what the golden model knows is written in the memories' words.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self._config = config

    def entry(self, entry: Entry, valid: bool = True) -> int:
        """Of a way of the index."""
        config = self._config
        return _pack((int(valid), 1), (entry.key, config.key_width), (entry.a, config.half_bits),
                     (entry.b, config.half_bits), (entry.which, 1),
                     (entry.pointer, config.pointer_bits))

    def link(self, entry: int | None) -> int:
        """Of the list that goes on with an entry of the pending buffer, or ends."""
        return 0 if entry is None else 1 | entry << 1

    def fresh(self, entry: int) -> int:
        """The link of an entry that init leaves: to the next one."""
        last = entry == self._config.pending_entries - 1
        return self.link(None if last else entry + 1)

    def record(self, used: int, head: int | None, load: int, version: int) -> int:
        """Of a page."""
        config = self._config
        return _pack((used, config.slots), (self.link(head), config.pointer_bits + 1),
                     (load, config.load_bits), (version, config.version_bits))

    def updated(self, operation: Operation) -> int:
        """The entry of an operation's key, as the operation leaves it in its way."""
        draw = operation.draw
        entry = Entry(operation.key, draw.new_a, draw.new_b, operation.which,
                      operation.entry or 0)
        return self.entry(entry, operation.op != DEL)

    def walk(self, operation: Operation, pointer: int, step: int, link: int) -> Asks:
        """What the walk of an operation asks for in a step: its own item, then the lists of
        both pages in turn. Links are followed whether they count or not.

        Parameters
        ----------
        operation : Operation
        pointer : int
            The entry that its key's item was put in.
        step : int
            From 1, the cycle after the launch.
        link : int
            The link that was read last.
        """
        latency = self._config.trusted_latency
        if step == 1:
            return {name: (pointer, None) for name in ("items", "next", "prev")}
        turn, half = divmod(step, latency)
        if not 1 <= turn <= self._config.merges or half > 1:
            return {}
        entry = link >> 1 if turn > 1 else operation.fetched[half].first or 0
        return {name: (entry, None) for name in ("items", "next")}

    def commit(self, operation: Operation) -> list[Asks]:
        """What is stored in the steps of a commit that is to follow."""
        map_, place = operation.map, operation.place
        waiting, entry = map_.waiting, operation.entry
        own, returned, free = operation.pages, waiting.returned, waiting.free
        new = operation.draw.new_a, operation.draw.new_b
        records = [map_.records[half][page] for half, page in enumerate(own)]
        asks: list[Asks] = [{}, {}, {}, {}]
        splices, push, unlink = asks[:2], asks[2], asks[3]

        if operation.places and returned is None:
            assert entry is not None
            free = waiting.next[entry]
        for got, splice in zip(operation.fetched, splices, strict=True):
            if got.last is not None:
                splice["next"] = got.last, self.link(free)
                free = got.first

        left = [got.after for got in operation.fetched]
        popped = any(got.held is not None for got in operation.fetched)
        if place is not None and not operation.in_page and not popped:
            pointer = place.entry.pointer
            after, before = waiting.next[pointer], waiting.prev[pointer]
            if left[place.entry.which] == pointer:
                left[place.entry.which] = after
            else:
                assert before is not None
                unlink["next"] = before, self.link(after)
                if after is not None:
                    unlink["prev"] = after, before
            if not operation.places and returned is not None:
                push["next"] = pointer, self.link(free)

        which = operation.which
        here = operation.places and new[which] == own[which]
        target = map_.records[which][new[which]]
        for half, (name, record) in enumerate(zip(("lower", "upper"), records, strict=True)):
            comes = here and which == half
            goes = place is not None and place.entry.which == half
            push[name] = own[half], self.record(
                operation.used[half], entry if comes else left[half], record.load + comes - goes,
                record.version + 1)
        if operation.places:
            assert entry is not None
            onto = left[which] if here else target.head
            push["items"] = entry, operation.key | operation.value << self._config.key_width
            push["next"] = entry, self.link(onto)
            if onto is not None:
                push["prev"] = onto, entry
            if not here:
                unlink[("lower", "upper")[which]] = new[which], self.record(
                    target.used, entry, target.load + 1, target.version)
        return asks


def _pack(*fields: tuple[int, int]) -> int:
    """Fields, each a value and its width, from the low bits up."""
    word = position = 0
    for value, width in fields:
        word |= (value & (1 << width) - 1) << position
        position += width
    return word
