"""Every draw of random numbers is revealed once, as the pair of the key that it was drawn for."""

from __future__ import annotations

from amaranth.hdl import Cat, Mux, Signal, Value

from pimlico.hdl.common.component import fields
from pimlico.hdl.common.properties import Harness

from .config import DEL, GET, NOP, PUT, OmapConfig
from .inside import Claim, Inside, given
from .operation import OperationInvariants
from .schedule import Schedule
from .tracked_index import IndexInvariants, TrackedEntry


class TrackedPair:
    """The pair of an arbitrary key, followed from the ports: commands, draws, commits.

    Attributes
    ----------
    key : Signal
    stored : Signal
        The key is in the map.
    launched : Value
        An operation on the key is launched.
    mine : Signal
        The operation that was launched last is on the key.
    op : Signal
        What it does.
    full : Signal
        It has no room.
    """

    def __init__(self, inside: Inside, index: IndexInvariants, schedule: Schedule, claim: Claim):
        h = inside.h
        m, config = h.m, h.config
        assert isinstance(config, OmapConfig)
        ports, inputs, outputs = h.dut.component, h.dut.inputs, h.dut.outputs
        self.key = key = h.constant(config.key_width, "tracked_key")
        entry = TrackedEntry(inside, index, key, given(h))

        # commands and draws, at the ports
        cmd = fields(config.port("cmd"), ports.cmd.payload)
        draw = fields(config.port("random"), ports.random.payload)
        asked_key = Signal(config.key_width, name="asked_key")
        asked_op = Signal(len(cmd["op"]), name="asked_op")
        with m.If(ports.cmd.valid & ports.cmd.ready):
            m.d.sync += [asked_key.eq(cmd["key"]), asked_op.eq(cmd["op"])]
        claim(~inside("lookup_full") | (Cat(inside("lookup_key"), inside("lookup_op"))
                                        == Cat(asked_key, asked_op)), "the command that waits")
        launch = inside.named(ports.random.valid & ports.random.ready & outputs["ready"],
                              "draw_taken")
        claim(launch == inside("launch"), "a draw is taken for a launch, or at init")
        op_now = inside.named(Mux(outputs["fatal"].any() & inputs["drain"], DEL, asked_op),
                              "asked_now")
        self.launched = mine_now = inside.named(launch & (asked_key == key) & (op_now != NOP),
                                                "tracked_launch")

        self.stored = stored = Signal(name="key_stored")
        pair = Signal(2 * config.half_bits, name="key_pair")
        spent = Signal(name="pair_revealed")
        spoiled = Signal(name="operation_aborted")
        self.mine = mine = Signal(name="operation_on_key")
        known = Signal(name="operation_pages_known")
        self.op = op = Signal(len(asked_op), name="operation_does")
        self.full = full = Signal(name="operation_has_no_room")
        pages = Signal(2 * config.half_bits, name="operation_pages")
        new = Signal(2 * config.half_bits, name="operation_new_pair")
        with m.If(launch):
            m.d.sync += [
                mine.eq(mine_now), known.eq(mine_now | (op_now == NOP)), op.eq(op_now),
                full.eq(~stored & (outputs["live"] == config.capacity)),
                pages.eq(Mux(mine_now & stored, pair, Cat(draw["miss_a"], draw["miss_b"]))),
                new.eq(Cat(draw["new_a"], draw["new_b"]))]
        with m.If(~index.use):
            m.d.sync += [stored.eq(0), spent.eq(0), spoiled.eq(0), mine.eq(0)]
        with m.Elif(mine_now & stored):
            m.d.sync += spent.eq(1)
        with m.Elif(inside("commit") & mine):
            with m.If(((op == PUT) & ~full) | ((op == GET) & stored)):
                m.d.sync += [stored.eq(1), pair.eq(new), spent.eq(0), spoiled.eq(0)]
            with m.Elif(op == DEL):
                m.d.sync += [stored.eq(0), spent.eq(0), spoiled.eq(0)]
        with m.Elif(inside("abort") & mine):
            m.d.sync += spoiled.eq(1)

        # what is shown
        claim(~mine_now | ~stored | ~spent | spoiled,
              "a pair is revealed once, unless its operation is aborted")
        request = ports.req.payload
        upper = request[config.half_bits]
        claim(~ports.req.valid | ~known
              | (request[:config.half_bits] == Mux(upper, pages[config.half_bits:],
                                                   pages[:config.half_bits])),
              "the pages of an operation are the key's pair, or the draw's pages for a miss")

        # what ties it to the registers
        busy, committed, aborted = inside("busy"), inside("committed"), inside("aborted")
        hit, places = inside("hit"), inside("places")
        claim(~known | (Cat(inside("page_a"), inside("page_b")) == pages), "the pages")
        claim(~busy | (inside("op") == op), "what the operation does")
        claim(~busy | (Cat(inside("new_a"), inside("new_b")) == new), "the next pair")
        claim(~busy | (((inside("key") == key) & (op != NOP)) == mine), "whose operation")
        flies = inside.named(busy & mine, "operation_flies")
        has = inside.named(entry.stored, "index_stored")
        before = flies & ~committed
        claim(~before | (hit == stored), "a hit")
        claim(~before | ~hit | (pair == pages), "its pair is in hand")
        claim(~flies | (places == (((op == PUT) & ~full) | ((op == GET) & hit))), "it places")
        claim(~flies | hit | ~full | (op != PUT) | ~places, "no room")
        claim(~flies | ~hit | ~full, "room for what is there")
        changes = inside.named(flies & (places | hit), "operation_changes")
        old: Value = ~flies | ~changes
        same = inside.named((has == stored) & (~stored | (_pair(entry, config) == pair)),
                            "index_agrees")
        after = inside.named((has == (op != DEL)) & (~has | (_pair(entry, config) == new)),
                             "index_is_ahead")
        behind = inside.named((has == hit) & (stored == (op != DEL)) & (~stored | (pair == new))
                              & (~has | (_pair(entry, config) == pages)), "index_is_behind")
        claim(~index.use | ~old | same, "the index has the pair")
        claim(~changes | ~schedule.own | committed | same, "nothing is changed")
        claim(~changes | ~schedule.updated | committed | after, "the index is changed first")
        claim(~changes | ~schedule.own | ~committed | behind, "the index is changed last")
        claim(~changes | schedule.own | ~committed | same, "both are changed")
        claim(~changes | ~aborted | same, "an abort changes nothing")
        claim(~spent | ~index.use | (before & ~aborted) | spoiled,
              "a pair that was revealed is replaced")
        claim(~spent | stored, "the pair of a key that is there")
        claim(index.use | ~(stored | spent | mine) | ~inside("startup.ready"), "an empty map")


def _pair(entry: TrackedEntry, config: OmapConfig) -> Value:
    return entry.target[:2 * config.half_bits]


def revealed_once(h: Harness) -> None:
    """An arbitrary key, and the draws of the operations on it."""
    inside = Inside(h)
    index = IndexInvariants(inside, given(h))
    OperationInvariants(inside, h.require)
    schedule = Schedule(inside, given(h))
    TrackedPair(inside, index, schedule, h.require)
