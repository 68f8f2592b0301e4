"""Rules between activations of different banks: tRRD and tFAW."""

from __future__ import annotations

from amaranth.hdl import Array, C, Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import PimConfig
from .decode import decoded_layout
from .elapsed import Elapsed


class Activations(wiring.Component):
    """What an activation has to wait for of those before it.

    Attributes
    ----------
    command : In
        See `decode.decoded_layout`.
    accept : In(1)
        It is carried out in this cycle.
    soon_rrd, soon_faw : Out(1)
        Too soon for the command, if it is an activation.
    """

    part_name = "activations"

    def __init__(self, config: PimConfig):
        self.config = config
        super().__init__({"command": In(decoded_layout(config)), "accept": In(1),
                          "soon_rrd": Out(1), "soon_faw": Out(1)})

    def elaborate(self, platform):
        m = Module()
        config, command, t = self.config, self.command, self.config.timing
        activates = self.accept & (command.activate | command.pim_activate)
        soon = [Elapsed(m, "any", activates, t.trrd_s).below(t.trrd_s)]
        size = config.group_banks
        for number in range(config.bank_groups):
            group = command.mask[number * size:(number + 1) * size].any()
            since = Elapsed(m, f"group_{number}", activates & group, t.trrd_l)
            soon.append(group & since.below(t.trrd_l))
        m.d.comb += self.soon_rrd.eq(Cat(soon).any())

        # the last four activations, the youngest first, and which of them are in the window
        ages = [Signal(range(t.tfaw + 1), init=t.tfaw, name=f"age_{number}")
                for number in range(4)]
        young = Signal(4)
        older = [Signal.like(age, name=f"older_{number}") for number, age in enumerate(ages)]
        for age, next_age in zip(ages, older, strict=True):
            m.d.comb += next_age.eq(age + (age != t.tfaw))
        still = Cat(age < t.tfaw - 1 for age in ages)
        m.d.sync += [*(age.eq(next_age) for age, next_age in zip(ages, older, strict=True)),
                     young.eq(still)]
        with m.If(activates & command.counted), m.Switch(command.others):
            for others in range(4):
                with m.Case(others):
                    moved = [1] * (others + 1) + older
                    m.d.sync += [
                        *(age.eq(value) for age, value in zip(ages, moved, strict=False)),
                        young.eq(Cat(C(-(t.tfaw > 1), others + 1), still)[:4])]
        m.d.comb += self.soon_faw.eq(
            command.counted & Array(young[3 - others] for others in range(4))[command.others])
        return m
