"""Weight stream to keys, a lane a row."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.parts import place

from .config import TernaryConfig
from .decode import Decode


class Weights(wiring.Component):
    """Decodes weight beats and offers their keys until `take`.

    Keys and short codes pass straight through. With ``config.decode_stage`` they are decoded
    into a register first, in the same cycle as the activations of the beat become a table, so
    the core's latency is the same.

    `bad` is high in the cycle that takes in a beat with a code for no weight.
    """

    part_name = "weights"

    def __init__(self, config: TernaryConfig):
        self.config = config
        self.lane_bits = config.luts * config.key_bits
        super().__init__({
            "w": In(stream.Signature(config.keys * config.weight_bits)),
            "take": In(1),
            "valid": Out(1),
            "keys": Out(config.keys * self.lane_bits),
            "bad": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        decodes = []
        for row in range(config.keys):
            decode = Decode(config)
            m.submodules[f"decode_{row}"] = place(platform, decode)
            m.d.comb += decode.weights.eq(
                self.w.payload.word_select(row, config.weight_bits))
            decodes.append(decode)
        keys = Cat(*(decode.keys for decode in decodes))
        m.d.comb += self.bad.eq(self.w.valid & self.w.ready
                                & Cat(*(decode.bad for decode in decodes)).any())
        if not config.decode_stage:
            m.d.comb += [self.keys.eq(keys), self.valid.eq(self.w.valid),
                         self.w.ready.eq(self.take)]
            return m
        held = Signal(len(keys), name="decoded", reset_less=True)
        m.d.comb += [self.keys.eq(held), self.w.ready.eq(~self.valid | self.take)]
        with m.If(self.w.valid & self.w.ready):
            m.d.sync += [held.eq(keys), self.valid.eq(1)]
        with m.Elif(self.take):
            m.d.sync += self.valid.eq(0)
        return m
