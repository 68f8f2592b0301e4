"""The order in which a serial build makes the entries of a table."""

from __future__ import annotations

from typing import NamedTuple

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import TernaryConfig

Digits = tuple[int, ...]


class Step(NamedTuple):
    """One entry from the one before: the sum plus, or minus, one activation."""

    entry: int
    digit: int
    subtract: bool


def walk(mu: int) -> list[Step]:
    """The steps from 0 through every entry of a mirror-halved table, each once.

    The second half of the reflected balanced ternary Gray code: neighbours differ by 1 in one
    digit, and the leading digit that is not 0 is always +1.
    """
    steps = []
    before: Digits = (0,) * mu
    for digits in _half_code(mu):
        (digit,) = (place for place in range(mu) if digits[place] != before[place])
        entry = sum(value * 3 ** (mu - 1 - place) for place, value in enumerate(digits))
        steps.append(Step(entry, digit, digits[digit] < before[digit]))
        before = digits
    return steps


def _half_code(mu: int) -> list[Digits]:
    """The code words after 0, most significant digit first."""
    if mu == 0:
        return []
    half = _half_code(mu - 1)
    whole = [tuple(-digit for digit in word) for word in half[::-1]]
    whole = [*whole, (0,) * (mu - 1), *half]
    return [(0, *word) for word in half] + [(1, *word) for word in whole[::-1]]


class Walk(wiring.Component):
    """Counts through `walk`: the step that is next, which `go` takes.

    `entry` is the index to be stored, `digit` marks the activation that changes the sum,
    `subtract` says how; `last` is high at the last entry.
    """

    part_name = "walk"

    def __init__(self, config: TernaryConfig):
        self.config = config
        super().__init__({
            "go": In(1),
            "entry": Out(config.key_bits - 1),
            "digit": Out(config.mu),
            "subtract": Out(1),
            "last": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        steps = walk(self.config.mu)
        number = Signal(range(max(2, len(steps))))
        m.d.comb += self.last.eq(number == len(steps) - 1)
        with m.If(self.go & self.last):
            m.d.sync += number.eq(0)
        with m.Elif(self.go):
            m.d.sync += number.eq(number + 1)
        with m.Switch(number):
            for position, step in enumerate(steps):
                with m.Case(position):
                    m.d.comb += [self.entry.eq(step.entry), self.digit.eq(1 << step.digit),
                                 self.subtract.eq(step.subtract)]
            with m.Default():
                m.d.comb += self.entry.eq(0)
        return m
