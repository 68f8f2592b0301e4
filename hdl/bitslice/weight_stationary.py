"""The weight-stationary core: a tile of weights in, activations through."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import connect, flipped

from pimlico.hdl.common.component import BlockComponent, fields

from .activations import Activations
from .addend import Addend
from .config import BitsliceConfig
from .delays import delays
from .deskew import Deskew
from .operand import Operand
from .queue import Queue
from .status import Status
from .weights import Weights
from .ws_columns import WsColumns
from .ws_sequencer import WsSequencer


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
        m.submodules.weights = weights = Weights(config, config.shape, config.columns)
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
                         operand.take.eq(loads if weight else sequencer.go)]
            there[weight].append(operand.full | ~read)
            operands[name] = operand
            if weight:
                m.d.comb += getattr(weights, name).eq(operand.held)
        beat = fields(config.port("a"), operands["a"].held)
        load = Signal(config.rows)
        swap = Signal()
        m.d.sync += [load.eq(sequencer.load), swap.eq(sequencer.swap)]
        m.d.comb += [
            sequencer.weights_held.eq(Cat(*there[True]).all()),
            sequencer.activations_held.eq(Cat(*there[False]).all()),
            weights.job.eq(job), weights.go.eq(loads),
            activations.job.eq(job), activations.data.eq(beat["data"]),
            columns.a.eq(activations.a), columns.digits.eq(weights.digits),
            columns.load.eq(load), columns.swap.eq(swap), columns.cases.eq(job.cases),
            status.refused.eq(sequencer.refused),
            status.bad_frame.eq(sequencer.go & (beat["last"] != sequencer.tile_last)),
            status.clear.eq(self.status_clear), self.status.eq(status.status),
        ]
        self._results(m, sequencer, columns, operands)
        return m

    def _results(self, m: Module, sequencer: WsSequencer, columns: WsColumns,
                 operands: dict[str, Operand]) -> None:
        config = self.config
        m.submodules.deskew = deskew = Deskew(config)
        m.submodules.queue = queue = Queue(config.port("o").width, config.fifo_depth)
        leaves = delays(m, sequencer.go, config.drain_delay + 1, "leaves", True)
        flags = delays(m, Cat(sequencer.row, sequencer.job_last), config.drain_delay + 1,
                       "flags")[config.drain_delay]
        m.d.comb += deskew.results.eq(columns.results)
        results: Value = deskew.aligned
        if config.preload:
            m.submodules.addend = addend = Addend(config)
            m.d.comb += [addend.put.eq(sequencer.go), addend.values.eq(operands["d"].held),
                         addend.used.eq(sequencer.job.preload),
                         addend.i_valid.eq(leaves[config.drain_delay - config.sum_stages]),
                         addend.results.eq(results)]
            results = addend.totals
        m.d.comb += [queue.put.eq(leaves[config.drain_delay]),
                     queue.word.eq(Cat(results, flags)),
                     sequencer.left.eq(queue.o.valid & queue.o.ready)]
        connect(m, queue.o, flipped(self.o))
