"""The activations' edge: elements of any form become signed ones."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .job import job_layout


class Activations(Component):
    """Elements of a beat as the array takes them. Latency one cycle.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    data : In
        Elements of ``a_width`` bits; narrower ones in the low bits.
    job : In
    a : Out
        Signed elements, one bit wider if activations can be unsigned.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        lanes = config.rows * config.beat_k
        super().__init__({"data": In(lanes * config.a_width), "job": In(job_layout(config)),
                          "a": Out(lanes * config.a_bits)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        elements = []
        for lane in range(config.rows * config.beat_k):
            whole = self.data.word_select(lane, config.a_width)
            element = Signal(config.a_bits, name=f"element_{lane}")
            for number, bits in enumerate(config.a_widths):
                sign = whole[bits - 1]
                if config.a_signed != "signed":
                    sign &= self.job.a_signed
                with m.If(self.job.a_bits[number]):
                    m.d.comb += element.eq(Cat(whole[:bits],
                                               sign.replicate(config.a_bits - bits)))
            elements.append(element)
        edge = Signal(len(self.a), reset_less=True)
        m.d.sync += edge.eq(Cat(*elements))
        m.d.comb += self.a.eq(edge)
        return m
