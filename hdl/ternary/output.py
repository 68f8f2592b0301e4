"""Accumulators to the result stream."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.parts import place

from .beat import beat_layout
from .config import TernaryConfig
from .requantize import Requantize


class Output(wiring.Component):
    """Offers finished row tiles on `o`.

    ``raw`` results go out from the accumulators themselves. ``int8_requant`` results pass the
    product and the rounding stage of K `Requantize` parts. `ready` is high in a cycle in which
    a tile that is `valid` leaves the accumulators.
    """

    part_name = "output"

    def __init__(self, config: TernaryConfig):
        self.config = config
        o_port = config.port("o")
        super().__init__({
            "accumulators": In(config.keys * config.acc_width),
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

    def _rescale(self, m: Module, platform: object):
        config = self.config
        product_full = Signal()
        result_full = Signal()
        product_beat = Signal(beat_layout(config), reset_less=True)
        result_beat = Signal(beat_layout(config), reset_less=True)
        advance_result, advance_product = Signal(), Signal()
        m.d.comb += [
            advance_result.eq(~result_full | self.o.ready),
            advance_product.eq(~product_full | advance_result),
            self.ready.eq(advance_product),
            self.o.valid.eq(result_full),
        ]
        with m.If(advance_product):
            m.d.sync += [product_full.eq(self.valid), product_beat.eq(self.beat)]
        with m.If(advance_result):
            m.d.sync += [result_full.eq(product_full), result_beat.eq(product_beat)]
        lanes = []
        for row in range(config.keys):
            lane = Requantize(config)
            m.submodules[f"requantize_{row}"] = place(platform, lane)
            m.d.comb += [
                lane.acc.eq(
                    self.accumulators.word_select(row, config.acc_width).as_signed()),
                lane.multiplier.eq(self.beat.multiplier),
                lane.shift.eq(product_beat.shift),
                lane.advance_product.eq(advance_product),
                lane.advance_result.eq(advance_result),
            ]
            lanes.append(lane.result)
        return Cat(*lanes), result_beat
