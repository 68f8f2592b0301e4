"""A place in the array: a PE, and the registers that hand operands to its neighbours."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .pes import make_pe, part_of
from .shape import PeShape


class Cell(Component):
    """An output-stationary PE that hands its operands on a cycle later. Nothing stalls it.

    Parameters
    ----------
    config : BitsliceConfig
    shape : PeShape

    Attributes
    ----------
    a, digits, first : In
        As of `pe.Pe`.
    take : In(1)
        The accumulators are due at the output.
    a_next, digits_next : Out
        The operands a cycle later.
    due : Out
        The accumulators while ``take``, else 0.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape):
        self.config, self.shape = config, shape
        self.part_name = f"cell_{part_of(config, shape)}"
        ports = {"a": shape.a_bits, "digits": config.lines_of(shape)}
        if shape.index_bits:
            ports["index"] = shape.index_bits
        if shape.position_bits:
            ports["position"] = shape.position_bits
        self.handed = tuple(ports)
        super().__init__({
            **{name: In(bits) for name, bits in ports.items()},
            **{f"{name}_next": Out(bits) for name, bits in ports.items()},
            "first": In(1), "take": In(1), "due": Out(shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pe = pe = make_pe(self.config, self.shape)
        for name in self.handed:
            arriving, leaving = getattr(self, name), getattr(self, f"{name}_next")
            handed = Signal.like(leaving, name=f"{name}_handed", reset_less=True)
            m.d.sync += handed.eq(arriving)
            m.d.comb += [leaving.eq(handed), getattr(pe, name).eq(arriving)]
        m.d.comb += [pe.first.eq(self.first),
                     self.due.eq(pe.state & self.take.replicate(len(self.due)))]
        return m
