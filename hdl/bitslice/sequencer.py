"""Jobs, tiles and groups: when digits are issued, and what they begin and end."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .config import BitsliceConfig
from .desk import Desk
from .job import job_layout


class Sequencer(Component):
    """Counts the beats of a job; lets digits go as long as their results have a place.

    Only the digits that complete a sum wait: until the queue of results has room for a tile,
    until the rows of the tile before have left, and until the values to start from are there.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    cfg : stream
    busy : Out(1)
    job : Out
    operands : In(1)
        All operands of the beat are held.
    final : In(1)
        The digits on offer are the beat's last.
    loaded : In(1)
        The values that results start from are there.
    left : In(1)
        A result beat leaves the core.
    go, done : Out(1)
        Digits are issued; the beat is done with.
    first, last : Out(1)
        The digits issued begin a sum; complete it.
    tile_last, job_last : Out(1)
        The beat held is the last of its tile; of the job.
    started : Out(1)
        A job begins.
    refused : Out(4)
        Code of a job that is refused in this cycle.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        super().__init__({
            "cfg": In(stream.Signature(config.port("cfg").width)), "busy": Out(1),
            "job": Out(job_layout(config)), "operands": In(1), "final": In(1), "loaded": In(1),
            "left": In(1), "go": Out(1), "done": Out(1), "first": Out(1), "last": Out(1),
            "tile_last": Out(1), "job_last": Out(1), "started": Out(1), "refused": Out(4)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.desk = desk = Desk(config)
        job = desk.job
        busy = Signal()
        fresh = Signal()  # the next digits begin a sum
        beats_left = Signal(config.length_bits, reset_less=True)
        group_left = Signal(config.length_bits, reset_less=True)
        tiles_left = Signal(16, reset_less=True)
        settling = Signal(range(config.drain_delay + config.bands))
        spacing = Signal(range(config.bands + 1))
        promised = Signal(range(config.fifo_depth + 1))  # result beats that have a place
        group_last = Signal()
        blocked = Signal()

        connect(m, flipped(self.cfg), desk.cfg)
        m.d.comb += [
            desk.idle.eq(~busy & (settling == 0)),
            self.started.eq(desk.started),
            self.refused.eq(desk.refused),
            self.busy.eq(busy),
            self.job.eq(job),
            group_last.eq(group_left == 1),
            self.tile_last.eq(beats_left == 1),
            self.job_last.eq(self.tile_last & (tiles_left == 1)),
            blocked.eq((spacing != 0) | ~self.loaded
                       | (promised > config.fifo_depth - config.bands)),
            self.go.eq(busy & self.operands & ~(self.final & group_last & blocked)),
            self.done.eq(self.go & self.final),
            self.first.eq(self.go & fresh),
            self.last.eq(self.done & group_last),
        ]
        with m.If(spacing != 0):
            m.d.sync += spacing.eq(spacing - 1)
        with m.If(settling != 0):
            m.d.sync += settling.eq(settling - 1)
        with m.If(self.go):
            m.d.sync += fresh.eq(0)
        with m.If(self.done):
            m.d.sync += [beats_left.eq(beats_left - 1), group_left.eq(group_left - 1)]
            with m.If(group_last):
                m.d.sync += [group_left.eq(job.group), fresh.eq(1),
                             spacing.eq(config.bands - 1)]
            with m.If(self.tile_last):
                m.d.sync += [beats_left.eq(job.beats), tiles_left.eq(tiles_left - 1)]
            with m.If(self.job_last):
                m.d.sync += [busy.eq(0), settling.eq(config.drain_delay + config.bands - 1)]
        with m.If(self.started):
            m.d.sync += [busy.eq(1), fresh.eq(1), beats_left.eq(job.beats),
                         group_left.eq(job.group), tiles_left.eq(job.tiles)]
        added = Signal(range(config.bands + 1))
        m.d.comb += added.eq(Mux(self.last, config.bands, 0))
        m.d.sync += promised.eq(promised + added - self.left)
        return m
