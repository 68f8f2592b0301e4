"""What is known of every page, and where the operation's item goes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import Component, In, Out

from .config import OmapConfig
from .pending import link_layout
from .trusted import TrustedMemories


def record_layout(config: OmapConfig) -> data.StructLayout:
    """Slots in use, the list of waiting items, keys that belong to the page, its version."""
    return data.StructLayout({"used": config.slots, "head": link_layout(config),
                              "load": config.load_bits, "version": config.version_bits})


class PageRecords(Component):
    """Records of both halves: those of the pages in hand, and of the item's next pair.

    The pages in hand are read at ``launch``, the next pair in the cycle after it. The item
    goes to the page of that pair to which fewer keys belong, not counting itself, the lower
    one on a tie. ``commit`` comes with the changed records of both pages, ``push`` in the
    next cycle.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        self.memories = TrustedMemories(config, ["lower", "upper"])
        record, half, link = record_layout(config), config.half_bits, link_layout(config)
        super().__init__({
            "launch": In(1), "launch_a": In(half), "launch_b": In(half),
            "step": In(range(config.fetched + 6)),
            "a": In(half), "b": In(half), "new_a": In(half), "new_b": In(half),
            "removes": In(1), "which": In(1), "places": In(1),
            "read_a": Out(record), "read_b": Out(record),
            "target": Out(1), "target_head": Out(link), "here": Out(2),
            "commit": In(1), "push": In(1), "kept_a": In(config.slots), "kept_b": In(config.slots),
            "after_a": In(link), "after_b": In(link), "entry": In(config.pointer_bits),
            "version_a": Out(config.version_bits), "version_b": Out(config.version_bits),
            "clear": In(1), "clear_page": In(half)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        record = record_layout(config)
        halves = self.memories.place(m)
        words = [self.read_a, self.read_b]
        m.d.comb += [word.eq(ram.q) for word, ram in zip(words, halves, strict=True)]

        loads = [Signal(config.load_bits, name=f"load_{name}", reset_less=True) for name in "ab"]
        versions = [self.version_a, self.version_b]
        with m.If(self.step == config.trusted_latency):
            m.d.sync += [load.eq(word.load) for load, word in zip(loads, words, strict=True)]
            m.d.sync += [version.eq(word.version)
                         for version, word in zip(versions, words, strict=True)]
        same = [Signal(name=f"same_{name}", reset_less=True) for name in "ab"]
        m.d.sync += [same[0].eq(self.new_a == self.a), same[1].eq(self.new_b == self.b)]
        others = []
        for number, word in enumerate(words):
            others.append(Signal(config.load_bits, name=f"others_{'ab'[number]}"))
            m.d.comb += others[number].eq(
                word.load - (self.removes & same[number] & (self.which == number)))
        target = Signal()
        chosen = Signal(record, reset_less=True)
        m.d.comb += target.eq(others[1] < others[0])
        with m.If(self.step == config.trusted_latency + 1):
            m.d.sync += [
                self.target.eq(target), chosen.eq(Mux(target, words[1], words[0])),
                self.here.eq(Mux(target, same[1] << 1, same[0]) & self.places.replicate(2))]
        m.d.comb += self.target_head.eq(chosen.head)

        elsewhere = Signal()
        m.d.comb += elsewhere.eq(self.push & self.places & ~self.here.any())
        pushed = Signal(record)
        m.d.comb += [pushed.used.eq(chosen.used), pushed.head.valid.eq(1),
                     pushed.head.entry.eq(self.entry), pushed.load.eq(chosen.load + 1),
                     pushed.version.eq(chosen.version)]
        for number, ram in enumerate(halves):
            name = "ab"[number]
            page, new = (self.a, self.new_a) if number == 0 else (self.b, self.new_b)
            launch = self.launch_a if number == 0 else self.launch_b
            changed = Signal(record, name=f"changed_{name}")
            m.d.comb += [
                changed.used.eq(self.kept_a if number == 0 else self.kept_b),
                changed.head.eq(self.after_a if number == 0 else self.after_b),
                changed.load.eq(loads[number] + self.here[number]
                                - (self.removes & (self.which == number))),
                changed.version.eq(versions[number] + 1)]
            m.d.comb += [
                ram.write.eq(self.clear | self.commit | (elsewhere & (self.target == number))),
                ram.enable.eq(self.memories.when(self.launch | (self.step == 1) | ram.write)),
                ram.address.eq(Mux(self.clear, self.clear_page, Mux(self.commit, page,
                                   Mux((self.step == 1) | self.push, new, launch)))),
                ram.data.eq(Mux(self.clear, 0, Mux(self.commit, changed, pushed)))]
        return m
