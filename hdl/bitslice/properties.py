"""Formal properties of the bit-sliced array: room, jobs, refusals, exact sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from amaranth.hdl import C, Signal

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.properties import Harness, Property, stream_properties

from .account import account, held_job
from .config import BitsliceConfig, Mode
from .exact import exact_pe
from .shape import PeShape
from .sums import exact_sums, sums_config, within_bounds


def properties(config: BlockConfig) -> list[Property]:
    """What holds for an array, each with the configuration it is proved for."""
    assert isinstance(config, BitsliceConfig)
    small = control_config(config)
    held, *others = stream_properties(small)

    def held_with_room(h: Harness) -> None:
        _room(h)
        held.build(h)

    arithmetic = []
    if (config.dataflow == "ws" and not config.timed) or config.arch == "mac":
        arithmetic.append(Property(
            "exact-sums",
            "what leaves a PE is what came by, activations times digits, and the bias"
            if config.dataflow == "ws" else
            "a PE holds the sum of activations times weights of the beats since the sum began",
            sums_config(config, 1), exact_sums, depth=2))
    if config.dataflow == "os" and not config.timed:
        arithmetic.append(Property(
            "no-overflow",
            "a sum has max_k products at most, and no sum of so many overflows its accumulator",
            sums_config(config, 4), within_bounds, depth=3))
    if not config.timed and not config.multiplier_bits:
        arithmetic += _w4_pes(config)
    return [
        Property(held.name, held.shows, small, held_with_room, depth=2),
        *others,
        Property("room",
                 "the queue of results has room for every result that comes, whatever o.ready "
                 "does, so that nothing before the queue need wait for it",
                 small, _room, depth=2),
        Property("job-length",
                 "a job takes length times tiles beats and ends with the last of them; outside "
                 "of a job no operand is taken",
                 small, _job_length, depth=2),
        Property("refusal",
                 "a job that is refused shows its code in one cycle and does not begin",
                 small, _refusal, depth=3),
        *arithmetic,
    ]


def control_config(config: BitsliceConfig) -> BitsliceConfig:
    """An array with the same control and few, narrow PEs."""
    nested = config.nested
    modes = (Mode(8, 4), Mode(4, 4)) if nested else (Mode(4, 4),)
    rows = 2 if config.drain_adders == 1 else 4
    return BitsliceConfig(**{
        **config.model_dump(exclude={"acc_width"}), "rows": rows, "cols": 2,
        "drain_adders": 1 if config.drain_adders == 1 else 2, "a_width": 4,
        "w_width": 8 if nested else 4, "modes": tuple(map(str, modes)), "k_lanes": 1, "group": 2,
        "max_k": 8, "dsp": "dsp48e2"})


def _w4_pes(config: BitsliceConfig) -> list[Property]:
    """Single PEs of the same digits and accumulators."""
    def stated(shape: PeShape) -> Callable[[Harness], None]:
        def build(h: Harness) -> None:
            h.m.submodules.exact = exact_pe(shape)
        return build

    small = sums_config(config, 1)
    alone = PeShape(8, 1, (2,), (12,), encoding=config.encoding, acc_form=config.acc_form)
    column = replace(alone, a_width=4, acc_widths=(8,), negation="column")
    found = [Property(
        "w4-pe",
        "a PE of 4-bit weights that keeps signs itself adds to accumulators in any state exactly "
        "the product of any activation of 8 bits and any weight",
        small, stated(alone), depth=1)]
    if config.dataflow == "os":
        found.append(Property(
            "w4-column",
            "so does one that leaves signs to its column, less what the column's reference holds, "
            "for activations of 4 bits",
            small, stated(column), depth=1))
    return found


def _room(h: Harness) -> None:
    """What is promised is in the queue or on its way, and fits."""
    config, inside = h.config, h.dut.inside
    level, promised = inside("queue.level"), inside("sequencer.promised")
    head, tail = inside("queue.head"), inside("queue.tail")
    depth = config.fifo_depth
    coming, puts = account(h)
    h.require(promised <= depth, "no more is promised than the queue holds")
    h.require(promised == level + coming, "what is promised waits in the queue or is on its way")
    h.require(~puts | (level < depth), "the queue has room for a result that comes")
    h.require((head < depth) & (tail < depth), "pointers stay inside the queue")
    from_head = Signal(len(level) + 1, name="from_head")
    h.m.d.comb += from_head.eq(tail - head)
    with h.m.If(tail < head):
        h.m.d.comb += from_head.eq(tail + C(depth, len(level)) - head)
    h.require((level == from_head) | ((from_head == 0) & (level == depth)),
              "the queue's level is the distance of its pointers")


def _job_length(h: Harness) -> None:
    m, config, inside = h.m, h.config, h.dut.inside
    passes = config.dataflow == "ws"
    busy, job = inside("sequencer.busy"), held_job(h)
    beats_left, tiles_left = inside("sequencer.beats_left"), inside("sequencer.tiles_left")
    for name in ("a", "w", "w_low", "d"):
        if f"{name}.ready" in h.dut.outputs:
            h.require(busy | ~h.dut.outputs[f"{name}.ready"], f"{name} is taken within a job only")
    done = inside("sequencer.done")
    beat = Signal(len(beats_left) + 1, name="beats_done")
    tile = Signal(len(tiles_left) + 1, name="tiles_done")
    tile_ends = done & (beat + 1 == job.beats)
    ends = tile_ends & (tile + 1 == job.tiles)
    with m.If(done):
        m.d.sync += beat.eq(beat + 1)
    with m.If(tile_ends):
        m.d.sync += [beat.eq(0), tile.eq(tile + 1)]
    with m.If(inside("sequencer.desk.started")):
        m.d.sync += [beat.eq(0), tile.eq(0)]
    running = inside("sequencer.passing") if passes else busy
    if passes:
        loading, loaded = inside("sequencer.loading"), inside("sequencer.loaded")
        unloaded = inside("sequencer.tiles_unloaded")
        h.require(busy | ~(loading | loaded), "weights are loaded for a job")
        h.require(~busy | (loading == (unloaded != 0)), "as long as it has tiles to load")
        h.require(~busy | (tiles_left == unloaded + loaded + running),
                  "each tile is to be loaded, loaded or in use")
    h.require(~done | running, "nothing is issued outside of a job")
    h.require(~running | busy, "a tile is of a job")
    h.require(~running | (beat + beats_left == job.beats), "beats done and left are the tile's")
    h.require(running | (beat == 0) | ~busy, "a tile begins with its first beat")
    h.require(~busy | (tile + tiles_left == job.tiles), "tiles done and left are the job's")
    h.require(~running | (beats_left != 0), "a tile has a beat left")
    h.require(~busy | ((tiles_left != 0) & (job.beats != 0)), "a job has a tile left")
    h.require(~h.past(ends) | ~busy, "a job ends with its last beat")
    h.require(~h.past(busy & ~ends) | busy, "and not before")
    code = inside("sequencer.desk.code")
    judged = inside("sequencer.desk.judged")
    h.require(~judged | (code != 0) | ((job.beats != 0) & (job.tiles != 0)),
              "a job of no beats is refused")
    h.require(~(judged | inside("sequencer.desk.asked")) | ~busy, "jobs are judged one by one")


def _refusal(h: Harness) -> None:
    inside = h.dut.inside
    busy, refused = inside("sequencer.busy"), inside("sequencer.refused")
    asked, judged = inside("sequencer.desk.asked"), inside("sequencer.desk.judged")
    h.require(~(asked | judged) | ~busy, "jobs are judged between jobs")
    h.require(~(asked & judged), "jobs are judged one by one")
    h.require(~h.past(refused != 0) | ~busy, "a refused job does not begin")
    h.require(~h.past(refused != 0) | (refused == 0), "its code shows once")
    h.require((refused == 0) | judged, "a code is of a job that was asked for")
