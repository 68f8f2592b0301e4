"""Properties of the history buffer over several passes: a tracked row, and refusals."""

from __future__ import annotations

from amaranth.hdl import C, Mux, Signal, Value

from pimlico.hdl.common.component import fields
from pimlico.hdl.common.ports import Stream
from pimlico.hdl.common.properties import Harness

from .config import BUSY, CAPACITY, CODE_BITS, EMPTY, LAYER, LAYER_BITS, SEQUENCE
from .shadow import PassShadow, Place


def tracked_row(h: Harness) -> None:
    """One beat of one row of one sequence, each an arbitrary constant."""
    m, core, config, inside = h.m, h.dut.component, h.config, h.dut.inside
    now = PassShadow(h)
    bits = config.beat_bits
    place = Place(config, h.constant(config.row_bits + 1, "tracked_row"),
                  h.constant(len(now.entering.beat), "tracked_beat"))
    sequence = h.constant(config.sequence_bits, "tracked_sequence")
    h.assume((place.row < config.tokens) & (place.beat < config.beats)
             & (sequence < config.sequences))
    mine = now.active & (inside("passes.of") == sequence)
    here = mine & now.enter & (now.entering.row == place.row)
    streamed, hole = inside("walk.beat")[0], inside("walk.beat")[1]

    payload: Value = core.fresh.payload[:bits]
    if config.append:
        payload = Mux(now.new_row, core.append.payload[:bits], payload)
    stored = Signal(bits, name="tracked_data")
    known = Signal(name="tracked_known")
    executed = Signal(name="tracked_executed")
    with m.If(here & streamed & (now.entering.beat == place.beat)):
        m.d.sync += stored.eq(payload)
    with m.If(here):
        m.d.sync += executed.eq(now.executed)
        with m.If(now.executed):
            m.d.sync += known.eq(now.entering.ends & ~hole)
    start = fields(config.port("start"), core.start.payload)
    with m.If(inside("passes.accept") & (start["layer"] == 0) & (start["sequence"] == sequence)):
        m.d.sync += known.eq(0)

    port = config.port("kv")
    out_fresh, out_hole = (core.kv.payload[port.offset(name)] for name in ("fresh", "hole"))
    out = mine & core.kv.valid & (now.leaving == place)
    data = core.kv.payload[:bits]
    h.require(~(out & ~out_hole) | (data == stored), "the beat as it was streamed last")
    h.require(~(out & ~out_hole & ~out_fresh) | known, "a held row was streamed in this pass")
    h.require(~(out & out_hole) | (data == 0), "zeros")
    h.require(~(out & out_hole & ~executed) | ~known, "a row that was streamed is no hole")


def refusal(h: Harness) -> None:
    """The rules, applied to what is offered; a buffer of one sequence."""
    m, core, config, inside = h.m, h.dut.component, h.config, h.dut.inside
    now = PassShadow(h)
    idle = ~now.active | core.done.valid & core.done.ready
    start = fields(config.port("start"), core.start.payload)
    append = start.get("append", C(0, 1))
    forget = core.reset.payload
    layer = Signal(LAYER_BITS, name="pass_layer")
    following = Signal(LAYER_BITS, name="layer_that_follows")
    h.require(~now.active | (inside("passes.layer") == layer), "the pass's layer")
    h.require(~now.active | (inside("passes.of") == 0), "the one sequence")
    h.require(inside("passes.next_layer") == following, "the layer that follows")

    rows = start["n_tokens"] + append
    rules = [(~idle, BUSY), (start["sequence"] != 0, SEQUENCE),
             ((start["layer"] != 0) & (start["layer"] != following), LAYER), (rows == 0, EMPTY)]
    if config.overflow == "reject":
        rules.append((rows > config.tokens, CAPACITY))
    start_code = _first(rules)
    reset_code = _first([(forget != 0, SEQUENCE), (~idle, BUSY)])
    resets, starts = core.reset.valid, core.start.valid & ~core.reset.valid
    with m.If(h.past(now.enter & now.final)):
        m.d.sync += following.eq(layer + 1)
    with m.If(resets & (reset_code == 0)):
        m.d.sync += following.eq(0)
    accept = starts & (start_code == 0)
    with m.If(accept):
        m.d.sync += layer.eq(start["layer"])

    h.require(core.reset.ready, "a reset is taken at once")
    h.require(core.start.ready == ~core.reset.valid, "a start is taken at once, after a reset")
    h.require(inside("passes.accept") == accept, "a start that keeps the rules begins a pass")
    expected = Signal(CODE_BITS, name="expected_code")
    m.d.comb += expected.eq(Mux(resets, reset_code, Mux(starts, start_code, 0)))
    h.require(inside("passes.refused") == h.past(expected), "the code of the first broken rule")


def _first(rules: list[tuple[Value, int]]) -> Value:
    code: Value = C(0, CODE_BITS)
    for broken, number in reversed(rules):
        code = Mux(broken, number, code)
    return code


def refusal_unseen(h: Harness) -> None:
    """A twin that never sees what the buffer refuses."""
    core, config = h.dut.component, h.config
    right = ~h.dut.inside("passes.broken").any()
    masked = {"start.valid": core.start.valid & ~core.reset.valid & right,
              "reset.valid": core.reset.valid & right}
    twin = h.place("twin", {**h.dut.inputs, **masked})
    for port in config.ports:
        if port.name in ("start", "reset") or not isinstance(port, Stream):
            continue
        ours, theirs = getattr(core, port.name), getattr(twin.component, port.name)
        if port.direction == "in":
            h.require(ours.ready == theirs.ready, f"{port.name} is taken alike")
            continue
        h.require(ours.valid == theirs.valid, f"{port.name} is offered alike")
        h.require(~ours.valid | (ours.payload == theirs.payload), f"{port.name} carries the same")
