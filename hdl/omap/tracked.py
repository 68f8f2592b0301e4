"""One arbitrary key of the OMAP controller, followed from put to get, with a host beside it."""

from __future__ import annotations

from amaranth.asserts import AnySeq
from amaranth.hdl import Array, C, Cat, Mux, Signal

from pimlico.hdl.common.component import fields
from pimlico.hdl.common.properties import Harness, Property

from .config import DEL, GET, NOP, OP_BITS, PUT, OmapConfig

CYCLES = 23
"""After init: two operations, and the response of the second."""


def one_key(config: OmapConfig) -> Property:
    """The property ``one-key``, at a host that answers at once."""
    rdata = Signal(config.beat_width + 1)
    rdata_valid = Signal()
    init = Signal()

    def build(h: Harness) -> None:
        h.m.d.comb += init.eq(~h.past(C(1)))
        _host(h, rdata, rdata_valid)
        _follow(h)

    # two bits of key and one of value are free: the others do the same
    cmd = config.port("cmd")
    thin = {"cmd.payload": lambda: Cat(
        AnySeq(OP_BITS + 2), C(0, config.key_width - 2), AnySeq(1), C(0, config.value_width - 1))}
    assert cmd.width == OP_BITS + config.tuple_width
    ones = {name: lambda: C(1) for name in ("req.ready", "wdata.ready", "rsp.ready",
                                            "random.valid")}
    return Property(
        "one-key",
        "of one arbitrary key among others, a get or del finds what was put last, if it was not "
        "deleted, and reads just the pair that was drawn when it was last put or got",
        config, build, depth=config.clear_words + CYCLES, induction=False,
        inputs={**ones, **thin, "rdata.payload": lambda: rdata, "rdata.valid": lambda: rdata_valid,
                "init": lambda: init, "drain": lambda: C(0)})


def _host(h: Harness, rdata: Signal, rdata_valid: Signal) -> None:
    """Host memory, which serves a request from the next cycle on."""
    config, m, outputs = h.config, h.m, h.dut.outputs
    rows = config.pages * config.beats
    memory = [Signal(config.beat_width, name=f"host{row}") for row in range(rows)]
    pages = [Signal(config.log2_pages, name=f"page{turn}") for turn in range(4)]
    turn = Signal(2, name="host_turn")
    with m.If(outputs["req.valid"]):
        m.d.sync += turn.eq(turn + 1)
        for number, page in enumerate(pages):
            with m.If(turn == number):
                m.d.sync += page.eq(outputs["req.payload"])
    place = Signal(range(2 * config.beats), name="read_place")
    asked = Signal(range(2 * config.beats + 1), name="asked")
    row = Mux(place < config.beats, place, place - config.beats)
    at = Signal(range(rows), name="read_at")
    m.d.comb += [
        at.eq(Mux(place < config.beats, pages[0], pages[1]) * config.beats + row),
        rdata_valid.eq(asked.any()),
        rdata.eq(Cat(Array(memory)[at], row == config.beats - 1))]
    takes = rdata_valid & outputs["rdata.ready"]
    m.d.sync += asked.eq(asked + Mux(outputs["req.valid"] & ~turn[1], config.beats, 0) - takes)
    with m.If(takes):
        m.d.sync += place.eq(Mux(place == 2 * config.beats - 1, 0, place + 1))
    written = Signal(range(2 * config.beats), name="write_place")
    write_row = Mux(written < config.beats, written, written - config.beats)
    into = Signal(range(rows), name="write_at")
    m.d.comb += into.eq(Mux(written < config.beats, pages[2], pages[3]) * config.beats
                        + write_row)
    with m.If(outputs["wdata.valid"]):
        m.d.sync += written.eq(Mux(written == 2 * config.beats - 1, 0, written + 1))
        for number, word in enumerate(memory):
            with m.If(into == number):
                m.d.sync += word.eq(outputs["wdata.payload"][:config.beat_width])


def _follow(h: Harness) -> None:
    """What is known of the key, checked at every launch and response."""
    config, m, inside = h.config, h.m, h.dut.inside
    h.assume(h.dut.outputs["fatal"] == 0)
    key = h.constant(config.key_width, "key")
    there = Signal(name="there")
    value = Signal(config.value_width, name="value")
    pair = Signal(2 * config.half_bits, name="pair")
    launch = inside("launch")
    op, asked = inside("op_now"), inside("lookup_key")
    ours = launch & (asked == key) & (op != NOP)
    drawn = h.dut.inputs["random.payload"]
    h.require(~ours | (inside("hit_now") == there), "the key is found if it is there")
    h.require(~(ours & there) | (Cat(inside("first"), inside("second")) == pair),
              "its pair is the one drawn last, used for the first time")
    puts = (op == PUT) & (there | (h.dut.outputs["live"] != config.capacity))
    with m.If(ours & (op == DEL)):
        m.d.sync += there.eq(0)
    with m.Elif(ours & puts):
        m.d.sync += [there.eq(1), value.eq(inside("lookup_value"))]
    with m.If(ours & (puts | (op == GET))):
        m.d.sync += pair.eq(drawn[2 * config.half_bits:])
    expected = Signal(1 + config.value_width, name="expected")
    due = Signal(name="due")
    rsp = fields(config.port("rsp"), h.dut.outputs["rsp.payload"])
    given = h.dut.outputs["rsp.valid"]
    with m.If(launch):
        m.d.sync += [due.eq(ours & (op != PUT)), expected.eq(Cat(there, Mux(there, value, 0)))]
    h.require(~(given & due) | (Cat(rsp["found"], rsp["value"]) == expected),
              "what was put last comes back")
