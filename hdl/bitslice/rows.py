"""An accumulator as the rows that it stands for."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Value

from .shape import PeShape


def rows(shape: PeShape, state: Value, number: int) -> tuple[Value, Value]:
    """The sums and the carries of a slice, each as wide as its accumulator.

    Parameters
    ----------
    shape : PeShape
    state : Value
        Of all slices, as a PE gives it.
    number : int
        The slice.
    """
    start = sum(shape.state_bits(before) for before in range(number))
    width = shape.acc_widths[number]
    carries: list[Value] = [C(0, 1)] * width
    for row, place in enumerate(shape.carry_positions(number)):
        carries[place] = state[start + width + row]
    return state[start:start + width], Cat(*carries)
