"""Output stage that scales accumulators in fp32."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.float.config import FP32
from pimlico.hdl.common.float.convert import FloatConvert
from pimlico.hdl.common.float.integer import IntToFloat
from pimlico.hdl.common.float.multiply import FloatMultiply
from pimlico.hdl.common.parts import place

from .config import SCALE_BITS, TernaryConfig


class Scale(wiring.Component):
    """``fp32(acc) * scale`` of one row, both rounded to nearest even.

    Stages: conversion (loads while `advance_scale`), then product (loads while
    `advance_result`; `scale` is the converted sum's). Latency two cycles.
    """

    part_name = "scale"

    def __init__(self, config: TernaryConfig):
        self.config = config
        super().__init__({
            "acc": In(config.acc_width),
            "scale": In(SCALE_BITS),
            "advance_scale": In(1),
            "advance_result": In(1),
            "result": Out(SCALE_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        if config.floating:
            convert = FloatConvert(config.acc_float, FP32, config.subnormals)
        else:
            convert = IntToFloat(config.acc_width, FP32)
        multiply = FloatMultiply(FP32, FP32, FP32, config.subnormals)
        m.submodules.convert = place(platform, convert)
        m.submodules.multiply = place(platform, multiply)
        converted = Signal(SCALE_BITS, reset_less=True)
        scaled = Signal(SCALE_BITS, reset_less=True)
        m.d.comb += [convert.value.eq(self.acc), multiply.a.eq(converted),
                     multiply.b.eq(self.scale), self.result.eq(scaled)]
        with m.If(self.advance_scale):
            m.d.sync += converted.eq(convert.result)
        with m.If(self.advance_result):
            m.d.sync += scaled.eq(multiply.result)
        return m
