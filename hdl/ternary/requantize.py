"""Output stage that rescales accumulators to int8."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.rounding import saturate, shift_round_half_even

from .config import MULTIPLIER_BITS, SHIFT_BITS, TernaryConfig


class Requantize(wiring.Component):
    """``clip(round(acc * multiplier / 2**shift), -128, 127)`` of one row, ties to even.

    Stages: product (loads while `advance_scale`), then shift, round and saturate (loads
    while `advance_result`; `shift` is the product's). Latency two cycles.
    """

    part_name = "requantize"

    def __init__(self, config: TernaryConfig):
        self.config = config
        super().__init__({
            "acc": In(signed(config.acc_width)),
            "multiplier": In(MULTIPLIER_BITS),
            "shift": In(SHIFT_BITS),
            "advance_scale": In(1),
            "advance_result": In(1),
            "result": Out(signed(8)),
        })

    def elaborate(self, platform):
        m = Module()
        product = Signal(signed(self.config.acc_width + MULTIPLIER_BITS), reset_less=True)
        with m.If(self.advance_scale):
            m.d.sync += product.eq(self.acc * self.multiplier)
        rounded = shift_round_half_even(m, product, self.shift)
        held = Signal(signed(8), name="rescaled", reset_less=True)
        with m.If(self.advance_result):
            m.d.sync += held.eq(saturate(rounded, 8))
        m.d.comb += self.result.eq(held)
        return m
