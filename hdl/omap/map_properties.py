"""An index that is a table of keys, in place of the controller's, and an operation upon it."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.asserts import AnySeq
from amaranth.hdl import Array, Cat, Mux, Signal, Value
from amaranth.lib import data

from pimlico.hdl.common.component import fields

from .config import DEL, GET, NOP, PUT, OmapConfig
from .index import target_layout
from .inside import Claim, Inside
from .schedule import Schedule

KEY_BITS = 2
"""Bits of a key in which keys differ."""


class MappedIndex:
    """What `tracked_index` shows of the index, for every key: what its last update stored.

    When a lookup is through, and when the index may be updated, is free, for as long as it is
    in that order. So is whether the stash is full. Keys are below ``2**KEY_BITS``.

    Parameters
    ----------
    inside : Inside

    Attributes
    ----------
    map : list of View
        The entry of every key: ``valid``, ``target``.
    """

    def __init__(self, inside: Inside):
        h = inside.h
        config: OmapConfig = h.config
        m = h.m
        target = target_layout(config)
        self.layout = data.StructLayout({"valid": 1, "target": target})
        active, done, settled, clearing = (
            inside(f"index.{name}") for name in ("active", "done", "settled", "clearing"))
        # its outputs, of which one has the name of a register
        wires = {signal.name: signal
                 for statement in h.dut.fragment.find_subfragment("index").statements["comb"]
                 for signal in statement._lhs_signals()}
        found, known, stashed, full = (
            wires[name] for name in ("found", "target", "stashed", "full"))
        h.dut.cut("index")
        ready, key = inside("startup.ready"), inside("lookup_key")
        asked = fields(config.port("cmd"), h.dut.component.cmd.payload)
        h.assume((asked["key"] >> KEY_BITS) == 0)
        ends = inside("leaves")
        m.d.sync += clearing.eq(inside("startup.clear"))
        with m.If(inside("accepts")):
            m.d.sync += [active.eq(1), done.eq(0), settled.eq(0)]
        with m.Elif(ends):
            m.d.sync += [active.eq(0), done.eq(0), settled.eq(0)]
        with m.Elif(active):
            m.d.sync += [done.eq(done | AnySeq(1)), settled.eq(settled | (done & AnySeq(1)))]
        self.map: list[data.View] = [Signal(self.layout, name=f"entry_of_key{number}")
                                     for number in range(1 << KEY_BITS)]
        entry = self.look(key)
        m.d.comb += [
            found.eq(Mux(done, entry.valid, AnySeq(1))),
            known.eq(Mux(done, entry.target.as_value(), AnySeq(len(known)))),
            stashed.eq(AnySeq(len(stashed))), full.eq(AnySeq(1))]
        for number, one in enumerate(self.map):
            with m.If(~ready):
                m.d.sync += one.valid.eq(0)
            with m.Elif(inside("update") & (key == number)):
                m.d.sync += [one.valid.eq(~inside("remove")), one.target.eq(inside("updated"))]

    def look(self, key: Value, entries: Sequence[data.View] | None = None) -> data.View:
        """The entry of a key, among others than those of the map if they are given."""
        words = [one.as_value() for one in entries or self.map]
        return data.View(self.layout, Array(words)[key[:KEY_BITS]])


class MappedOperation:
    """What ties an operation to its command and to the index.

    Attributes
    ----------
    entries : list of View
        The entry of every key, as if the index were changed with the records of pages.
    before : Signal
        The records are not changed yet, nor the list that the item goes to.
    changes : Signal
        The operation changes the entry of its key.
    pages : list of Value
        Numbers of the pages in hand.
    goes : Signal
        Number of the page, in all of them, to which the item goes.
    """

    def __init__(self, inside: Inside, index: MappedIndex, schedule: Schedule, claim: Claim):
        self.index = index
        busy, own, hit, places = inside("busy"), schedule.own, inside("hit"), inside("places")
        key, op = inside("key"), inside("op")
        claim(~inside("index.clearing") | ~busy, "nothing runs while the index is cleared")
        claim(~own | busy, "a command that was launched has its operation")
        claim(~own | (key == inside("lookup_key")), "the operation's key")
        claim(~busy | ((key >> KEY_BITS) == 0), "a small key")
        claim(~inside("lookup_full") | ((inside("lookup_key") >> KEY_BITS) == 0), "a small key")
        claim(~busy | ~hit | (op != NOP), "a nop hits nothing")
        claim(~busy | ~places | (op == PUT) | ((op == GET) & hit), "what places an item")
        claim(~busy | ~hit | places | (op == DEL), "what removes an item")
        self.changes = changes = inside.named(places | hit, "operation_changes")
        self.before = before = inside.named(busy & ~schedule.recorded, "before_records")
        old = Signal(index.layout, name="entry_before")
        new = Signal(index.layout, name="entry_after")
        inside.h.m.d.comb += [
            old.eq(Cat(hit, inside("page_a"), inside("page_b"), inside("which"),
                       inside("pointer"))),
            new.eq(Cat(op != DEL, inside("new_a"), inside("new_b"), inside("records.target"),
                       inside("pending.entry")))]
        now = index.look(key)
        claim(~busy | schedule.updated | (hit == (now.valid & (op != NOP))), "a hit")
        claim(~busy | schedule.updated | ~hit | (now.target == old.target), "the key's target")
        claim(~schedule.updated | ~changes | ((now.valid == new.valid)
                                              & (~new.valid | (now.target == new.target))),
              "the key's new target")
        self.entries: list[data.View] = []
        for number, one in enumerate(index.map):
            seen = Signal(index.layout, name=f"seen_of_key{number}")
            mine = busy & changes & (key == number)
            inside.h.m.d.comb += seen.eq(Mux(mine, Mux(before, old, new), one))
            self.entries.append(seen)
        self.pages = [Cat(inside("page_a"), 0), Cat(inside("page_b"), 1)]
        target = inside("records.target")
        self.goes = inside.named(Cat(Mux(target, inside("new_b"), inside("new_a")), target),
                                 "page_of_item")

    def look(self, key: Value) -> data.View:
        """What `entries` has of a key."""
        return self.index.look(key, self.entries)


def page_of(target: data.View) -> Value:
    """Number of the page, in all of them, that a target names."""
    return Cat(Mux(target.which, target.b, target.a), target.which)
