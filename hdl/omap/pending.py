"""The pending buffer: items that wait for their page, in a list a page."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.ram import memory

from .config import COMMIT_STEPS, OmapConfig
from .index import lowest
from .trusted import TrustedMemories, kind


def link_layout(config: OmapConfig) -> data.StructLayout:
    """An entry's number, or none."""
    return data.StructLayout({"valid": 1, "entry": config.pointer_bits})


class PendingBuffer(Component):
    """Lists of waiting items, walked and changed in constant time.

    An operation walks the lists of its two pages in turn, `merges` items each, and offers each
    item that has a free slot (``got``); it probes where its own item was put last. Nothing is
    changed until ``commit``; in the `COMMIT_STEPS` cycles after it the items that were taken
    leave their lists for the free list as a chain, the operation's own item leaves the middle
    of its list, and goes to the head of another.

    Source: the pending buffer of BOLT, arXiv 2509.01742.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        self.memories = TrustedMemories(config, ["items", "next", "prev"])
        link = link_layout(config)
        steps = config.fetched + COMMIT_STEPS
        super().__init__({
            "launch": In(1), "step": In(range(steps + 1)), "pointer": In(config.pointer_bits),
            "key": In(config.key_width), "hit": In(1), "which": In(1),
            "head_a": In(link), "head_b": In(link),
            "used_a": In(config.slots), "used_b": In(config.slots),
            "recording": Out(1), "got": Out(1), "got_half": Out(1), "got_slot": Out(config.slots),
            "recorded": Out(range(2 * config.merges + 1)),
            "item": Out(config.tuple_width), "own": Out(1), "probed": Out(1), "known": Out(1),
            "restore": In(1), "restored": Out(1),
            "taken_a": Out(config.slots), "taken_b": Out(config.slots),
            "commit": In(1), "in_page": In(1), "places": In(1), "value": In(config.value_width),
            "here": In(2), "target_head": In(link),
            "entry": Out(config.pointer_bits), "after_a": Out(link), "after_b": Out(link),
            "count": Out(config.pending_bits), "committing": Out(COMMIT_STEPS),
            "clear": In(1), "clear_link": In(1),
            "clear_entry": In(range(max(2, config.pending_entries)))})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        link = link_layout(config)
        items, following, previous = self.memories.place(m)
        read_link = Signal(link)
        successor = Signal(link, reset_less=True)
        matches = Signal(reset_less=True)
        m.d.comb += read_link.eq(following.q)
        # a cycle for the comparison, while the walk goes on
        m.d.sync += [self.item.eq(items.q), successor.eq(read_link),
                     matches.eq(self.hit & (items.q[:config.key_width] == self.key))]

        free = Signal(link)
        returned = Signal(link)
        with m.If(self.launch):
            m.d.sync += self.entry.eq(Mux(returned.valid, returned.entry, free.entry))
        # the cycle of the operation, one-hot from its first on
        cycle = Signal(config.trusted_latency * (config.merges + 1) + 2)
        m.d.sync += cycle.eq(Cat(self.launch, cycle)[:len(cycle)])
        walked = Signal(config.pointer_bits)
        m.d.comb += walked.eq(Mux(cycle[0], self.pointer, free.entry))
        first, last, rest, popped = self._walk(m, cycle, read_link, successor, matches, walked)

        phase = Signal(COMMIT_STEPS)
        splice_a, splice_b, push, unlink = phase
        m.d.sync += phase.eq(Cat(self.commit, phase[:-1]))
        m.d.comb += self.committing.eq(phase)
        deep = Signal(reset_less=True)
        free_next = Signal(link, reset_less=True)
        probe_next = Signal(link, reset_less=True)
        probe_previous = Signal(config.pointer_bits, reset_less=True)
        with m.If(cycle[config.trusted_latency - 1]):
            m.d.sync += free_next.eq(read_link)
        m.d.comb += self.probed.eq(matches & cycle[config.trusted_latency + 1])
        listed = self._listed(m, unlink & deep, push & self.places) if not config.sealed else 1
        with m.If(cycle[config.trusted_latency + 1]):
            m.d.sync += [self.known.eq(matches & listed), probe_next.eq(successor),
                         probe_previous.eq(previous.q)]

        deep_now = Signal()
        heads = Signal(2)
        m.d.comb += [
            deep_now.eq(self.hit & ~self.in_page & ~self.own_popped),
            heads.eq(Cat(one.valid & (one.entry == self.pointer) & (self.which == half)
                         for half, one in enumerate(rest)))]
        left = []
        for half in range(2):
            one = Signal(link, name=f"left_{'ab'[half]}")
            m.d.comb += one.eq(Mux(deep_now & heads[half], probe_next, rest[half]))
            left.append(one)
        pushed = Signal(link)
        m.d.comb += [pushed.valid.eq(1), pushed.entry.eq(self.entry)]
        onto = Signal(link, reset_less=True)
        unlinks = Signal(reset_less=True)
        chains = Signal(reset_less=True)
        pushes = Signal(reset_less=True)
        # decided in the cycle of the second splice, for those of the push and the unlinking
        m.d.sync += [
            deep.eq(deep_now), unlinks.eq(deep_now & ~heads.any()),
            chains.eq(~self.places & deep_now & returned.valid), pushes.eq(self.places),
            self.after_a.eq(Mux(self.here[0], pushed, left[0])),
            self.after_b.eq(Mux(self.here[1], pushed, left[1])),
            onto.eq(Mux(self.here[0], left[0], Mux(self.here[1], left[1], self.target_head)))]
        base = Signal(link)
        m.d.comb += base.eq(Mux(splice_a & self.places & ~returned.valid, free_next, free))
        with m.If(self.clear):
            m.d.sync += [free.valid.eq(1), free.entry.eq(0)]
        with m.Elif(splice_a):
            m.d.sync += free.eq(Mux(popped[0], first[0], base))
        with m.Elif(splice_b & popped[1]):
            m.d.sync += free.eq(first[1])
        with m.Elif(push & chains):
            m.d.sync += [free.valid.eq(1), free.entry.eq(self.pointer)]
        with m.If(self.clear):
            m.d.sync += returned.valid.eq(0)
        with m.Elif(push & (self.places | (deep & ~chains))):
            m.d.sync += [returned.valid.eq(deep), returned.entry.eq(self.pointer)]
        with m.If(self.clear):
            m.d.sync += self.count.eq(0)
        with m.Elif(push):
            m.d.sync += self.count.eq(self.count + self.places - deep - self.pops)

        clearing = Signal()
        cleared = Signal.like(self.clear_entry, reset_less=True)
        fresh = Signal(link, reset_less=True)
        m.d.sync += [clearing.eq(self.clear_link), cleared.eq(self.clear_entry),
                     fresh.eq(self._fresh(link))]
        stores = Signal()
        m.d.comb += [
            stores.eq((splice_a & popped[0]) | (splice_b & popped[1])
                      | (push & (pushes | chains)) | (unlink & unlinks)),
            following.write.eq(stores | clearing),
            following.enable.eq(self.memories.when(
                self.launch | self.walking | following.write)),
            following.address.eq(
                Mux(clearing, cleared, Mux(splice_a, last[0], Mux(
                    splice_b, last[1], Mux(push, Mux(chains, self.pointer, self.entry), Mux(
                        unlink, probe_previous, walked)))))),
            following.data.eq(
                Mux(clearing, fresh, Mux(splice_a | splice_b, base, Mux(
                    push, Mux(chains, free, onto), probe_next)))),
            items.write.eq(push & pushes),
            items.enable.eq(self.memories.when(self.walking | items.write)),
            items.address.eq(Mux(push, self.entry, walked)),
            items.data.eq(Cat(self.key, self.value)),
            previous.write.eq((push & pushes & onto.valid)
                              | (unlink & unlinks & probe_next.valid)),
            previous.enable.eq(cycle[0] | previous.write),
            previous.address.eq(Mux(push, onto.entry, Mux(unlink, probe_next.entry, walked))),
            previous.data.eq(Mux(push, self.entry, probe_previous))]
        if config.sealed:
            m.d.comb += self.restored.eq(
                self.step > config.fetched + 1 if config.walk_may_last else 1)
        return m

    def _walk(self, m: Module, cycle: Value, read_link: Value, successor: Value,
              matches: Value, walked: Value) -> tuple[list[Value], ...]:
        """Both lists in turn: what stands first, was popped last, and is left of each."""
        config = self.config
        latency, link = config.trusted_latency, link_layout(config)
        first = [Signal(link, name=f"first_{half}", reset_less=True) for half in "ab"]
        rest = [Signal(link, name=f"rest_{half}", reset_less=True) for half in "ab"]
        current = [Signal(link, name=f"current_{half}", reset_less=True) for half in "ab"]
        last = [Signal(config.pointer_bits, name=f"last_{half}", reset_less=True)
                for half in "ab"]
        popped = [Signal(name=f"popped_{half}") for half in "ab"]
        free = [Signal(config.slots, name=f"free_{half}", reset_less=True) for half in "ab"]
        self.own_popped = own_popped = Signal(name="own_popped")
        self.pops = pops = Signal(range(2 * config.merges + 1), name="pops")

        records = [Signal(name=f"records_{half}") for half in "ab"]
        walks = [Signal(name=f"walks_{half}") for half in "ab"]
        starts_a = cycle[latency - 1]
        starts_b = cycle[latency]
        self.walking = cycle[0] | starts_a | starts_b | walks[0] | walks[1]
        half = records[1]
        now = Signal(link)
        slot = Signal(config.slots)
        self.takes = takes = Signal(name="takes")
        self.taken_entry = Signal(config.pointer_bits, name="taken_entry")
        for number in range(2):
            at = [latency * (turn + 2) + number for turn in range(config.merges)]
            m.d.comb += [records[number].eq(Cat(cycle[when] for when in at).any()),
                         walks[number].eq(Cat(cycle[when - 1] for when in at[:-1]).any())]
        free_half = Signal(config.slots)
        m.d.comb += [
            now.eq(Mux(half, current[1], current[0])),
            free_half.eq(Mux(half, free[1], free[0])), slot.eq(lowest(free_half)),
            self.recording.eq(records[0] | half),
            takes.eq(self.recording & now.valid & (matches | free_half.any())),
            self.taken_entry.eq(now.entry), self.got.eq(takes & ~matches),
            self.got_half.eq(half), self.got_slot.eq(slot),
            self.own.eq(takes & matches)]
        with m.If(starts_a):
            m.d.comb += walked.eq(self.head_a.entry)
            m.d.sync += [first[0].eq(self.head_a), rest[0].eq(self.head_a),
                         current[0].eq(self.head_a), first[1].eq(self.head_b),
                         rest[1].eq(self.head_b), current[1].eq(self.head_b),
                         free[0].eq(~self.used_a), free[1].eq(~self.used_b)]
        with m.Elif(starts_b):
            m.d.comb += walked.eq(first[1].entry)
        with m.Elif(walks[0] | walks[1]):
            m.d.comb += walked.eq(read_link.entry)
        with m.If(self.launch):
            m.d.sync += [Cat(popped).eq(0), own_popped.eq(0), pops.eq(0), self.recorded.eq(0),
                         self.taken_a.eq(0), self.taken_b.eq(0)]
        with m.Elif(records[0] | half):
            m.d.sync += [self.recorded.eq(self.recorded + 1), pops.eq(pops + takes),
                         own_popped.eq(own_popped | self.own)]
        for number, taken in enumerate((self.taken_a, self.taken_b)):
            with m.If(records[number]):
                m.d.sync += [current[number].eq(successor),
                             current[number].valid.eq(takes & successor.valid)]
                with m.If(takes):
                    m.d.sync += [rest[number].eq(successor), popped[number].eq(1),
                                 last[number].eq(now.entry), free[number].eq(free_half & ~slot)]
                with m.If(self.got):
                    m.d.sync += taken.eq(taken | slot)
        return first, last, rest, popped

    def _listed(self, m: Module, unlinked: Value, pushed: Value) -> Value:
        """Whether the probed entry is in a list. A host that is honest never makes it count.

        Without a cipher a host may hide the item of an entry that was merged long ago, and whose
        old words still tell of the key: to unlink that would break other lists. Items leave as
        they are walked, and come back if the operation is aborted.
        """
        config = self.config
        entries = 2 * config.merges
        m.submodules.listed = listed = memory(1, config.pending_entries,
                                               kind(config.pending_entries))
        write, read = listed.write_port(), listed.read_port(domain="comb")
        probed = Signal(reset_less=True)
        m.d.comb += read.addr.eq(self.pointer)
        m.d.sync += probed.eq(read.data)
        walked = [Signal(config.pointer_bits, name=f"walked{number}", reset_less=True)
                  for number in range(entries)]
        gone = Signal(entries)
        for number in range(entries):
            with m.If(self.launch):
                m.d.sync += gone[number].eq(0)
            with m.Elif(self.takes & (self.recorded == number)):
                m.d.sync += [gone[number].eq(1), walked[number].eq(self.taken_entry)]
        turn = Signal(range(entries + 1))
        comes_back = Signal()
        returning = Signal()
        m.d.comb += [
            self.restored.eq(turn == entries),
            returning.eq(self.restore & (self.step > config.fetched + 1) & ~self.restored),
            comes_back.eq(returning & Array(list(gone))[turn])]
        with m.If(self.launch):
            m.d.sync += turn.eq(0)
        with m.Elif(returning):
            m.d.sync += turn.eq(turn + 1)
        m.d.comb += [
            write.en.eq(self.clear_link | self.takes | pushed | unlinked | comes_back),
            write.addr.eq(
                Mux(self.clear_link, self.clear_entry, Mux(self.takes, self.taken_entry, Mux(
                    pushed, self.entry, Mux(comes_back, Array(walked)[turn], self.pointer))))),
            write.data.eq(~self.clear_link & ~self.takes & (pushed | comes_back))]
        return probed

    def _fresh(self, link: data.StructLayout) -> Value:
        """The link of an entry of the free list as init leaves it: to the entry after it.

        The number in the last one does not count. On a port it is 0: links are followed whether
        they count or not, and no address is to be beyond the memory.
        """
        is_last = self.clear_entry == self.config.pending_entries - 1
        after = (self.clear_entry + 1)[:self.config.pointer_bits]
        return Cat(~is_last, Mux(is_last, 0, after) if self.memories.ports else after)
