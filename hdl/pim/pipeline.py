"""Registers of a datapath that never stalls."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Signal, Value


def held(m: Module, value: Value, name: str) -> Signal:
    """`value` a cycle later; unknown at first."""
    register = Signal(value.shape(), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register


def all_held(m: Module, values: Sequence[Value], name: str) -> list[Value]:
    """Each of `values` a cycle later."""
    return [held(m, value, f"{name}_{number}") for number, value in enumerate(values)]


def delayed(m: Module, value: Value, cycles: int, name: str, *, control: bool = False) -> Value:
    """`value` so many cycles later; 0 until then if `control`."""
    for cycle in range(1, cycles + 1):
        register = Signal(value.shape(), name=f"{name}_{cycle}", reset_less=not control)
        m.d.sync += register.eq(value)
        value = register
    return value
