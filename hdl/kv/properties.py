"""Formal properties of the history buffer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from amaranth.asserts import AnySeq
from amaranth.hdl import C, Cat, Mux, Signal, Value
from amaranth.lib import data

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.properties import Harness, Property, stream_properties

from .config import KvConfig
from .shadow import PassShadow
from .tracked import refusal, refusal_unseen, tracked_row
from .walk import beat_layout


def properties(config: BlockConfig) -> list[Property]:
    """What holds for a history buffer, each with the configuration it is proved for."""
    assert isinstance(config, KvConfig)
    small = narrow(config)
    found = [
        *(replace(each, build=_tied(each.build)) if each.name.endswith("-holds") else each
          for each in stream_properties(small)),
        Property("order",
                 "a pass gives rows * beats beats, each once and in order under any stalls, with "
                 "its part of the row, and last on the last; then one done",
                 small, _order, depth=5),
        Property("fresh-beats",
                 "a pass whose burst is long enough takes popcount * beats of it, and done "
                 "counts rows and bytes as the mask has them",
                 small, _fresh_beats, depth=5),
        Property("rate",
                 "a beat enters in every cycle of a pass that has its mask bit and its streamed "
                 "beat on offer and room at the output, but for one after a hole of a single beat",
                 small, _rate, depth=5),
        Property("holes-are-zeros", "a beat flagged as a hole carries zeros", small, _holes,
                 depth=5),
    ]
    alone = KvConfig(**{**small.model_dump(), "sequences": 1})
    found += [
        Property("refusal",
                 "a start or a reset is refused if it breaks a rule, with the code of the first",
                 alone, refusal, depth=5),
        Property("refusal-unseen",
                 "but for the status, a refused start or reset changes no output, then or later",
                 small, refusal_unseen, depth=10, induction=False, inputs=_thin(small)),
    ]
    if not config.quant_bits:
        found += [
            Property("writes",
                     "the memory is written with a beat that is streamed in that cycle, at the "
                     "place of its row, and so with none of a row whose mask bit is 0",
                     small, _writes, depth=5),
            Property("reads",
                     "a held beat has the address of its row's place, and nothing is written "
                     "then", small, _reads, depth=12),
            Property("streamed-data", "a beat flagged as fresh carries what was streamed", small,
                     _streamed, depth=10),
            Property("tracked-row",
                     "an arbitrary beat of an arbitrary row of a sequence comes out as it was last "
                     "streamed in this pass over the layers, and as a hole only if it was not",
                     _two_rows(small), tracked_row, depth=14, induction=False,
                     inputs=_thin(small)),
        ]
    return found


def _two_rows(config: KvConfig) -> KvConfig:
    """The same with two rows, so that two passes fit into the cycles that are searched."""
    return KvConfig(**{**config.model_dump(), "tokens": 2})


def narrow(config: KvConfig) -> KvConfig:
    """A buffer of the same make with few rows, short beats, and one, two or three a row."""
    beats = 1 if config.beats == 1 else 2 if config.beats % 2 == 0 else 3
    elements = 8 if beats == 1 else 4
    width = 2 * config.quant_bits or 4
    return KvConfig(**{
        **config.model_dump(), "elem_width": width, "beat_elems": elements,
        "row_elems": beats * elements, "tokens": 4, "sequences": min(2, config.sequences),
        "banks": min(2, config.banks), "on_chip_bits": None})


def _thin(config: KvConfig) -> dict[str, Callable[[], Value]]:
    """Streams of which one bit of data is free, beside the flags: the others do the same."""
    streams = ["fresh", *(["append"] if config.append else [])]
    return {f"{name}.payload": lambda: Cat(AnySeq(1), C(0, config.beat_bits - 1), AnySeq(1))
            for name in streams}


def _tied(build: Callable[[Harness], None]) -> Callable[[Harness], None]:
    """The same with the invariants of a pass, without which a solver begins anywhere."""
    def tied(h: Harness) -> None:
        PassShadow(h)
        build(h)
    return tied


def _order(h: Harness) -> None:
    now = PassShadow(h)
    core = h.dut.component
    now.check_flags(h, "kv", core.kv.valid, _flags(h), now.leaving)
    h.require(~core.kv.valid | (now.active & (now.leaving.row < now.rows)),
              "no beat beyond the pass's rows")
    h.require(~core.done.valid | ((now.leaving.row == now.rows) & (now.leaving.beat == 0)),
              "done comes when all beats have left")
    h.require(~(core.mask.valid & core.mask.ready)
              | (now.busy & (now.entering.beat == 0) & ~now.new_row),
              "a mask bit is taken with the first beat of its row")


def _flags(h: Harness) -> Signal:
    """The flags of the payload of kv, in the form of a stage's."""
    config, core = h.config, h.dut.component
    port = config.port("kv")
    flags = Signal(beat_layout(config), name="kv_flags")
    payload = core.kv.payload
    h.m.d.comb += [
        flags.fresh.eq(payload[port.offset("fresh")]), flags.hole.eq(payload[port.offset("hole")]),
        flags.part.eq(payload[port.offset("part"):][:2]), flags.last.eq(payload[-1]),
        flags.ends.eq(data.View(beat_layout(config), h.dut.inside("output_beat")).ends)]
    return flags.as_value()


