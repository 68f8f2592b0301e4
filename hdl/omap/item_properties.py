"""An arbitrary key has its item, once, wherever it is; and a get gives what was put last."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Mux, Signal
from amaranth.lib import data

from pimlico.hdl.common.component import fields
from pimlico.hdl.common.properties import Harness

from .beats import arrivals, departures, merging, paces
from .config import DEL, FULL, MISS, NOP, OK, PUT, STATUS_BITS, OmapConfig
from .inside import Claim, Inside, any_of, one_at_most, total
from .link_properties import lists_whole
from .list_properties import Lists
from .live import Records
from .map_properties import KEY_BITS, MappedIndex, MappedOperation, page_of
from .pages import Pages, answers, contents
from .place_properties import items_indexed, own_once, slots_indexed
from .schedule import Schedule
from .walk_properties import Walk


class TrackedItem:
    """The value of an arbitrary key as commands and responses have it, and its item.

    Parameters
    ----------
    inside : Inside
    operation : MappedOperation
    lists : Lists
    pages : Pages
    claim : callable
    """

    def __init__(self, inside: Inside, operation: MappedOperation, lists: Lists, pages: Pages,
                 claim: Claim):
        self.inside, self.operation, self.lists, self.pages = inside, operation, lists, pages
        h = inside.h
        config: OmapConfig = h.config
        self.key = key = h.constant(config.key_width, "tracked_key")
        h.assume((key >> KEY_BITS) == 0)
        self.stored = Signal(name="key_stored")
        self.value = Signal(config.value_width, name="key_value")
        self.mine = Signal(name="operation_on_key")
        self.op = Signal(2, name="operation_does")
        self.put = Signal(config.value_width, name="operation_puts")
        self.full = Signal(name="operation_has_no_room")
        self.status = Signal(STATUS_BITS, name="key_status")
        self._follow(claim)
        self._answer(claim)
        self._item(claim)

    def _follow(self, claim: Claim) -> None:
        """Commands at the ports, from their launch to their commit."""
        inside = self.inside
        h = inside.h
        m, config = h.m, h.config
        ports, inputs, outputs = h.dut.component, h.dut.inputs, h.dut.outputs
        cmd = fields(config.port("cmd"), ports.cmd.payload)
        asked = {name: Signal(len(cmd[name]), name=f"asked_{name}") for name in cmd}
        with m.If(ports.cmd.valid & ports.cmd.ready):
            m.d.sync += [asked[name].eq(cmd[name]) for name in cmd]
        for name in cmd:
            claim(~inside("lookup_full") | (inside(f"lookup_{name}") == asked[name]),
                  "the command that waits")
        launch = inside.named(ports.random.valid & ports.random.ready & outputs["ready"],
                              "draw_taken")
        claim(launch == inside("launch"), "a draw is taken for a launch, or at init")
        op_now = inside.named(Mux(outputs["fatal"].any() & inputs["drain"], DEL, asked["op"]),
                              "asked_now")
        with m.If(launch):
            m.d.sync += [
                self.mine.eq((asked["key"] == self.key) & (op_now != NOP)), self.op.eq(op_now),
                self.put.eq(asked["value"]),
                self.full.eq(~self.stored & (outputs["live"] == config.capacity))]
        with m.If(~outputs["ready"]):
            m.d.sync += self.stored.eq(0)
        with m.Elif(inside("commit") & self.mine):
            with m.If((self.op == PUT) & ~self.full):
                m.d.sync += [self.stored.eq(1), self.value.eq(self.put)]
            with m.Elif(self.op == DEL):
                m.d.sync += self.stored.eq(0)
        busy, hit = inside("busy"), inside("hit")
        claim(~busy | (inside("op") == self.op), "what the operation does")
        claim(~busy | (((inside("key") == self.key) & (self.op != NOP)) == self.mine),
              "whose operation")
        self.flies = flies = inside.named(busy & self.mine, "operation_flies")
        claim(~flies | inside("committed") | (hit == self.stored), "a hit")
        claim(~flies | hit | (self.op != PUT) | (inside("places") == ~self.full), "room for it")
        claim(~flies | ~hit | ~self.full, "room for what is there")
        m.d.comb += self.status.eq(Mux(self.op == PUT, Mux(self.full, FULL, OK),
                                       Mux(self.stored, OK, MISS)))
        claim(~flies | inside("committed") | (inside("outcome") == self.status), "its status")

    def _answer(self, claim: Claim) -> None:
        """Responses to operations on the key."""
        inside = self.inside
        m = inside.h.m
        rsp = inside.h.dut.component.rsp
        width = len(rsp.payload)
        waits, offered = Signal(name="key_answer_waits"), Signal(name="key_answer_offered")
        answer, payload = (Signal(width, name=f"key_{name}") for name in ("answer", "payload"))
        # given as the one before it has been taken, once the pages are written
        staged = inside("responder.staged")
        gives = inside("responder.gives")
        with m.If(inside("commit") | inside("abort") | inside("refuse")):
            m.d.sync += [
                waits.eq(inside("commit") & self.mine),
                answer.eq(Cat(self.status, self.stored, Mux(
                    self.op == PUT, self.put, Mux(self.stored, self.value, 0))))]
        with m.If(gives):
            m.d.sync += [offered.eq(waits), payload.eq(answer)]
        claim(~staged | ~waits | (inside("responder.response") == answer), "its answer waits")
        claim(~rsp.valid | ~offered | (rsp.payload == payload),
              "a get gives what was put last")

    def _item(self, claim: Claim) -> None:
        inside, operation, lists, pages = self.inside, self.operation, self.lists, self.pages
        key, value, flies = self.key, self.value, self.flies
        ready, hit, op = inside("startup.ready"), inside("hit"), self.op
        committed, before = inside("committed"), operation.before
        slots = range(inside.h.config.slots)
        entry = data.View(operation.look(key).shape(), inside.named(
            operation.look(key).as_value(), "key_entry"))
        pointer, page = entry.target.pointer, page_of(entry.target)
        flight = inside.named(flies & committed & before & operation.changes, "item_in_flight")
        replaced = flight & (op == PUT)
        claim(~ready | (entry.valid == Mux(flight, hit, self.stored)), "it is in the index")
        claim(~flight | (self.stored == (op != DEL)), "it is stored")

        item = data.View(lists.items[0].shape(), inside.named(
            lists.at(lists.items, pointer), "key_item"))
        waits = inside.named(entry.valid & lists.at(lists.listed, pointer) & (item.key == key),
                             "item_waits")
        claim(~ready | ~waits | replaced | (item.value == value), "the item that waits")
        there, merged, copies = [], [], []
        for slot in slots:
            each = data.View(item.shape(), inside.named(Array(
                [one[slot].as_value() for _, one in pages.all])[page], f"key_slot{slot}"))
            used = Array([one[slot] for one, _ in pages.all])[page]
            there.append(inside.named(entry.valid & used & (each.key == key),
                                      f"item_in_slot{slot}"))
            claim(~ready | ~there[slot] | replaced | (each.value == value), "the item in a page")
        claim(~ready | one_at_most(there), "the item is in one slot")
        for half in range(2):
            here = []
            for slot in slots:
                hand = pages.hand[half][slot]
                holds = before & (hand.key == key)
                copies.append(holds & (pages.kept[half] | pages.taken[half])[slot])
                here.append(holds & pages.taken[half][slot])
                claim(~here[slot] | (hand.value == value), "the item that is merged")
            gone = before & ~lists.spliced[half] & lists.at(lists.popped[half], pointer)
            claim(~gone | ~waits | (hit & (inside("key") == key)) | any_of(here),
                  "an item that leaves its list is merged")
            merged.append(any_of(here) & lists.spliced[half]
                          & (operation.pages[half] == page))
        claim(one_at_most(copies), "the item is in one slot of pages in hand")
        claim(~ready | ~entry.valid | flight | waits | any_of(there) | any_of(merged),
              "the item is not lost")

        # what the operation gives
        register = inside("value")
        early = flies & ~committed
        claim(~flies | (op != PUT) | (register == self.put), "the value to put")
        claim(~flies | (op == PUT) | hit | ~register.any(), "nothing was found")
        claim(~early | ~hit | (op == PUT) | ~inside("buffer.in_page") | (register == value),
              "the value in the page")
        claim(~early | ~hit | (op == PUT) | ~waits
              | (inside("step") < inside.h.config.trusted_latency + 3) | (register == value),
              "the value that waited")
        claim(~flight | (op == DEL) | (register == value), "the value to keep")
        claim(~(flies & inside("judged") & before) | ~inside("lost"), "the item is found")
        claim(~ready | inside("busy") | (total(
            [lists.listed[at] & (lists.items[at].key == key) for at in lists.entries]
            + [used[slot] & (one[slot].key == key) for used, one in pages.all
               for slot in slots]) == self.stored),
              "between operations there is one item while the key is stored, else none")


def tracked_item(h: Harness) -> None:
    """An arbitrary key's item, through the pending buffer, pages in hand and the host's pages."""
    inside, claim = Inside(h), h.require
    index = MappedIndex(inside)
    paces(inside, claim)
    schedule = Schedule(inside, claim)
    operation = MappedOperation(inside, index, schedule, claim)
    lists = Lists(inside, operation)
    lists_whole(lists, claim)
    Walk(lists, claim)
    items_indexed(lists, claim)
    own_once(lists, claim)
    pages = Pages(inside, schedule, Records(inside, schedule, claim))
    contents(pages, claim)
    departures(pages, merging(pages, arrivals(pages, claim), claim), claim)
    answers(pages, claim)
    slots_indexed(pages, lists, claim)
    TrackedItem(inside, operation, lists, pages, claim)
