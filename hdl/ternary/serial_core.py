"""The ternary LUT GEMM core with a serial build: activations stay while all rows pass."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import connect, flipped

from pimlico.hdl.common.component import BlockComponent
from pimlico.hdl.common.parts import place

from .beat import beat_layout
from .config import TernaryConfig
from .output import Output
from .partial_sums import PartialSums
from .serial_column import SerialColumn
from .serial_copies import Copies
from .serial_sequencer import ColumnTiles, RowTiles
from .serial_table import SerialTable
from .serial_walk import Walk
from .status import Status
from .weights import Weights


def stage_layout(config: TernaryConfig) -> data.StructLayout:
    """A beat from the fetch to the partial sum, and the number of its row tile."""
    return data.StructLayout({
        "beat": beat_layout(config), "number": range(max(2, config.row_tiles))})


class SerialTernaryGemm(BlockComponent):
    """``y = W x`` (+ addend), W in {-1, 0, +1}, activation-stationary, tables built serially.

    A job of n columns and m rows is a pass over T = ceil(m / K) row tiles for each of its column
    tiles. A column tile is one `a` beat; each of its T `w` beats is fetched from its tables,
    reduced, and added to the sum of the row tile, which a memory keeps. The first column tile
    takes an `addend` beat for each row tile, the last gives the results.

    **Build.** An activation beat is taken in cycle 0, its tables are made in cycles 1 to B,
    B = `config.build_cycles`, an entry a cycle, and first fetched from in cycle B + 1. There
    are two copies. `a` is ready when a job runs, nothing is being built or the last entry is
    stored in this cycle, and one copy is free or leaves in this cycle with its last fetch. So
    with T >= B a weight beat is fetched in every cycle, between jobs as well; with T < B a
    column tile takes B cycles, T of them with weights.

    **Stages.** Fetch and reduce, `pipeline` more of the reduction, partial sum, accumulate;
    unless ``out = raw`` two more to scale and round. They move together, unless the partial sum
    awaits the addend, or is a result while the one before is not taken: then the fetch waits
    too. `w` is ready when there is a table to fetch from and the stages can move (or, where
    weights are decoded first, when the decode register is empty or hands on). From the `cfg`
    handshake to a job's last result it takes, unstalled, ``config.job_beats + config.latency``
    cycles if T >= max(B, 2).

    **Memory of sums.** A row tile's sum is read when the beat of its next column tile enters the
    partial sum stage, and written when the beat before it leaves that stage: the same edge, if
    T = 1 and the beats are next to each other. Therefore, with T = 1, no fetch follows in the
    cycle after one whose column tile is not the job's last. Nothing else can meet: with T > 1
    neighbouring beats are of different row tiles, and a job's first column tile reads nothing.

    Parameters
    ----------
    config : TernaryConfig
        Its ``ports`` give the streams and their fields.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config

        def part(name, component):
            m.submodules[name] = place(platform, component)
            return component

        sequencer = part("sequencer", ColumnTiles(config))
        weights = part("weights", Weights(config))
        output = part("results", Output(config))
        status = part("status_code", Status())
        connect(m, flipped(self.cfg), sequencer.cfg)
        connect(m, flipped(self.w), weights.w)
        connect(m, output.o, flipped(self.o))

        take = Signal()  # an activation beat enters the builders
        fetch = Signal()  # keys and the entries they select leave for the reduction
        advance = Signal()  # fetch and reduction stages may move
        step = Signal()  # a partial sum is accumulated

        copies = part("copies", Copies())
        walk = part("walk", Walk(config))
        rows = part("rows", RowTiles(config))
        a_port = config.port("a")
        framed = Cat(sequencer.beat.first, sequencer.beat.last)
        m.d.comb += [
            self.a.ready.eq(sequencer.busy & copies.ready),
            take.eq(self.a.valid & self.a.ready),
            sequencer.take.eq(take),
            copies.load.eq(take),
            copies.last.eq(walk.last),
            copies.leave.eq(fetch & rows.last),
            walk.go.eq(copies.build),
            status.bad_frame.eq(take & (self.a.payload[a_port.offset("first"):] != framed)),
        ]
        tiles, sizes = [], []
        for copy in range(2):
            tile = Signal(beat_layout(config), name=f"tile_{copy}", reset_less=True)
            size = Signal(config.m_bits, name=f"size_{copy}", reset_less=True)
            with m.If(take & (copies.target == copy)):
                m.d.sync += [tile.eq(sequencer.beat), size.eq(sequencer.m)]
            tiles.append(tile)
            sizes.append(size)
        values = self._tables(m, part, sequencer.mask, take, copies, walk, weights.keys)

        settling = Signal()  # the one row tile's sum is not in the memory yet
        fetched = Signal(beat_layout(config))
        m.d.comb += [
            rows.m.eq(Mux(copies.use, sizes[1], sizes[0])),
            rows.take.eq(fetch),
            weights.take.eq(copies.built & advance & ~settling),
            fetch.eq(weights.take & weights.valid),
            fetched.eq(Mux(copies.use, tiles[1], tiles[0])),
            fetched.rows.eq(rows.rows),
            fetched.job_last.eq(rows.last),
        ]
        with m.If(advance):
            m.d.sync += settling.eq(fetch & rows.first & rows.last & ~fetched.last)

        stage = Signal(stage_layout(config))
        m.d.comb += [stage.beat.eq(fetched), stage.number.eq(rows.number)]
        stage_full: Value = fetch
        for position in range(config.pipeline + 1):
            name = "partial" if position == config.pipeline else f"reduce_{position}"
            entering, before = stage_full, stage
            stage_full = Signal(name=f"{name}_full")
            stage = Signal(before.shape(), name=f"{name}_stage", reset_less=True)
            with m.If(advance):
                m.d.sync += [stage_full.eq(entering), stage.eq(before)]
        partial = stage.beat

        acc_full = Signal()
        acc_beat = Signal(beat_layout(config), reset_less=True)
        room = Signal()
        finish = Signal()
        m.d.comb += [room.eq(~partial.last | ~acc_full | output.ready),
                     finish.eq(step & partial.last),
                     advance.eq(~stage_full | step)]
        if config.addend:
            m.d.comb += [self.addend.ready.eq(stage_full & partial.first & room),
                         step.eq(stage_full & room & (~partial.first | self.addend.valid))]
        else:
            m.d.comb += step.eq(stage_full & room)
        with m.If(finish):
            m.d.sync += [acc_full.eq(1), acc_beat.eq(partial)]
        with m.Elif(output.ready):
            m.d.sync += acc_full.eq(0)

        sums = part("sums", PartialSums(config))
        m.d.comb += [sums.advance.eq(advance), sums.wipe.eq(before.beat.first),
                     sums.number.eq(before.number), sums.stored.eq(stage.number),
                     sums.store.eq(step & ~partial.last)]
        totals, accumulators = [], []
        for lane in range(config.batch * config.keys):
            vector, row = divmod(lane, config.keys)
            before_lane = sums.sums.word_select(lane, config.acc_width).as_signed()
            if config.addend:
                addend = self.addend.payload.word_select(lane, config.addend_width).as_signed()
                before_lane = Mux(partial.first, addend, before_lane)
            column = part(f"column_{lane}", SerialColumn(config))
            keys = weights.keys.word_select(row, config.luts * config.key_bits)
            m.d.comb += [
                column.values.eq(Cat(*(
                    values[vector * config.luts + table].word_select(row, config.entry_width)
                    for table in range(config.luts)))),
                column.signs.eq(keys[config.key_bits - 1::config.key_bits]),
                column.before.eq(before_lane),
                column.advance.eq(advance),
                column.finish.eq(finish),
            ]
            totals.append(column.total)
            accumulators.append(column.acc)
        m.d.comb += [
            sums.data.eq(Cat(*totals)),
            output.accumulators.eq(Cat(*accumulators)),
            output.beat.eq(acc_beat),
            output.valid.eq(acc_full),
            status.refused.eq(Mux(self.cfg.valid & self.cfg.ready, sequencer.refused, 0)),
            status.bad_code.eq(weights.bad),
            status.clear.eq(self.status_clear),
            self.status.eq(status.status),
        ]
        return m

    def _tables(self, m: Module, part, mask: Value, take: Value, copies: Copies, walk: Walk,
                keys: Value) -> list[Value]:
        """The entries for the keys of each table of each vector."""
        config = self.config
        values = []
        for number in range(config.batch * config.luts):
            group = number % config.luts
            table = part(f"table_{number}", SerialTable(config))
            rows = range(group * config.key_bits, config.keys * config.luts * config.key_bits,
                         config.luts * config.key_bits)
            m.d.comb += [
                table.load.eq(take),
                table.mask.eq(mask.word_select(group, config.mu)),
                table.activations.eq(
                    self.a.payload.word_select(number, config.mu * config.act_bits)),
                table.build.eq(copies.build),
                table.digit.eq(walk.digit),
                table.subtract.eq(walk.subtract),
                table.entry.eq(walk.entry),
                table.fill.eq(copies.fill),
                table.use.eq(copies.use),
                table.indices.eq(Cat(*(keys[key:key + config.key_bits - 1] for key in rows))),
            ]
            values.append(table.values)
        return values
