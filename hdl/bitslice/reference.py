"""What accumulators hold beside the products, found by PEs that stand beside the array."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .delays import delays
from .pes import make_pe
from .resolve import PipelinedResolve
from .shape import PeShape


class Reference(Component):
    """A PE above a column, which takes its digits and a constant for activations.

    PEs leave out what all of a column have alike: the signs of partial products, and the one
    that completes a negated multiple. They depend on the digits only, so that what a PE holds
    less what this one holds is the sum of ``(a - constant) * w``: with the zero point of
    activations for constant, or with 0. States resolve here while those of the rows wait as
    many cycles.

    Parameters
    ----------
    config : BitsliceConfig
    shape : PeShape
        Of the column's PEs.

    Attributes
    ----------
    constant : In
        Signed.
    digits, index, position, first : In
        As the column's first PE takes them.
    bands : In
        Whether the first row of each band is due.
    values : Out
        For each band, slice by slice, from ``sum_stages + 1`` cycles after the band's first row
        is due until the same of the next tile.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape):
        self.config, self.shape = config, shape
        self.width = sum(shape.acc_widths)
        extra = {name: In(bits) for name, bits in (("index", shape.index_bits),
                                                   ("position", shape.position_bits)) if bits}
        super().__init__({"constant": In(shape.a_width), "digits": In(config.lines_of(shape)),
                          **extra, "first": In(1), "bands": In(config.drain_adders),
                          "values": Out(config.drain_adders * self.width)})

    def elaborate(self, platform):
        m = Module()
        config, shape = self.config, self.shape
        m.submodules.pe = pe = make_pe(config, shape)
        count = shape.lanes * shape.window
        m.d.comb += [pe.a.eq(Cat(*[self.constant] * count)), pe.digits.eq(self.digits),
                     pe.first.eq(self.first)]
        for name in ("index", "position"):
            if hasattr(pe, name):
                m.d.comb += getattr(pe, name).eq(getattr(self, name))
        m.submodules.resolve = resolve = PipelinedResolve(
            shape, config.sum_stages, False)
        m.d.comb += resolve.state.eq(pe.state)
        entering: Value = resolve.values
        out = []
        for band in range(config.drain_adders):
            due = delays(m, self.bands[band], config.sum_stages + 1, f"due_{band}",
                         True)[config.sum_stages]
            held = Signal(self.width, name=f"reference_{band}", reset_less=True)
            with m.If(due):
                m.d.sync += held.eq(entering)
            entering = held
            out.append(held)
        m.d.comb += self.values.eq(Cat(*out))
        return m
