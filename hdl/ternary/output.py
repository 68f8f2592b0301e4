"""Accumulators to the result stream."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.parts import place

from .beat import beat_layout
from .config import TernaryConfig
from .requantize import Requantize
from .scale import Scale


class Output(wiring.Component):
    """Offers finished row tiles on `o`.

    ``raw`` results go out from the accumulators themselves. Others pass two stages, scale and
    result, of a `Requantize` or `Scale` part for each. `ready` is high in a cycle in which a
    tile that is `valid` leaves the accumulators.
    """

    part_name = "output"

    def __init__(self, config: TernaryConfig):
        self.config = config
        o_port = config.port("o")
        super().__init__({
            "accumulators": In(config.batch * config.keys * config.acc_width),
            "beat": In(beat_layout(config)),
            "valid": In(1),
            "ready": Out(1),
            "o": Out(stream.Signature(o_port.width)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        if config.out == "raw":
            data, beat = self.accumulators, self.beat
            m.d.comb += [self.o.valid.eq(self.valid), self.ready.eq(self.o.ready)]
        else:
            data, beat = self._rescale(m, platform)
        keep = Cat(*(beat.rows > row for row in range(config.keys)))
        m.d.comb += self.o.payload.eq(Cat(data, keep, beat.tag, beat.job_last))
        return m

    def _rescale(self, m: Module, platform: object) -> tuple[Value, Value]:
        config = self.config
        scale_full = Signal()
        result_full = Signal()
        scale_beat = Signal(beat_layout(config), reset_less=True)
        result_beat = Signal(beat_layout(config), reset_less=True)
        advance_result, advance_scale = Signal(), Signal()
        m.d.comb += [
            advance_result.eq(~result_full | self.o.ready),
            advance_scale.eq(~scale_full | advance_result),
            self.ready.eq(advance_scale),
            self.o.valid.eq(result_full),
        ]
        with m.If(advance_scale):
            m.d.sync += [scale_full.eq(self.valid), scale_beat.eq(self.beat)]
        with m.If(advance_result):
            m.d.sync += [result_full.eq(scale_full), result_beat.eq(scale_beat)]
        lanes = []
        for number in range(config.batch * config.keys):
            vector = number // config.keys
            if config.out == "int8_requant":
                lane = Requantize(config)
                m.submodules[f"requantize_{number}"] = place(platform, lane)
                m.d.comb += [
                    lane.multiplier.eq(
                        self.beat.multiplier.word_select(vector, len(lane.multiplier))),
                    lane.shift.eq(scale_beat.shift.word_select(vector, len(lane.shift)))]
            else:
                lane = Scale(config)
                m.submodules[f"scale_{number}"] = place(platform, lane)
                m.d.comb += lane.scale.eq(scale_beat.scale.word_select(vector, len(lane.scale)))
            m.d.comb += [
                lane.acc.eq(self.accumulators.word_select(number, config.acc_width)),
                lane.advance_scale.eq(advance_scale),
                lane.advance_result.eq(advance_result),
            ]
            lanes.append(lane.result)
        return Cat(*lanes), result_beat