def _rate(h: Harness) -> None:
    now = PassShadow(h)
    core, config = h.dut.component, h.config
    room = ~core.kv.valid | core.kv.ready | ~now.memory_full
    offered: Value = core.mask.valid | (now.entering.beat > 0)
    streamed: Value = core.fresh.valid
    if config.append:
        offered = Mux(now.new_row, core.append.valid | (now.entering.beat > 0), offered)
        streamed = Mux(now.new_row, core.append.valid, streamed)
    free = now.busy & room & ~h.dut.inside("burst.dropping")
    if config.quant_bits:
        free &= h.dut.inside("begun")
    if not config.bypass and config.beats > 1:
        free &= ~h.dut.inside("alone")
    h.require(~(free & offered & (streamed | ~now.executed)) | now.enter, "a beat enters")
    h.require(~(now.memory_full & (~core.kv.valid | core.kv.ready)) | now.move,
              "the beat in the memory stage moves on")


def _fresh_beats(h: Harness) -> None:
    m, core, config = h.m, h.dut.component, h.config
    now, inside = PassShadow(h), h.dut.inside
    bits = config.row_bits + 2 + config.beats.bit_length()
    accept = inside("passes.accept")
    taken, wanted = Signal(bits, name="taken_beats"), Signal(bits, name="wanted_beats")
    whole, held = Signal(bits, name="whole_rows"), Signal(bits, name="held_rows")
    masks = Signal(config.row_bits + 1, name="mask_bytes")
    short = Signal(name="burst_was_short")
    from_fresh = now.enter & now.executed & ~now.new_row
    take = core.fresh.valid & core.fresh.ready & ~inside("burst.dropping")
    first = now.entering.beat == 0
    hole = inside("walk.beat")[1]
    with m.If(from_fresh & first):
        m.d.sync += wanted.eq(wanted + config.beats)
    with m.If(from_fresh & ~take):
        m.d.sync += short.eq(1)
    with m.If(take):
        m.d.sync += taken.eq(taken + 1)
    with m.If(now.enter & now.entering.ends & ~hole):
        m.d.sync += [whole.eq(whole + (now.executed & ~now.new_row)),
                     held.eq(held + ~now.executed)]
    with m.If(core.mask.valid & core.mask.ready & (now.entering.row[:3] == 0)):
        m.d.sync += masks.eq(masks + 1)
    with m.If(accept):
        m.d.sync += [register.eq(0) for register in (taken, wanted, whole, held, masks, short)]

    h.require(~take | from_fresh, "a beat is taken for a row that is executed")
    rest = Mux(now.busy & (now.entering.beat > 0) & now.executed & ~now.new_row,
               config.beats - now.entering.beat, 0)
    h.require(~now.active | short | ((taken + rest)[:bits] == wanted),
              "beats taken: B for each mask bit")
    h.require(~now.active | (whole + held <= now.entering.row), "a row counts once")
    h.require(~(now.active & short) | ~now.busy | inside("burst.over"),
              "a burst is short when it has ended")
    streaming = inside("walk.wanted")
    h.require(~(now.busy & (now.entering.beat > 0)) | now.new_row | short
              | (streaming == now.executed), "the walk knows a streamed row")
    pending = [inside(f"account.{name}") for name in ("fresh_row", "held_row", "mask_byte")]
    counted = [inside(f"account.{name}") for name in ("fresh_rows", "held_rows")]
    for number, count, event in zip((whole, held), counted, pending, strict=False):
        h.require(~now.active | (count + event == number), "rows are counted")
    h.require(~core.done.valid | (counted[0] == whole), "done.fresh_rows")
    h.require(~core.done.valid | (counted[1] == held), "done.held_rows")
    total = inside("account.offchip_bytes")
    h.require(~now.active | (total + Mux(pending[0], config.row_bytes, 0) + pending[2]
                             == whole * config.row_bytes + masks), "bytes are counted")
    h.require(~now.active | (masks == (Mux(now.busy, now.entering.row + (now.entering.beat > 0),
                                           now.rows)
                                       - (now.appends & ((now.entering.row > now.n_tokens)
                                          | ((now.entering.row == now.n_tokens)
                                             & (now.entering.beat > 0)))) + 7) >> 3),
              "the mask counts as whole bytes")


