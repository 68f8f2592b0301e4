"""Reduction trees of a column: L fetched values and their negation carries to one partial sum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Signal, Value

from pimlico.hdl.common.adder_tree import Term, add_level
from pimlico.hdl.common.compressor import (
    Columns,
    carry_propagate,
    dadda_heights,
    dadda_stage,
    signed_columns,
)

from .config import TernaryConfig


class Reduction(ABC):
    """A sum on its way through the tree; a register may follow any level.

    One negation carry is left over for the accumulator's adder, so none costs an adder.

    Attributes
    ----------
    levels : int
        Levels from the fetched values to the partial sum.
    """

    levels: int

    @abstractmethod
    def step(self, m: Module) -> None:
        """Take the next level."""

    @abstractmethod
    def register(self, m: Module, advance: Value, name: str) -> None:
        """Hold what there is in registers called after `name` that load while `advance`."""

    @property
    @abstractmethod
    def result(self) -> tuple[Value, Value]:
        """The signed partial sum, ``sum_width`` bits, and the carry left over."""


def spread(m: Module, reduction: Reduction, pipeline: int, advance: Value) -> None:
    """Takes `reduction` through its levels, with `pipeline` registers spread evenly between
    the fetch and the partial sum, and one behind that; all load while `advance`."""
    stages = pipeline + 1
    levels = reduction.levels + 1  # the fetch is one
    done = 1
    for stage in range(stages):
        for _ in range(-(-(stage + 1) * levels // stages) - done):
            reduction.step(m)
            done += 1
        reduction.register(m, advance, "partial" if stage == stages - 1 else f"reduce_{stage}")


def hold(m: Module, advance: Value, value: Value, name: str) -> Signal:
    """`value` in a register that loads while `advance`."""
    held = Signal(value.shape(), name=name, reset_less=True)
    with m.If(advance):
        m.d.sync += held.eq(value)
    return held


class CarryReduction(Reduction):
    """Binary tree of two-input adders, for FPGA carry chains."""

    def __init__(self, values: Sequence[Value], negates: Sequence[Value], config: TernaryConfig):
        bound = config.mu << config.act_bits - 1
        self.terms = [Term(value, -bound, bound - 1) for value in values]
        self.carries = list(negates)
        self.levels = (len(values) - 1).bit_length()
        self.width = config.sum_width

    def step(self, m: Module) -> None:
        self.terms, self.carries = add_level(self.terms, self.carries)

    def register(self, m: Module, advance: Value, name: str) -> None:
        self.terms = [Term(hold(m, advance, term.value, f"{name}_{i}"), term.low, term.high)
                      for i, term in enumerate(self.terms)]
        self.carries = list(hold(m, advance, Cat(*self.carries), f"{name}_carries"))

    @property
    def result(self) -> tuple[Value, Value]:
        (term,), (carry,) = self.terms, self.carries
        return term.value[:self.width].as_signed(), carry


class CompressorReduction(Reduction):
    """Carry-save tree of full adders and one final adder, the smallest in gates."""

    def __init__(self, values: Sequence[Value], negates: Sequence[Value], config: TernaryConfig):
        self.columns: Columns = signed_columns(values, negates[:-1], config.sum_width)
        self.carry = negates[-1]
        self.heights = dadda_heights(max(map(len, self.columns)))
        self.levels = len(self.heights) + 1

    def step(self, m: Module) -> None:
        if self.heights:
            height, *self.heights = self.heights
            self.columns = dadda_stage(m, self.columns, height, f"height_{height}")
        else:
            total = Signal(len(self.columns), name="total")
            m.d.comb += total.eq(carry_propagate(self.columns))
            self.columns = [[bit] for bit in total]

    def register(self, m: Module, advance: Value, name: str) -> None:
        bits = [bit for column in self.columns for bit in column if not isinstance(bit, Const)]
        held = iter(hold(m, advance, Cat(*bits), name))
        self.columns = [[bit if isinstance(bit, Const) else next(held) for bit in column]
                        for column in self.columns]
        self.carry = hold(m, advance, self.carry, f"{name}_carry")

    @property
    def result(self) -> tuple[Value, Value]:
        return Cat(*(column[0] for column in self.columns)).as_signed(), self.carry
