"""Jobs of stationary weights: loading, swapping, and activations that pass."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .config import LENGTH_BITS, TILE_BITS, BitsliceConfig
from .desk import Desk
from .job import job_layout


class WsSequencer(Component):
    """Loads the weights of a tile while the activations of the one before pass.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    cfg : stream
    job : Out
    weights_held, activations_held : In(1)
        The operands of a weight beat, of an activation beat are there.
    left : In(1)
        A result beat leaves the core.
    weights_wanted, activations_wanted : Out(1)
        The job needs a beat after the one held.
    final : In(1)
        The digits in use are the last of the weights.
    load : Out
        The row that the weights held are for, one hot, in the cycle that issues them.
    swap : Out(1)
    go, done : Out(1)
        Activations are issued; for the last time.
    tile_last, job_last : Out(1)
        The activations held are the last of their tile; of the job.
    row : Out
        Their number in the tile.
    refused : Out(4)
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        super().__init__({
            "cfg": In(stream.Signature(config.port("cfg").width)),
            "job": Out(job_layout(config)), "weights_held": In(1), "activations_held": In(1),
            "left": In(1), "final": In(1), "weights_wanted": Out(1), "activations_wanted": Out(1),
            "load": Out(config.rows), "swap": Out(1), "go": Out(1),
            "done": Out(1), "tile_last": Out(1),
            "job_last": Out(1), "row": Out(LENGTH_BITS), "refused": Out(4)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.desk = desk = Desk(config)
        job = desk.job
        busy = Signal()
        loading = Signal()  # weights of the job are still to come
        passing = Signal()  # activations of the tile in use are still to come
        due_row = Signal(config.rows, init=1)  # of the next weights, one hot
        loaded = Signal()  # all rows of the next tile
        tiles_unloaded = Signal(TILE_BITS, reset_less=True)
        tiles_left = Signal(TILE_BITS, reset_less=True)
        beats_left = Signal(LENGTH_BITS, reset_less=True)
        settling = Signal(range(config.drain_delay + 1))
        promised = Signal(range(config.fifo_depth + 1))
        load = Signal()
        ends = Signal()

        connect(m, flipped(self.cfg), desk.cfg)
        m.d.comb += [
            desk.idle.eq(~busy & (settling == 0)), self.job.eq(job),
            self.refused.eq(desk.refused),
            load.eq(loading & self.weights_held & (~loaded | self.swap)),
            self.load.eq(due_row & load.replicate(config.rows)),
            self.tile_last.eq(beats_left == 1),
            self.job_last.eq(self.tile_last & (tiles_left == 1)),
            self.go.eq(passing & self.activations_held & (promised != config.fifo_depth)),
            self.done.eq(self.go & self.final),
            ends.eq(self.done & self.tile_last),
            self.swap.eq(loaded & (~passing | ends)),
            self.weights_wanted.eq(
                loading & ~(load & due_row[-1] & (tiles_unloaded == 1))),
            self.activations_wanted.eq(busy & ~(self.done & self.job_last)),
        ]
        with m.If(settling != 0):
            m.d.sync += settling.eq(settling - 1)
        with m.If(self.swap):
            m.d.sync += loaded.eq(0)
        with m.If(load):
            m.d.sync += due_row.eq(Cat(due_row[-1], due_row[:-1]))
            with m.If(due_row[-1]):
                m.d.sync += [loaded.eq(1), tiles_unloaded.eq(tiles_unloaded - 1)]
                with m.If(tiles_unloaded == 1):
                    m.d.sync += loading.eq(0)
        with m.If(self.done):
            m.d.sync += [beats_left.eq(beats_left - 1), self.row.eq(self.row + 1)]
        with m.If(ends):
            m.d.sync += [passing.eq(0), tiles_left.eq(tiles_left - 1)]
            with m.If(self.job_last):
                m.d.sync += [busy.eq(0), settling.eq(config.drain_delay)]
        with m.If(self.swap):
            m.d.sync += [passing.eq(1), beats_left.eq(job.beats), self.row.eq(0)]
        with m.If(desk.started):
            m.d.sync += [busy.eq(1), loading.eq(1), tiles_unloaded.eq(job.tiles),
                         tiles_left.eq(job.tiles)]
        m.d.sync += promised.eq(promised + self.done - self.left)
        return m
