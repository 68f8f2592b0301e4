"""What holds for the ternary core with a serial build beside what holds for both."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Mux, Signal, Value
from amaranth.lib import data

from pimlico.hdl.common.properties import Harness, Placed

from .config import TernaryConfig
from .serial_core import stage_layout
from .serial_table import groups
from .shadow import INDEX_BITS, JobCount, add

ROW_TILES = 4
"""Most row tiles of the core that control is proved for; more only make counters longer."""


def few_rows(config: TernaryConfig) -> TernaryConfig:
    """The same core with a memory of at most `ROW_TILES` partial sums."""
    return TernaryConfig(**{**config.model_dump(), "allow_exposed_build": True,
                            "m_max": min(config.m_max, ROW_TILES * config.keys)})


def no_beat_lost(h: Harness) -> None:
    """Beats that went in less those that came out are the ones inside, on every way."""
    core, config = h.dut.component, h.config
    inside = h.dut.inside
    job = JobCount(h, config)
    taken = h.count(job.take, INDEX_BITS, "activation_beats")
    left = h.count(inside("leave"), INDEX_BITS, "finished_passes")
    build, complete = inside("copies.build"), inside("copies.complete")
    h.require((taken - left)[:INDEX_BITS] == add([build, *complete]),
              "each activation beat is being built, or its tables are complete or done with")
    _take_turns(h)

    weights = h.count(core.w.valid & core.w.ready, INDEX_BITS, "weight_beats")
    fetched = h.count(inside("fetch"), INDEX_BITS, "fetched_beats")
    summed = h.count(inside("step"), INDEX_BITS, "accumulated_beats")
    waiting = inside("weights.valid") if config.decode_stage else C(0, 1)
    h.require((weights - fetched)[:INDEX_BITS] == add([waiting]),
              "each weight beat is decoded, or was fetched with")
    names = [*(f"reduce_{i}_full" for i in range(config.pipeline)), "partial_full"]
    h.require((fetched - summed)[:INDEX_BITS] == add([inside(name) for name in names]),
              "each beat that was fetched is in a stage, or was accumulated")

    finished = h.count(inside("finish"), INDEX_BITS, "finished_tiles")
    results = h.count(core.o.valid & core.o.ready, INDEX_BITS, "results")
    behind = ["acc_full"]
    if config.out != "raw":
        behind += ["results.scale_full", "results.result_full"]
    h.require((finished - results)[:INDEX_BITS] == add([inside(name) for name in behind]),
              "each finished row tile is in a stage, or its result was delivered")


def sums_apart(h: Harness) -> None:
    """The memory of sums never reads the word that it writes, where what it reads counts."""
    inside, config = h.dut.inside, h.config
    names = ["", *(f"reduce_{i}_" for i in range(config.pipeline)), "partial_"]
    full = [inside("fetch" if name == "" else f"{name}full") for name in names]
    stages = [data.View(stage_layout(config), inside(f"{name}stage")) for name in names]
    for position in range(len(names) - 1):
        younger, older = stages[position:position + 2]
        meet = (full[position] & full[position + 1] & ~younger.beat.first & ~older.beat.last
                & (younger.number == older.number))
        h.require(~meet, "neighbouring beats whose sums go on are of different row tiles")

    JobCount(h, config)
    newest, number = stages[1], inside("rows.number")
    _count_rows(h, number)
    following = Mux(newest.beat.job_last, 0, newest.number + 1)[:len(number)]
    h.require(~full[1] | (number == following), "the newest beat is of the row tile before")
    alone = full[1] & ~newest.beat.last & newest.beat.job_last & (newest.number == 0)
    h.require(inside("settling") == alone, "a single row tile's sum settles")


def _count_rows(h: Harness, number: Value) -> None:
    """Row tiles are counted within the job's rows."""
    _take_turns(h)
    inside, config = h.dut.inside, h.config
    complete, use = inside("copies.complete"), inside("copies.use")
    sizes = [inside(f"size_{copy}") for copy in range(2)]
    for copy, size in enumerate(sizes):
        used = complete[copy] | (inside("copies.build") & (inside("copies.fill") == copy))
        h.require(~used | ((size > 0) & (size <= config.m_max)), "a copy is for a job's rows")
    h.require(inside("rows.first") == (number == 0), "row tiles are counted from the first")
    left = Mux(use, sizes[1], sizes[0]) - number * config.keys
    counted = complete.bit_select(use, 1) & (left > 0) & (inside("rows.rows_left") == left)
    h.require(inside("rows.first") | counted, "rows are left for a row tile after the first")


def _take_turns(h: Harness) -> None:
    """The copies are built and used in turn."""
    build, complete, fill, use = (
        h.dut.inside(f"copies.{name}") for name in ("build", "complete", "fill", "use"))
    h.require(~complete.all() | ~build, "no more than two copies are in use")
    h.require((fill ^ use) == (complete.any() & ~complete.all()),
              "copies are used in the order in which they are built")
    h.require(~complete.any() | complete.bit_select(use, 1),
              "the copy that is used next is complete first")


def same_memories(h: Harness, twin: Placed) -> None:
    """What both cores' memories hold is the same, if it was at power-up."""
    begun = Signal(reset_less=True)
    h.m.d.sync += begun.eq(1)
    config: TernaryConfig = h.config  # type: ignore[assignment]
    paths = ["sums.words"]
    if config.table == "lutram":
        paths += [f"table_{table}.copies_{first}" for table in range(config.batch * config.luts)
                  for first, _ in groups(config.keys)]
    h.assume(begun | (h.dut.inside("sums.word") == twin.inside("sums.word")))
    for path in paths:
        mine, other = (Cat(*placed.words(path)) for placed in (h.dut, twin))
        same: Value = mine == other
        h.assume(begun | same)
        h.require(same, f"{path} is as if the refused cfg had never come")
