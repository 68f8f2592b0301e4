"""The accumulators of one vector and lane, and the adder they share."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.float.add import FloatAdd
from pimlico.hdl.common.parts import place

from .choice import chosen
from .config import PimConfig
from .pipeline import delayed


class Accumulators(Component):
    """``acc_slots`` numbers; an addend a cycle is added to any of them.

    A sum is in its register `acc_latency` cycles after its addend. The addition to one of
    floating-point numbers begins when the addend comes, and of integers in the last of these
    cycles. Contents are unknown until they are loaded.

    Parameters
    ----------
    config : PimConfig

    Attributes
    ----------
    addend : In
    slot : In
        Accumulator of `addend`.
    sum_valid, sum_slot : In
        Whether a sum is stored at the end of this cycle, and where: those of the addend that
        came ``acc_latency - 1`` cycles ago.
    load, load_slot, load_data : In
        Sets an accumulator at the end of this cycle. Not with a sum for the same.
    read_slot : In
    read_data : Out
    """

    def __init__(self, config: PimConfig):
        self.config = config
        kind = config.acc_format.name if config.floating else "int32"
        self.part_name = (f"accumulators_{kind}_{config.subnormals}_{config.acc_slots}_"
                          f"{config.acc_latency}")
        bits, slot = config.acc_bits, max(1, (config.acc_slots - 1).bit_length())
        super().__init__({
            "addend": In(bits), "slot": In(slot), "sum_valid": In(1), "sum_slot": In(slot),
            "load": In(1), "load_slot": In(slot), "load_data": In(bits),
            "read_slot": In(slot), "read_data": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        accs = [Signal(config.acc_bits, name=f"accumulator_{slot}", reset_less=True)
                for slot in range(config.acc_slots)]
        total = Signal(config.acc_bits)
        if config.floating:
            kind = config.acc_format
            adder = FloatAdd(kind, kind, kind, config.subnormals, config.acc_latency - 1)
            m.submodules.add = place(platform, adder)
            m.d.comb += [adder.a.eq(chosen(accs, self.slot)), adder.b.eq(self.addend),
                         total.eq(adder.result)]
            if adder.stages:
                m.d.comb += adder.advance.eq(1)
        else:
            addend = delayed(m, self.addend, config.acc_latency - 1, "addend")
            m.d.comb += total.eq(chosen(accs, self.sum_slot) + addend)
        for slot, acc in enumerate(accs):
            with m.If(self.load & (self.load_slot == slot)):
                m.d.sync += acc.eq(self.load_data)
            with m.Elif(self.sum_valid & (self.sum_slot == slot)):
                m.d.sync += acc.eq(total)
        m.d.comb += self.read_data.eq(chosen(accs, self.read_slot))
        return m
