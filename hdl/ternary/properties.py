"""Formal properties of the ternary core: counts, jobs, latency, refusals."""

from __future__ import annotations

from contextlib import suppress

from amaranth.hdl import C, Cat, Mux, ResetSignal, Signal, Value

from pimlico.hdl.common.config import BlockConfig, ConfigError
from pimlico.hdl.common.properties import Harness, Property, stream_properties

from .codes import decode_property
from .config import TAG_BITS, TernaryConfig
from .exact import exact_property
from .reduced import on_integers
from .serial_properties import few_rows, no_beat_lost, same_memories, sums_apart
from .shadow import INDEX_BITS, JobCount, Stages, add

STATUS_REGISTER = "status_code.status"

LANES = 128
"""Most read ports, keys by tables, of the core that control is proved for: more of the same
change no control, and take the solver long to read."""


def properties(config: BlockConfig) -> list[Property]:
    """What holds for a ternary core, each with the configuration it is proved for."""
    assert isinstance(config, TernaryConfig)
    given = config
    config = _narrow(config)
    if given.serial:
        return _serial(given, few_rows(config), few_rows(_one_table(config)))
    return [
        *stream_properties(config),
        Property("job-length",
                 "a job takes ceil(n / (L*mu)) * ceil(m / K) activation beats, of which the "
                 "last lets the next job in; outside of a job none is taken, and columns past n "
                 "are masked",
                 config, _job_length, depth=config.latency + 5),
        Property("results",
                 "an arbitrary row tile gives one result, in order, which has its job's tag, "
                 "keeps its rows below m, and is last if it is the job's last",
                 config, _results, depth=config.latency + 6),
        Property("no-beat-lost",
                 "each activation beat meets the weight beat of its number and is accumulated "
                 "once, in order, first to last of its tile; each tile takes one addend beat, if "
                 "any, and gives one result",
                 config, _no_beat_lost, depth=config.latency + 6),
        Property("latency",
                 f"under any stalls an arbitrary activation beat moves on in every cycle but "
                 f"those in which its weights or the addend are awaited or the output is stalled; "
                 f"unstalled, its tile's result is valid exactly {config.latency} cycles after "
                 f"it, and every cycle of a job takes a beat",
                 config, _latency, depth=config.latency + 6),
        Property("refusal",
                 "a cfg with n or m of 0, above its maximum, or not in whole blocks shows its "
                 "code, and else changes no register and no output",
                 config, _refusal, depth=6),
        decode_property(given),
        *([] if given.floating else [exact_property(given)]),
    ]


def _serial(given: TernaryConfig, config: TernaryConfig, few: TernaryConfig) -> list[Property]:
    return [
        *stream_properties(config),
        Property("job-length",
                 "a job takes ceil(n / (L*mu)) activation beats, of which the last lets the next "
                 "job in; outside of a job none is taken, and columns past n are masked",
                 config, _job_length, depth=8),
        Property("no-beat-lost",
                 "each activation beat is built into a copy of the tables and used up in order; "
                 "each weight beat is fetched with and accumulated once; each finished row tile "
                 "gives one result",
                 config, no_beat_lost, depth=8),
        Property("sums-apart",
                 "no partial sum that counts is read in the cycle that writes it",
                 config, sums_apart, depth=8),
        Property("refusal",
                 "a cfg with n or m of 0, above its maximum, or not in whole blocks shows its "
                 "code, and else changes no register, no memory and no output",
                 few, _refusal, depth=6),
        decode_property(few_rows(given)),
    ]


def _one_table(config: TernaryConfig) -> TernaryConfig:
    """The same with one table, or as few as its weights' format allows: all memories must be shown
    to stay."""
    for luts in range(1, config.luts):
        with suppress(ConfigError):
            return TernaryConfig(**{**config.model_dump(), "luts": luts, "keys": 1, "batch": 1})
    return TernaryConfig(**{**config.model_dump(), "keys": 1, "batch": 1})


