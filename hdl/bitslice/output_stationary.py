"""The output-stationary core: operands in, tiles of results out."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import connect, flipped

from pimlico.hdl.common.component import BlockComponent, fields

from .activations import Activations
from .columns import Columns
from .config import BitsliceConfig
from .delays import delays
from .deskew import Deskew
from .job import zero_of_a
from .operand import Operand
from .queue import Queue
from .recode import Recode
from .sequencer import Sequencer
from .start import Start
from .status import Status
from .steps import DigitCount, Steps
from .weights import Weights
from .zero_points import ZeroPoints


class OutputStationary(BlockComponent):
    """``C = A·B``, a tile of results in the PEs, operands streaming by.

    Stages: operands held; digits issued into the edge registers; PEs, skewed; buses; carries
    resolved; slices merged; deskewed; start values added; queued. Nothing after the issue ever
    stalls: digits are issued when their results are sure of a place in the queue, and in idle
    cycles the PEs take digits of zero.

    Parameters
    ----------
    config : BitsliceConfig
        Its ``ports`` give the streams and their fields.
    """

    config: BitsliceConfig

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.sequencer = sequencer = Sequencer(config)
        m.submodules.status_code = status = Status()
        m.submodules.columns = columns = Columns(config, config.shape, config.columns)
        m.submodules.activations = activations = Activations(config)
        connect(m, flipped(self.cfg), sequencer.cfg)
        job = sequencer.job

        operands = self._operands(m, sequencer)
        weights = Steps(config) if config.timed else Weights(
            config, config.shape, config.columns)
        m.submodules.weights = weights
        for name in ("w", "w_low"):
            if name in operands:
                m.d.comb += getattr(weights, name).eq(operands[name].held)
        a_port = config.port("a")
        beat = fields(a_port, operands["a"].held)
        m.d.comb += [
            weights.job.eq(job), weights.go.eq(sequencer.go),
            activations.job.eq(job), activations.data.eq(beat["data"]),
            columns.a.eq(activations.a), columns.digits.eq(weights.digits),
            status.refused.eq(sequencer.refused),
            status.bad_frame.eq(sequencer.done & (beat["last"] != sequencer.tile_last)),
            status.clear.eq(self.status_clear), self.status.eq(status.status),
        ]
        if config.timed:
            m.d.comb += [weights.done.eq(sequencer.done), sequencer.final.eq(weights.final)]
            if config.shape.position_bits:
                m.d.comb += columns.position.eq(weights.position)
        else:
            m.d.comb += sequencer.final.eq(1)
        if config.arch == "skip":
            m.submodules.digit_count = count = DigitCount(config)
            m.d.comb += [
                columns.index.eq(weights.index), count.picked.eq(weights.picked),
                count.go.eq(sequencer.go), count.done.eq(sequencer.done),
                count.started.eq(sequencer.started), count.job.eq(job),
                self.issued.eq(count.issued), self.skipped.eq(count.skipped)]
        first = Signal()
        last = Signal()
        m.d.sync += [first.eq(sequencer.first), last.eq(sequencer.last)]
        m.d.comb += [columns.first.eq(first), columns.last.eq(last),
                     columns.cases.eq(sequencer.job.cases)]
        results = columns.results
        if config.zero_points:
            results = self._correct(m, sequencer, activations, weights, columns)
        self._results(m, sequencer, results)
        return m

    def _operands(self, m: Module, sequencer: Sequencer) -> dict[str, Operand]:
        """The streams' holding registers, of digits where these come one by one."""
        config, job = self.config, sequencer.job
        reads: dict[str, Value] = {"a": C(1, 1), "w": job.reads_w if config.nested else C(1, 1)}
        if config.nested:
            reads["w_low"] = job.reads_low
        operands = {}
        goes_on = Signal()
        m.d.comb += goes_on.eq(sequencer.busy & ~(sequencer.done & sequencer.job_last))
        for name, read in reads.items():
            source = flipped(getattr(self, name))
            if config.timed and name != "a":
                recode = Recode(config, config.cols * config.beat_k, name == "w_low")
                m.submodules[f"recode_{name}"] = recode
                operand = Operand(len(recode.lines))
                m.d.comb += [recode.data.eq(source.payload), recode.job.eq(job),
                             operand.i.payload.eq(recode.lines),
                             operand.i.valid.eq(source.valid), source.ready.eq(operand.i.ready)]
            else:
                operand = Operand(len(source.payload))
                connect(m, source, operand.i)
            m.submodules[f"operand_{name}"] = operands[name] = operand
            m.d.comb += [operand.wanted.eq(goes_on & read), operand.take.eq(sequencer.done)]
        there = [operands[name].full | ~read for name, read in reads.items()]
        m.d.comb += sequencer.operands.eq(Cat(*there).all())
        return operands

    def _correct(self, m: Module, sequencer: Sequencer, activations: Activations,
                 weights: Steps | Weights, columns: Columns) -> Value:
        m.submodules.zero_points = zero = ZeroPoints(self.config)
        m.d.comb += [zero.sums.eq(activations.sums), zero.job.eq(sequencer.job),
                     zero.first.eq(columns.first), zero.last.eq(columns.last),
                     zero.results.eq(columns.results),
                     columns.constant.eq(zero_of_a(m, self.config, sequencer.job))]
        if self.config.timed:
            m.d.comb += [weights.zero.eq(zero.lines), zero.digits.eq(weights.zero_digits)]
            if self.config.shape.position_bits:
                m.d.comb += zero.position.eq(weights.position[:len(zero.position)])
        else:
            m.d.comb += zero.go.eq(sequencer.go)
        return zero.corrected

    def _results(self, m: Module, sequencer: Sequencer, results: Value) -> None:
        config = self.config
        m.submodules.deskew = deskew = Deskew(config)
        m.submodules.start = start = Start(config)
        o_port = config.port("o")
        m.submodules.queue = queue = Queue(o_port.width, config.fifo_depth)
        leaves = Cat(sequencer.last, ~sequencer.tile_last, sequencer.job_last)
        arrived = delays(m, leaves, config.drain_delay - config.sum_stages + 1, "leaves",
                         True)[config.drain_delay - config.sum_stages]
        row, partial, job_last, valid = self._rows(m, arrived)
        flags = Cat(row, partial, job_last)
        m.d.comb += [
            deskew.results.eq(results),
            start.i_valid.eq(valid), start.row.eq(row), start.results.eq(deskew.aligned),
            start.started.eq(sequencer.started), start.busy.eq(sequencer.busy),
            start.job.eq(sequencer.job), sequencer.loaded.eq(start.loaded),
            queue.put.eq(start.o_valid),
            queue.word.eq(Cat(start.totals, delays(
                m, flags, config.sum_stages + 1, "flags")[config.sum_stages])),
            sequencer.left.eq(queue.o.valid & queue.o.ready),
        ]
        connect(m, queue.o, flipped(self.o))
        if config.preload:
            connect(m, flipped(self.d), start.d)

    def _rows(self, m: Module, arrived: Value) -> tuple[Value, Value, Value, Value]:
        """Counts the result beats of a tile from the one that arrives."""
        config = self.config
        row = Signal(config.row_bits)
        more = Signal()
        flags = Signal(2, reset_less=True)
        here = Signal(2)
        valid = Signal()
        m.d.comb += [valid.eq(arrived[0] | more), here.eq(flags)]
        with m.If(arrived[0]):
            m.d.sync += flags.eq(arrived[1:])
            m.d.comb += here.eq(arrived[1:])
        with m.If(valid):
            m.d.sync += [row.eq(row + 1), more.eq(1)]
            with m.If(row == config.bands - 1):
                m.d.sync += [row.eq(0), more.eq(0)]
        partial = Signal()
        job_last = Signal()
        m.d.comb += [partial.eq(here[0]), job_last.eq(here[1] & (row == config.bands - 1))]
        return row, partial, job_last, valid
