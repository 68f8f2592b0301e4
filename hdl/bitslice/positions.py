"""One digit of the weights in use after another."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .job import job_layout
from .recode import positions
from .steps import lowest


class Positions(Component):
    """Goes through the positions that the digits of a job's weights have, lowest first.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    job : In
    go : In(1)
        The digits at this position are issued.
    position : Out
        Its number.
    first, final : Out(1)
        It is the job's lowest; its highest.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        super().__init__({"job": In(job_layout(config)), "go": In(1),
                          "position": Out(config.shape.position_bits), "first": Out(1),
                          "final": Out(1)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        visited = Signal(config.positions)
        waiting = Signal(config.positions)
        now = Signal(config.positions)
        m.d.comb += [
            waiting.eq(positions(config, self.job.cases) & ~visited),
            now.eq(lowest(waiting)),
            self.first.eq(visited == 0),
            self.final.eq(waiting == now),
        ]
        for number in range(config.positions):
            with m.If(now[number]):
                m.d.comb += self.position.eq(number)
        with m.If(self.go):
            m.d.sync += visited.eq(visited | now)
            with m.If(self.final):
                m.d.sync += visited.eq(0)
        return m
