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
            digits = entry_digits(index, config.mu)
            nonzero = [position for position, digit in enumerate(digits) if digit]
            width = config.act_bits + (len(nonzero) - 1).bit_length()
            total = Signal(signed(width), name=f"sum_{index}")
            entry = Signal(signed(width), name=f"entry_{index}", reset_less=True)
            leading = activations[nonzero[0]]
            rest = index - 3 ** (config.mu - 1 - nonzero[0])
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
