"""The activations' edge: elements of any form become signed ones."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .extend import extend
from .job import job_layout, zero_of_a
from .multiplier import balanced_sum


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
        Signed elements, one bit wider if activations can be unsigned, or where their zero point
        is subtracted here: with stationary weights.
    sums : Out
        Of each row's elements; only with zero points.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        lanes = config.rows * config.beat_k
        sums = {"sums": Out(config.rows * config.zero_shape.a_width)} if config.zero_points else {}
        super().__init__({"data": In(lanes * config.a_width), "job": In(job_layout(config)),
                          "a": Out(lanes * config.a_bits), **sums})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        forms = [
            extend(m, self.data.word_select(lane, config.a_width), config.a_widths,
                   self.job.a_bits, self.job.a_signed, config.a_bits, f"element_{lane}")
            for lane in range(config.rows * config.beat_k)]
        elements = forms
        if config.zero_points and config.dataflow == "ws":
            elements = self._corrected(m, forms)
        edge = Signal(len(self.a), reset_less=True)
        m.d.sync += edge.eq(Cat(*elements))
        m.d.comb += self.a.eq(edge)
        if config.zero_points:
            width = config.zero_shape.a_width
            for row in range(config.rows):
                total = Signal(width, name=f"sum_{row}", reset_less=True)
                own = elements[row * config.beat_k:(row + 1) * config.beat_k]
                m.d.sync += total.eq(balanced_sum([element.as_signed() for element in own]))
                m.d.comb += self.sums.word_select(row, width).eq(total)
        return m

    def _corrected(self, m: Module, forms: list[Signal]) -> list[Signal]:
        """With stationary weights, activations less their zero point."""
        zero = zero_of_a(m, self.config, self.job)
        out = []
        for lane, form in enumerate(forms):
            less = Signal(len(form), name=f"corrected_{lane}")
            m.d.comb += less.eq(form - zero)
            out.append(less)
        return out