def _writes(h: Harness) -> None:
    now = PassShadow(h)
    core, config, inside = h.dut.component, h.config, h.dut.inside
    streamed: Value = core.fresh.valid & core.fresh.ready & ~inside("burst.dropping")
    payload: Value = core.fresh.payload[:config.beat_bits]
    if config.append:
        streamed = Mux(now.new_row, core.append.valid & core.append.ready, streamed)
        payload = Mux(now.new_row, core.append.payload[:config.beat_bits], payload)
    _tie_address(h, now)
    for number in range(config.banks):
        bank = f"rows.bank_{number}"
        writes, offset = inside(f"{bank}.store__en"), inside(f"{bank}.store__addr")
        written = inside(f"{bank}.store__data")
        h.require(~writes | (now.enter & streamed & now.executed),
                  "a write has a streamed beat of an executed row")
        h.require(~writes | (offset * config.banks + number == _word(h, now)),
                  "a write is in its place")
        h.require(~writes | (written == payload), "what is written is what is streamed")
        h.require(~writes | ~now.tail, "a row past the end is not written")


def _reads(h: Harness) -> None:
    now = PassShadow(h)
    config, inside = h.config, h.dut.inside
    _tie_address(h, now)
    held = now.enter & ~inside("walk.beat")[0] & ~inside("walk.beat")[1]
    for number in range(config.banks):
        bank = f"rows.bank_{number}"
        h.require(~(held & (_word(h, now) % config.banks == number))
                  | (~inside(f"{bank}.store__en")
                     & (inside(f"{bank}.store__addr") * config.banks + number == _word(h, now))),
                  f"bank {number} has the beat's address")


def _word(h: Harness, now: PassShadow) -> Value:
    """The number of the beat that enters among those of all rows of all sequences."""
    config = h.config
    return (h.dut.inside("passes.of") * config.tokens + now.entering.row) * config.beats \
        + now.entering.beat


def _tie_address(h: Harness, now: PassShadow) -> None:
    """The address follows the walk."""
    config, inside = h.config, h.dut.inside
    h.require(~now.active | (inside("passes.of") < config.sequences), "a known sequence")
    if config.aligned:
        if config.sequences > 1:
            h.require(~now.active | (inside("address.current") == inside("passes.of")),
                      "the address's sequence")
        return
    bank = inside("address.bank")
    h.require(bank < config.banks, "a bank")
    h.require(~now.busy | now.tail
              | (inside("address.offset") * config.banks + bank == _word(h, now)), "the address")


def _holes(h: Harness) -> None:
    now = PassShadow(h)
    core, config, inside = h.dut.component, h.config, h.dut.inside
    hole = core.kv.payload[config.port("kv").offset("hole")]
    bits = config.beat_bits
    h.require(~(core.kv.valid & hole) | (core.kv.payload[:bits] == 0), "zeros")
    if config.bypass or config.beats == 1:
        return
    beat = data.View(beat_layout(config), inside("memory_beat"))
    alone, hollow = inside("alone"), inside("walk.hollow")
    h.require(~alone | now.memory_full, "a single hole is in the memory stage")
    h.require(~now.memory_full | (alone | hollow) | ~beat.hole | (_read(h) == 0),
              "the last beat of a hole is zeros already")
    h.require(~now.memory_full | (hollow == (beat.hole & ~beat.ends)), "a hole that goes on")
    h.require(now.memory_full | ~hollow, "no hole goes on in an empty stage")
    h.require(~alone | (beat.hole & beat.ends), "a single hole ends its row")


def _read(h: Harness) -> Value:
    """What the memory stage has read."""
    if h.config.banks > 1:
        return h.dut.inside("rows.read")
    return h.dut.inside("rows.bank_0.word")


def _streamed(h: Harness) -> None:
    m, core, config, inside = h.m, h.dut.component, h.config, h.dut.inside
    now = PassShadow(h)
    bits = config.beat_bits
    payload: Value = core.fresh.payload[:bits]
    if config.append:
        payload = Mux(now.new_row, core.append.payload[:bits], payload)
    in_memory = Signal(bits, name="streamed_in_memory", reset_less=True)
    in_output = Signal(bits, name="streamed_in_output", reset_less=True)
    with m.If(now.move):
        m.d.sync += in_output.eq(in_memory)
    with m.If(now.enter):
        m.d.sync += in_memory.eq(payload)
    beat = data.View(beat_layout(config), inside("memory_beat"))
    fresh = core.kv.payload[config.port("kv").offset("fresh")]
    held = inside("rows.beside") if config.bypass else _read(h)
    h.require(~(now.memory_full & beat.fresh) | ~beat.hole, "a streamed beat is no hole")
    h.require(~(now.memory_full & beat.fresh) | (held == in_memory), "the memory stage has it")
    if config.bypass:
        h.require(~now.memory_full | (inside("rows.streamed") == beat.fresh), "where it is")
    elif config.beats > 1:
        h.require(~now.memory_full | ~beat.fresh | ~(inside("alone") | inside("walk.hollow")),
                  "a streamed beat is not wiped")
    h.require(~(core.kv.valid & fresh) | (core.kv.payload[:bits] == in_output), "kv carries it")
