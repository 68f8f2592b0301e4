"""Where jobs are taken in."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .delays import delays
from .job import Decode, job_layout
from .split_sum import SplitSum


class Desk(Component):
    """Takes cfg beats and judges them: a job begins, or is refused, two cycles later.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    cfg : stream
    idle : In(1)
        Nothing is on its way: a job may be taken.
    started : Out(1)
        A job begins,
    job : Out
        with these parameters, which stay.
    refused : Out(4)
        Code of a job that is refused in this cycle.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        super().__init__({
            "cfg": In(stream.Signature(config.port("cfg").width)), "idle": In(1),
            "started": Out(1), "job": Out(job_layout(config)), "refused": Out(4)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.decode = decode = Decode(config)
        asked = Signal()
        judged = Signal()
        payload = Signal(len(self.cfg.payload), reset_less=True)
        job = Signal.like(self.job, reset_less=True)
        length = Signal(config.length_bits, reset_less=True)
        code = Signal(4, reset_less=True)
        m.d.comb += [
            self.cfg.ready.eq(self.idle & ~asked & ~judged),
            decode.cfg.eq(payload), self.job.eq(job),
            self.started.eq(judged & (code == 0)),
            self.refused.eq(code & judged.replicate(4)),
        ]
        m.d.sync += [asked.eq(self.cfg.valid & self.cfg.ready), judged.eq(asked)]
        with m.If(self.cfg.valid & self.cfg.ready):
            m.d.sync += payload.eq(self.cfg.payload)
        with m.If(asked):
            m.d.sync += [job.eq(decode.job), length.eq(decode.length), code.eq(decode.code)]
        if config.dataflow == "os":
            self._keep_room(m, decode, length)
        return m

    def _keep_room(self, m: Module, decode: Decode, length: Value) -> None:
        """How many products can be added to the results of the job that began last."""
        config = self.config
        kept = Signal()
        room = Signal(config.length_bits, reset_less=True)
        m.submodules.less = less = SplitSum(config.length_bits, 2)
        m.d.comb += [decode.kept.eq(kept), decode.room.eq(room), less.y.eq(~length),
                     less.carry.eq(1), less.x.eq(Mux(self.job.keep, room, config.max_k))]
        with m.If(self.started):
            m.d.sync += kept.eq(1)
        with m.If(delays(m, self.started, 3, "started", True)[2]):
            m.d.sync += room.eq(less.total)