def _narrow(config: TernaryConfig) -> TernaryConfig:
    """The same but for fewer rows, where there are more than `LANES` read ports, and for
    integers in the place of floating values."""
    keys = max(1, min(config.keys, LANES // (config.batch * config.luts)))
    if config.floating or config.out == "fp32_scaled":
        return on_integers(config, keys=keys)
    return TernaryConfig(**{**config.model_dump(), "keys": keys})


def _job_length(h: Harness) -> None:
    job = JobCount(h, h.config)
    core = h.dut.component
    h.require(~core.a.ready | job.active, "activations are taken in jobs only")
    h.require(core.cfg.ready == (~job.active | job.finish),
              "a job is taken when none runs, or with the last beat of the one before")
    mask = h.dut.inside("sequencer.mask")
    h.require(~job.active | (mask == job.used), "activations in columns without weights are masked")


def _results(h: Harness) -> None:
    m, core, config = h.m, h.dut.component, h.config
    job, stages = JobCount(h, config), Stages(h.dut, config)
    tiles, results = _count_tiles(h, job, stages)
    watched = h.constant(INDEX_BITS, "watched_number")
    told = Cat(job.job_last, job.rows, job.fields["tag"])
    stored = Signal(len(told), name="watched_tile")
    with m.If(job.take & job.last & (tiles == watched)):
        m.d.sync += stored.eq(told)

    every = stages.beats + stages.tiles
    for position, (full, beat) in enumerate(every):
        number = (results + stages.tiles_from(position + 1))[:INDEX_BITS]
        h.require(~(full & beat.last & (number == watched))
                  | (Cat(beat.job_last, beat.rows, beat.tag) == stored),
                  f"stage {position} has what belongs to its tile")
    for full, beat in stages.tiles:
        h.require(~full | beat.last, "a tile is complete when it leaves the accumulators")

    h.require(~core.o.valid | (tiles != results), "no result without a tile")
    port = config.port("o")
    keep, tag, last = (core.o.payload[port.offset(each.name):][:each.bits]
                       for each in port.fields[1:])
    job_last, rows, tag_stored = stored[0], stored[1:-TAG_BITS], stored[-TAG_BITS:]
    due = core.o.valid & (results == watched)
    h.require(~due | (last == job_last), "o.last: on the job's last tile")
    h.require(~due | (tag == tag_stored), "o.tag: the job's")
    h.require(~due | (keep == Cat(*(row < rows for row in range(config.keys)))),
              "o.keep: the rows of the tile below m")


def _count_tiles(h: Harness, job: JobCount, stages: Stages) -> tuple[Signal, Signal]:
    """Row tiles whose last beat was taken, and results delivered."""
    o = h.dut.component.o
    tiles = h.count(job.take & job.last, INDEX_BITS, "tiles")
    results = h.count(o.valid & o.ready, INDEX_BITS, "results")
    h.require((tiles - results)[:INDEX_BITS] == stages.tiles_from(0),
              "each tile taken is in a stage, or its result was delivered")
    return tiles, results


def _no_beat_lost(h: Harness) -> None:
    m, core, config = h.m, h.dut.component, h.config
    job, stages = JobCount(h, config), Stages(h.dut, config)
    taken = h.count(job.take, INDEX_BITS, "activation_beats")
    weights = h.count(core.w.valid & core.w.ready, INDEX_BITS, "weight_beats")
    summed = h.count(stages.step, INDEX_BITS, "accumulated_beats")
    results = h.count(core.o.valid & core.o.ready, INDEX_BITS, "results")
    waiting = h.dut.inside("weights.valid") if config.decode_stage else C(0, 1)

    flags = [full for full, _ in stages.beats]
    h.require((taken - summed)[:INDEX_BITS] == add(flags),
              "a beat taken and not yet accumulated is in a stage")
    ahead = (weights - taken)[:INDEX_BITS]
    h.require(ahead == (add([waiting]) - flags[0])[:INDEX_BITS],
              "weight beats keep up with activation beats")
    met = (taken - 1)[:INDEX_BITS]
    offered = (weights - 1)[:INDEX_BITS] if config.decode_stage else weights
    h.require(~stages.fetch | (offered == met),
              "an activation beat meets the weights of its number")
    h.require(~stages.fetch | (flags[0] & (waiting if config.decode_stage else core.w.valid)),
              "a fetch has activations and weights")
    h.require(~stages.step | flags[-1], "nothing is accumulated without a beat")

    open_tile = Signal(name="open_tile")
    with m.If(stages.step):
        m.d.sync += open_tile.eq(~stages.beats[-1][1].last)
    first: Value = ~open_tile
    for full, beat in reversed(stages.beats):
        h.require(~full | (beat.first == first), "beats are accumulated first to last of a tile")
        first = Mux(full, beat.last, first)
    h.require(first == (~job.active | (job.beats == 0)), "a tile begins with the job or after one")
    h.require(~(open_tile & stages.tiles[0][0]), "a tile's result is taken before the next begins")
    done = h.count(stages.step & stages.beats[-1][1].last, INDEX_BITS, "finished_tiles")
    kept = add([full for full, _ in stages.tiles])
    h.require((done - results)[:INDEX_BITS] == kept, "each finished tile gives one result")
    if config.addend:
        addends = h.count(core.addend.valid & core.addend.ready, INDEX_BITS, "addend_beats")
        h.require((addends - results)[:INDEX_BITS] == (kept + open_tile)[:INDEX_BITS],
                  "each tile takes one addend beat")


def _latency(h: Harness) -> None:
    job, stages = JobCount(h, h.config), Stages(h.dut, h.config)
    _follow_beat(h, job, stages)
    _count_unstalled(h, job)


def _follow_beat(h: Harness, job: JobCount, stages: Stages) -> None:
    """A token goes with one activation beat, of an arbitrary number, and moves when it may."""
    m, core, config = h.m, h.dut.component, h.config
    taken = h.count(job.take, INDEX_BITS, "activation_beats")
    tiles, results = _count_tiles(h, job, stages)
    watched = h.constant(INDEX_BITS, "watched_beat")
    every = stages.beats + stages.tiles
    last_stage, partial = len(every) - 1, len(stages.beats) - 1
    token = Signal(len(every), name="token")
    ends = Signal(name="token_ends_tile")
    tile = Signal(INDEX_BITS, name="token_tile")
    enters: Value = job.take & (taken == watched) & ~token.any()
    with m.If(enters):
        m.d.sync += [ends.eq(job.last), tile.eq(tiles)]
    moves = [stages.fetch, *[stages.advance] * partial, *stages.leave]
    for position, move in enumerate(moves):
        m.d.sync += token[position].eq(enters | (token[position] & ~move))
        enters = token[position] & move
        if position == partial:
            h.require(~enters | stages.step, "a beat that leaves the reduction is accumulated")
            enters &= ends

    before: Value = C(0, INDEX_BITS)
    for position, (full, beat) in enumerate(every):
        here = token[position]
        h.require(~here | full, "the stage that the beat moved to is full")
        if position <= partial:
            number = (taken - 1 - before)[:INDEX_BITS]
            before = (before + full)[:INDEX_BITS]
            h.require(~here | ((number == watched) & (beat.last == ends)),
                      "the stage that the beat moved to has that beat")
        else:
            h.require(~here | ends, "only a finished tile goes to the output")
        number = (results + stages.tiles_from(position + 1))[:INDEX_BITS]
        h.require(~(here & ends) | (number == tile), "the beat's tile keeps its place")
        due = core.o.valid & (results == tile)
        h.require(~(here & ends) | (due == (position == last_stage)),
                  "the result is valid when the beat has come through every stage")

    stalled = core.o.valid & ~core.o.ready
    if config.addend:
        stalled |= core.addend.ready & ~core.addend.valid
    unfed = h.past(~core.w.valid) if config.decode_stage else ~core.w.valid
    h.require(stages.advance | stalled, "the reduction waits for the output or the addend only")
    h.require(~token[0] | stages.fetch | ~stages.advance | unfed,
              "the table waits for the weights or the reduction only")
    for here, move in zip(token[partial + 1:], stages.leave, strict=True):
        h.require(~here | move | stalled, "a finished tile waits for the output only")


def _count_unstalled(h: Harness, job: JobCount) -> None:
    """After as many cycles without a stall as the latency, all that moves is in step."""
    m, core, config = h.m, h.dut.component, h.config
    flows = core.w.valid & core.o.ready
    if config.addend:
        flows &= core.addend.valid
    # Weights that come late hold back a beat for a cycle more where they are decoded first.
    flowing = Signal(config.latency + config.decode_stage, name="flowing")
    ended = Signal(config.latency, name="tiles_ended")
    m.d.sync += [flowing.eq(Cat(flows, flowing)), ended.eq(Cat(job.take & job.last, ended))]
    h.require(~(flowing[:config.latency].all() & ended[-1]) | core.o.valid,
              "unstalled, a result is valid the latency after its tile's last beat")
    h.require(~flowing.all() | (core.o.valid == ended[-1]),
              "unstalled, a result is valid only the latency after its tile's last beat")
    h.require(~(flowing.all() & flows) | (core.a.ready == job.active),
              "unstalled, every cycle of a job takes a beat")


def _refusal(h: Harness) -> None:
    core, config = h.dut.component, h.config
    job = JobCount(h, config)
    inputs = {path: signal for path, signal in h.dut.inputs.items()}
    inputs["cfg.valid"] = core.cfg.valid & job.legal
    twin = h.place("twin", inputs)
    for (path, mine), (_, other) in zip(h.dut.registers(), twin.registers(), strict=True):
        if path != STATUS_REGISTER:
            h.require(mine == other, f"{path} is as if the refused cfg had never come")
    if config.serial:
        same_memories(h, twin)
    for path, mine in h.dut.outputs.items():
        if path != "status":
            h.require(mine == twin.outputs[path], f"{path} is as if the refused cfg had not come")

    refused = core.cfg.valid & core.cfg.ready & ~job.legal
    open_ = (core.status == 0) | core.status_clear
    alive = ~ResetSignal()
    h.require(~h.past(alive & refused & open_) | (core.status == h.past(job.code)),
              "status shows the code of the refusal")
    h.require(~h.past(alive & ~refused & open_) | (core.status == 0) | (core.status > 5),
              "status shows a refusal only after one")
    h.require(~h.past(alive & ~open_) | (core.status == h.past(core.status)),
              "status keeps the first error until it is cleared")
