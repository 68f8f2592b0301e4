"""Accumulators with columns on their way."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .burst import turn_layout
from .config import PimConfig
from .decode import decoded_layout
from .elapsed import Elapsed


class Slots(wiring.Component):
    """Which slots a command may use. The banks' slots of one number go together.

    Attributes
    ----------
    command : In
        See `decode.decoded_layout`.
    turn, runs : In
        See `burst.Burst`.
    base : In
        The first slot of the burst that runs.
    busy : Out(1)
        The command's slot has columns on their way, or to come; of MAC: has one so young that the
        next addition would come too soon.
    any : Out(1)
        Some slot has.
    """

    part_name = "slots"

    def __init__(self, config: PimConfig):
        self.config = config
        turn = turn_layout(config)
        super().__init__({"command": In(decoded_layout(config)), "turn": In(turn),
                          "runs": In(turn), "base": In(config.slot_field),
                          "busy": Out(1), "any": Out(1)})

    def elaborate(self, platform):
        m = Module()
        config, command = self.config, self.command
        turn = data.View(turn_layout(config), self.turn)
        ages = [Elapsed(m, f"column_of_slot_{number}", turn.mac & (turn.slot == number),
                        config.column_latency) for number in range(config.acc_slots)]
        in_flight = Signal(config.acc_slots)
        m.d.comb += [in_flight.eq(Cat(age.below(config.column_latency, f"slot_{number}")
                             for number, age in enumerate(ages))),
                     self.any.eq(in_flight.any())]
        to_come = self.runs.mac & Cat(
            command.slot == self.base + number for number in range(config.rotation)).any()
        busy = (command.acc_write | command.acc_read) & (
            Array(in_flight)[command.slot] | to_come)
        if config.rotation > 1:
            adding = Signal(config.acc_slots)
            m.d.comb += adding.eq(Cat(age.below(config.acc_latency, f"addition_{number}")
                                         for number, age in enumerate(ages)))
            busy |= command.mac & Array(adding)[command.slot]
        m.d.comb += self.busy.eq(busy)
        return m
