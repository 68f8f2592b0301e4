"""The ternary LUT GEMM core: streams, stages and their handshakes."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import connect, flipped

from pimlico.hdl.common.component import BlockComponent
from pimlico.hdl.common.parts import place

from .beat import beat_layout
from .column import Column
from .config import TernaryConfig
from .float_column import FloatColumn
from .float_table import FloatTable
from .output import Output
from .sequencer import Sequencer
from .status import Status
from .table import Table
from .weights import Weights


class TernaryGemm(BlockComponent):
    """``y = W x`` (+ addend), W in {-1, 0, +1}, output-stationary, one tile of weights a beat.

    A batch is several x, each with tables and columns of its own, that share W.

    Stages, each one cycle: table (sums of activations), fetch and reduce, `pipeline` more of
    the reduction, accumulate; with ``out = int8_requant`` product and rounding too. The
    accumulators are the output registers: a finished tile waits in them, and the first beat of
    the next replaces it in the cycle in which it is taken. A stalled output holds the whole
    pipeline; ``valid`` never depends on ``ready`` of the same stream.

    Latency ``config.latency`` from an activation beat to its result, initiation interval one
    beat, no bubble between row tiles or jobs.

    Parameters
    ----------
    config : TernaryConfig
        Its ``ports`` give the streams and their fields.
    """

    config: TernaryConfig

    def table(self) -> Table:
        """The table stage of a group of columns."""
        return (FloatTable if self.config.floating else Table)(self.config)

    def column(self) -> Column:
        """Fetch, reduction and accumulation of a row."""
        return (FloatColumn if self.config.floating else Column)(self.config)

    def elaborate(self, platform):
        m = Module()
        config = self.config
        beat = beat_layout(config)

        def part(name, component):
            m.submodules[name] = place(platform, component)
            return component

        sequencer = part("sequencer", Sequencer(config))
        weights = part("weights", Weights(config))
        output = part("results", Output(config))
        status = part("status_code", Status())
        connect(m, flipped(self.cfg), sequencer.cfg)
        connect(m, flipped(self.w), weights.w)
        connect(m, output.o, flipped(self.o))

        take = Signal()  # an activation beat enters the table stage
        fetch = Signal()  # a table and its keys leave for the reduction
        advance = Signal()  # fetch and reduction stages may move
        step = Signal()  # a partial sum enters the accumulator

        a_port = config.port("a")
        a_first, a_last = self.a.payload[a_port.offset("first")], self.a.payload[-1]
        table_full = Signal()
        table_beat = Signal(beat, reset_less=True)
        m.d.comb += [
            self.a.ready.eq(sequencer.busy & (~table_full | fetch)),
            take.eq(self.a.valid & self.a.ready),
            sequencer.take.eq(take),
        ]
        with m.If(take):
            m.d.sync += [table_full.eq(1), table_beat.eq(sequencer.beat)]
        with m.Elif(fetch):
            m.d.sync += table_full.eq(0)
        entries = []
        for number in range(config.batch * config.luts):
            vector, group = divmod(number, config.luts)
            table = part(_numbered("table", config, vector, group), self.table())
            slots = range(group * config.mu, (group + 1) * config.mu)
            m.d.comb += [table.load.eq(take), table.activations.eq(Cat(*(
                self.a.payload.word_select(vector * config.columns + slot, config.act_bits)
                & sequencer.mask[slot].replicate(config.act_bits) for slot in slots)))]
            entries.append(table.entries)

        m.d.comb += [
            weights.take.eq(table_full & advance),
            fetch.eq(table_full & advance & weights.valid),
        ]
        stage_full, stage_beat = fetch, table_beat
        for stage in range(config.pipeline + 1):
            name = "partial" if stage == config.pipeline else f"reduce_{stage}"
            full = Signal(name=f"{name}_full")
            held = Signal(beat, name=f"{name}_beat", reset_less=True)
            with m.If(advance):
                m.d.sync += [full.eq(stage_full), held.eq(stage_beat)]
            stage_full, stage_beat = full, held

        acc_full = Signal()
        acc_beat = Signal(beat, reset_less=True)
        acc_free = Signal()
        m.d.comb += acc_free.eq(~acc_full | output.ready)
        if config.addend:
            m.d.comb += [
                self.addend.ready.eq(stage_full & stage_beat.first & acc_free),
                step.eq(stage_full & acc_free & (~stage_beat.first | self.addend.valid)),
            ]
        else:
            m.d.comb += step.eq(stage_full & acc_free)
        m.d.comb += advance.eq(~stage_full | step)
        with m.If(step):
            m.d.sync += [acc_full.eq(stage_beat.last), acc_beat.eq(stage_beat)]
        with m.Elif(output.ready):
            m.d.sync += acc_full.eq(0)

        accumulators = []
        for number in range(config.batch * config.keys):
            vector, row = divmod(number, config.keys)
            column = part(_numbered("column", config, vector, row), self.column())
            m.d.comb += [
                column.entries.eq(
                    Cat(*entries[vector * config.luts:(vector + 1) * config.luts])),
                column.keys.eq(weights.keys.word_select(row, config.luts * config.key_bits)),
                column.advance.eq(advance),
                column.step.eq(step),
                column.clear.eq(step & stage_beat.first),
            ]
            if config.addend:
                m.d.comb += column.addend.eq(
                    self.addend.payload.word_select(number, config.addend_width))
            accumulators.append(column.acc)
        m.d.comb += [
            output.accumulators.eq(Cat(*accumulators)),
            output.beat.eq(acc_beat),
            output.valid.eq(acc_full),
            status.refused.eq(Mux(self.cfg.valid & self.cfg.ready, sequencer.refused, 0)),
            status.bad_frame.eq(take & ((a_first != sequencer.beat.first)
                                        | (a_last != sequencer.beat.last))),
            status.bad_code.eq(weights.bad),
            status.clear.eq(self.status_clear),
            self.status.eq(status.status),
        ]
        return m


def _numbered(name: str, config: TernaryConfig, vector: int, number: int) -> str:
    """The name of a part that each vector has some of."""
    return f"{name}_{number}" if config.batch == 1 else f"{name}_{vector}_{number}"
