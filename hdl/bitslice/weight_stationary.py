"""The weight-stationary core: a tile of weights in, activations through."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import connect, flipped

from pimlico.hdl.common.component import BlockComponent, fields

from .activations import Activations
from .addend import Addend
from .config import BitsliceConfig
from .delays import delays
from .deskew import Deskew
from .operand import Operand
from .positions import Positions
from .queue import Queue
from .recode import Recode, element_digits
from .status import Status
from .weights import Weights
from .ws_columns import WsColumns
from .ws_sequencer import WsSequencer
from .ws_zero_points import WsZeroPoints


class WeightStationary(BlockComponent):
    """``C = A·B`` with a tile of B in the PEs: rows of A pass, each giving a row of C.

    Stages: operands held; edge registers; PEs, skewed; carries resolved; slices merged;
    deskewed; start values added; queued. Nothing after the issue ever stalls. The weights of
    the next tile load while this one's are used.

    Parameters
    ----------
    config : BitsliceConfig
        Its ``ports`` give the streams and their fields.
    """

    config: BitsliceConfig

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.sequencer = sequencer = WsSequencer(config)
        m.submodules.status_code = status = Status()
        m.submodules.columns = columns = WsColumns(config)
        m.submodules.activations = activations = Activations(config)
        connect(m, flipped(self.cfg), sequencer.cfg)
        job = sequencer.job
        loads = Signal()
        m.d.comb += loads.eq(sequencer.load.any())
        reads: dict[str, Value] = {"a": C(1, 1), "w": job.reads_w if config.nested else C(1, 1)}
        if config.nested:
            reads["w_low"] = job.reads_low
        if config.preload:
            reads["d"] = job.preload
        operands = {}
        there: dict[bool, list[Value]] = {False: [], True: []}
        for name, read in reads.items():
            m.submodules[f"operand_{name}"] = operand = Operand(len(getattr(self, name).payload))
            connect(m, flipped(getattr(self, name)), operand.i)
            weight = name.startswith("w")
            wanted = sequencer.weights_wanted if weight else sequencer.activations_wanted
            m.d.comb += [operand.wanted.eq(wanted & read),
                         operand.take.eq(loads if weight else sequencer.done)]
            there[weight].append(operand.full | ~read)
            operands[name] = operand
        beat = fields(config.port("a"), operands["a"].held)
        load = Signal(config.rows)
        swap = Signal()
        m.d.sync += [load.eq(sequencer.load), swap.eq(sequencer.swap)]
        m.d.comb += [
            sequencer.weights_held.eq(Cat(*there[True]).all()),
            sequencer.activations_held.eq(Cat(*there[False]).all()),
            activations.job.eq(job), activations.data.eq(beat["data"]),
            columns.digits.eq(self._weights(m, job, loads, operands)),
            columns.load.eq(load), columns.swap.eq(swap), columns.cases.eq(job.cases),
            status.refused.eq(sequencer.refused),
            status.bad_frame.eq(sequencer.done & (beat["last"] != sequencer.tile_last)),
            status.clear.eq(self.status_clear), self.status.eq(status.status),
        ]
        place = self._place(m, sequencer)
        m.d.comb += columns.a.eq(self._rows(activations.a, config.shape.a_bits, place))
        results: Value = columns.results
        if config.zero_points:
            m.submodules.zero_points = zero = WsZeroPoints(config)
            m.d.comb += [
                zero.sums.eq(self._rows(activations.sums, config.zero_shape.a_bits, place)),
                zero.job.eq(job), zero.go.eq(loads), zero.load.eq(load), zero.swap.eq(swap),
                zero.results.eq(results)]
            results = zero.corrected
        self._results(m, sequencer, results, operands)
        return m

    def _weights(self, m: Module, job: Value, loads: Value,
                 operands: dict[str, Operand]) -> Value:
        """The digits of a row of weights, in the cycle after they are issued."""
        config = self.config
        if not config.timed:
            m.submodules.weights = weights = Weights(config, config.shape, config.columns)
            m.d.comb += [weights.job.eq(job), weights.go.eq(loads)]
            for name in set(operands) & {"w", "w_low"}:
                m.d.comb += getattr(weights, name).eq(operands[name].held)
            return weights.digits
        lanes = config.columns * config.k_lanes
        lines = {}
        for name in sorted(set(operands) & {"w", "w_low"}):
            recode = Recode(config, lanes, name == "w_low")
            m.submodules[f"recode_{name}"] = recode
            m.d.comb += [recode.data.eq(operands[name].held), recode.job.eq(job)]
            lines[name] = recode.lines
        digits = [digit for lane in range(lanes) for digit in element_digits(
            config, lane, lines["w"], lines.get("w_low"), job)]
        edge = Signal(sum(map(len, digits)), name="weights_edge", reset_less=True)
        m.d.sync += edge.eq(Cat(*digits))
        return edge

    def _place(self, m: Module, sequencer: WsSequencer) -> Value:
        """The position of the digit in use, with the activations at the array's edge."""
        config = self.config
        if not config.shape.position_bits:
            m.d.comb += sequencer.final.eq(1)
            return C(0, 0)
        m.submodules.positions = positions = Positions(config)
        place = Signal(len(positions.position), reset_less=True)
        m.d.sync += place.eq(positions.position)
        m.d.comb += [positions.job.eq(sequencer.job), positions.go.eq(sequencer.go),
                     sequencer.final.eq(positions.final)]
        return place

    def _rows(self, words: Value, bits: int, place: Value) -> Value:
        return Cat(*(Cat(words.word_select(row, bits), place) for row in range(self.config.rows)))

    def _results(self, m: Module, sequencer: WsSequencer, results: Value,
                 operands: dict[str, Operand]) -> None:
        config = self.config
        m.submodules.deskew = deskew = Deskew(config)
        m.submodules.queue = queue = Queue(config.port("o").width, config.fifo_depth)
        leaves = delays(m, sequencer.done, config.drain_delay + 1, "leaves", True)
        flags = delays(m, Cat(sequencer.row, sequencer.job_last), config.drain_delay + 1,
                       "flags")[config.drain_delay]
        m.d.comb += deskew.results.eq(results)
        results = deskew.aligned
        if config.shape.position_bits:
            results = self._sum_digits(m, sequencer, results)
        if config.preload:
            m.submodules.addend = addend = Addend(config)
            m.d.comb += [addend.put.eq(sequencer.done), addend.values.eq(operands["d"].held),
                         addend.used.eq(sequencer.job.preload),
                         addend.i_valid.eq(leaves[config.drain_delay - config.sum_stages]),
                         addend.results.eq(results)]
            results = addend.totals
        if len(results) < config.results * config.result_width:
            wide = Signal(config.results * config.result_width, name="wide_results")
            for number in range(config.results):
                m.d.comb += wide.word_select(number, config.result_width).eq(
                    results.word_select(number, config.aligned_width).as_signed())
            results = wide
        m.d.comb += [queue.put.eq(leaves[config.drain_delay]),
                     queue.word.eq(Cat(results, flags)),
                     sequencer.left.eq(queue.o.valid & queue.o.ready)]
        connect(m, queue.o, flipped(self.o))

    def _sum_digits(self, m: Module, sequencer: WsSequencer, results: Value) -> Value:
        """The sums of what the digits of the weights give one after another."""
        config = self.config
        first = Signal()
        m.d.comb += first.eq(m.submodules.positions.first)
        due = config.drain_delay - 1 - config.sum_stages * config.preload
        went = delays(m, sequencer.go, due + 1, "went", True)[due]
        begins = delays(m, first, due + 1, "begins")[due]
        totals = Signal(config.results * config.result_width, reset_less=True)
        words = [(Mux(begins, 0, totals.word_select(number, config.result_width))
                  + results.word_select(number, config.aligned_width).as_signed())[
                      :config.result_width]
                 for number in range(config.results)]
        with m.If(went):
            m.d.sync += totals.eq(Cat(*words))
        return totals
