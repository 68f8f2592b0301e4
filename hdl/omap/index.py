"""The trusted index: cuckoo hashing whose every operation takes the same time."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import Component, In, Out

from .config import RELOCATIONS, OmapConfig
from .hashing import IndexHash
from .trusted import TrustedMemories


def target_layout(config: OmapConfig) -> data.StructLayout:
    """Where a key belongs: its pair of pages, which of them, and its pending entry."""
    return data.StructLayout({"a": config.half_bits, "b": config.half_bits, "which": 1,
                              "pointer": config.pointer_bits})


def lowest(bits: Value) -> Value:
    """Only the lowest of the bits that are set."""
    return bits & (~bits + 1)[:len(bits)]


class Index(Component):
    """Index with a place for a key in every way, and a stash.

    A lookup reads the places of a key, then relocates: in each of a fixed number of steps the
    first entry of the stash goes to an empty place of its own, or changes places with the
    entry in one of them, way by way in turn. The entry of the key that was looked up stays
    where it is until its update, which ends the lookup. New keys go to the stash.

    ``found`` and ``target`` hold four cycles and the latency of a way after ``start``
    (``done``); ``update`` may come once ``settled``.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        self.memories = TrustedMemories(
            config, [f"way{way}" for way in range(config.index_ways)])
        target = target_layout(config)
        super().__init__({
            "start": In(1), "start_key": In(config.key_width), "key": In(config.key_width),
            "done": Out(1), "found": Out(1), "target": Out(target),
            "settled": Out(1), "update": In(1), "insert": In(1), "remove": In(1),
            "updated": In(target), "retire": In(1),
            "seed": In(config.seed_bits), "clear": In(1), "clear_address": In(config.index_bits),
            "stashed": Out(range(config.index_stash + 1)), "full": Out(1)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        latency, ways = config.trusted_latency, config.index_ways
        entry = data.StructLayout({"valid": 1, "key": config.key_width,
                                   "target": target_layout(config)})
        cycle = Signal(range(config.relocated + 1))
        active = Signal()
        with m.If(self.start):
            m.d.sync += [active.eq(1), cycle.eq(0), self.done.eq(0), self.settled.eq(0)]
        with m.Elif(self.update | self.retire):
            m.d.sync += [active.eq(0), self.done.eq(0), self.settled.eq(0)]
        with m.Elif(active & ~self.settled):
            m.d.sync += [cycle.eq(cycle + 1),
                         self.done.eq(self.done | (cycle == latency + 2)),
                         self.settled.eq(cycle == config.relocated - 1)]
        chooses = [step * config.relocation_cycles for step in range(RELOCATIONS)]
        hashes = [at + 1 for at in chooses]
        reads = [at + 2 for at in chooses]
        lookup_read = 1
        decides = [at + latency for at in reads]
        writes = [at + latency + 1 for at in reads]

        def now(cycles: list[int]) -> Value:
            return active & Cat(cycle == at for at in cycles).any()

        stash = [Signal(entry, name=f"stash{number}", reset_less=True)
                 for number in range(config.index_stash)]
        waits = Signal(config.index_stash)
        m.d.comb += [self.stashed.eq(sum(waits)), self.full.eq(waits.all())]
        first = Signal(config.index_stash)
        m.d.comb += first.eq(lowest(waits))

        m.submodules.hash = hashed = IndexHash(config)
        addresses = Signal(ways * config.index_bits, reset_less=True)
        hashed_key = Signal(config.key_width, reset_less=True)
        m.d.comb += [hashed.seed.eq(self.seed), hashed.key.eq(hashed_key)]
        with m.If(self.start):
            m.d.sync += hashed_key.eq(self.start_key)
        with m.Elif(now(chooses)):
            m.d.sync += hashed_key.eq(_select(first, [one.key for one in stash]))
        with m.Elif(now([writes[-1] - 1])):
            m.d.sync += hashed_key.eq(self.key)
        with m.If(self.clear):
            m.d.sync += addresses.eq(self.clear_address.replicate(ways))
        with m.Elif(now([0, *hashes, writes[-1]])):
            m.d.sync += addresses.eq(hashed.addresses)

        moving = Signal(config.index_stash, reset_less=True)
        with m.If(now(chooses)):
            m.d.sync += moving.eq(first)
        moved = Signal(entry)
        m.d.comb += [moved.eq(_select(moving, [one.as_value() for one in stash])),
                     moved.valid.eq(1)]

        stored = Signal(entry)
        m.d.comb += [stored.valid.eq(~self.remove), stored.key.eq(self.key),
                     stored.target.eq(self.updated)]
        hit_way = Signal(ways, reset_less=True)
        hit_stash = Signal(config.index_stash, reset_less=True)
        move_way = Signal(ways, reset_less=True)
        words = []
        clearing = Signal()
        m.d.sync += clearing.eq(self.clear)
        for way, ram in enumerate(self.memories.place(m)):
            moves = Signal(name=f"moves{way}")
            writes_way = Signal(name=f"writes_way{way}")
            m.d.comb += [
                moves.eq(now(writes) & move_way[way]),
                writes_way.eq(clearing | moves | (self.update & hit_way[way])),
                ram.address.eq(addresses.word_select(way, config.index_bits)),
                ram.enable.eq(writes_way | now([lookup_read, *reads])), ram.write.eq(writes_way),
                ram.data.eq(Mux(self.update, stored, Mux(clearing, 0, moved)))]
            word = Signal(entry, name=f"word{way}")
            m.d.comb += word.eq(ram.q)
            words.append(word)

        matches = Signal(ways)
        stash_matches = Signal(config.index_stash)
        m.d.comb += [
            matches.eq(Cat(word.valid & (word.key == self.key) for word in words)),
            stash_matches.eq(waits & Cat(one.key == self.key for one in stash))]
        with m.If(now([lookup_read + latency])):
            m.d.sync += [hit_way.eq(matches), hit_stash.eq(stash_matches)]
        known = Signal(target_layout(config), reset_less=True)
        found = Signal(reset_less=True)
        held = [Signal(target_layout(config), name=f"held{way}", reset_less=True)
                for way in range(ways)]
        with m.If(now([lookup_read + latency])):
            m.d.sync += [one.eq(word.target) for one, word in zip(held, words, strict=True)]
        with m.If(now([lookup_read + latency + 1])):
            m.d.sync += [found.eq(hit_way.any() | hit_stash.any()),
                         known.eq(_select(Cat(hit_way, hit_stash),
                                          [one.as_value() for one in held]
                                          + [one.target.as_value() for one in stash]))]
        m.d.comb += [self.found.eq(found), self.target.eq(known)]

        turn = Signal(ways, init=1)
        with m.If(self.clear):
            m.d.sync += turn.eq(1)
        with m.Elif(now(decides)):
            m.d.sync += turn.eq(turn.rotate_left(1))
        empty = Signal(ways)
        chosen = Signal(ways)
        m.d.comb += [empty.eq(Cat(~word.valid for word in words)),
                     chosen.eq(Mux(empty.any(), lowest(empty), turn))]
        with m.If(now(decides)):
            m.d.sync += move_way.eq(Mux(moving.any() & ~(moving & stash_matches).any()
                                        & ~(chosen & matches).any(), chosen, 0))
        evicted = Signal(entry)
        m.d.comb += evicted.eq(_select(move_way, [word.as_value() for word in words]))
        free = Signal(config.index_stash)
        m.d.comb += free.eq(lowest(~waits))
        arriving = Signal(entry)
        m.d.comb += arriving.eq(Mux(self.update, stored, evicted))
        for number, one in enumerate(stash):
            with m.If(self.clear):
                m.d.sync += waits[number].eq(0)
            with m.Elif((self.update & Mux(self.insert, free[number], hit_stash[number]))
                        | (now(writes) & move_way.any() & moving[number])):
                m.d.sync += [one.eq(arriving), waits[number].eq(arriving.valid)]
        return m


def _select(choice: Value, values: list[Value]) -> Value:
    """The value whose bit of a one-hot choice is set, zero if none is."""
    total: Value = values[0] & choice[0].replicate(len(values[0]))
    for bit, value in enumerate(values[1:], 1):
        total = total | (value & choice[bit].replicate(len(value)))
    return total
