"""Registers between the named steps of a datapath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amaranth.hdl import Module, Signal, Value
from amaranth.lib.wiring import In, Out

Cuts = Mapping[int, Sequence[str]]
"""For each number of register stages, the steps that end in registers."""


def ports(operands: Mapping[str, int], result: int, stages: int) -> dict:
    """Members of a part: its operands by width, ``advance`` if there are registers, ``result``.

    Raises
    ------
    ValueError
        If there are not 0 to 4 register stages.
    """
    if stages not in range(5):
        raise ValueError(f"stages must be 0 to 4, not {stages}")
    members = {name: In(width) for name, width in operands.items()}
    if stages:
        members["advance"] = In(1)
    return {**members, "result": Out(result)}


def named(m: Module, name: str, value: Value) -> Signal:
    """`value` as a signal, so that it is emitted once however often it is used."""
    signal = Signal(value.shape(), name=name)
    m.d.comb += signal.eq(value)
    return signal


class Stages:
    """Ends the steps of a datapath, in registers where there are to be some.

    Parameters
    ----------
    m : Module
    part : wiring.Component
        Its ``stages`` says how many, and its ``advance`` moves them all.
    cuts : dict of int to sequence of str
        The steps that end in registers, by the number of stages.
    """

    def __init__(self, m: Module, part, cuts: Cuts):
        self.m, self.part = m, part
        self.cuts = cuts[part.stages] if part.stages else ()

    def end(self, step: str, **values: Value) -> list[Value]:
        """The values at the start of the next step, in their order."""
        if step not in self.cuts:
            return [named(self.m, f"{step}_{name}", value) for name, value in values.items()]
        held = [Signal(value.shape(), name=f"{step}_{name}", reset_less=True)
                for name, value in values.items()]
        with self.m.If(self.part.advance):
            self.m.d.sync += [register.eq(value)
                              for register, value in zip(held, values.values(), strict=True)]
        return list(held)
