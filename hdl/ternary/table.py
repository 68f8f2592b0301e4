"""Table stage: the sums of µ activations that a key can select."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import TernaryConfig


def entry_digits(index: int, mu: int) -> list[int]:
    """Balanced ternary digits of an entry, most significant first: its weights."""
    digits = []
    for _ in range(mu):
        digit = (index + 1) % 3 - 1
        digits.append(digit)
        index = (index - digit) // 3
    return digits[::-1]


def leading_and_rest(index: int, mu: int) -> tuple[int, int]:
    """The activation that leads an entry, always added, and the entry that is left of it:
    added too, or subtracted if it is negative, or none if it is 0."""
    digits = entry_digits(index, mu)
    first = next(position for position, digit in enumerate(digits) if digit)
    return first, index - 3 ** (mu - 1 - first)


class Table(wiring.Component):
    """Mirror-halved table of one group of µ activations, in flip-flops.

    Entry ``v`` of 1 to (3^µ - 1)/2 is the sum of the activations under the balanced ternary
    digits of ``v``. Its leading digit is +1, so it is one activation plus or minus an earlier
    entry: (3^µ - 1)/2 - µ adders in all, which is the minimum.

    Latency one cycle; entries hold while `load` is low. Structure: Geens et al. (arXiv
    2604.25183), with every sum built once.
    """

    part_name = "table"

    def __init__(self, config: TernaryConfig):
        self.config = config
        super().__init__({
            "load": In(1),
            "activations": In(config.mu * config.act_bits),
            "entries": Out(config.entries * config.entry_width),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        activations = [self.activations.word_select(i, config.act_bits).as_signed()
                       for i in range(config.mu)]
        sums: dict[int, Value] = {}
        entries = []
        for index in range(1, config.entries + 1):
            first, rest = leading_and_rest(index, config.mu)
            terms = sum(map(abs, entry_digits(index, config.mu)))
            width = config.act_bits + (terms - 1).bit_length()
            total = Signal(signed(width), name=f"sum_{index}")
            entry = Signal(signed(width), name=f"entry_{index}", reset_less=True)
            leading = activations[first]
            if rest == 0:
                m.d.comb += total.eq(leading)
            elif rest > 0:
                m.d.comb += total.eq(leading + sums[rest])
            else:
                m.d.comb += total.eq(leading - sums[-rest])
            with m.If(self.load):
                m.d.sync += entry.eq(total)
            sums[index] = total
            entries.append(_extend(entry, config.entry_width))
        m.d.comb += self.entries.eq(Cat(*entries))
        return m


def _extend(value: Value, width: int) -> Value:
    return Cat(value, value[-1].replicate(width - len(value)))
