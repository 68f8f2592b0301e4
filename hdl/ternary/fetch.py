"""Fetch stage: a read port of a table."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import TernaryConfig


class Fetch(wiring.Component):
    """Selects the entry of a key; combinational.

    The sign of the key is applied as a one's complement, and `negate` is the one still to be
    added by the reduction tree; to floating sums as their sign. Index 0 is zero, with either
    sign; so is an index above the table, which stands for no weights.
    """

    part_name = "fetch"

    def __init__(self, config: TernaryConfig):
        self.config = config
        super().__init__({
            "entries": In(config.entries * config.entry_width),
            "key": In(config.key_bits),
            "value": Out(config.entry_width),
            **({} if config.floating else {"negate": Out(1)}),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        index, sign = self.key[:-1], self.key[-1]
        entries = [self.entries.word_select(i, config.entry_width)
                   for i in range(config.entries)]
        if config.mux == "andor":
            lines = [(index == i + 1).replicate(config.entry_width)
                     for i in range(config.entries)]
            magnitude = _or_tree([entry & line for entry, line in zip(entries, lines, strict=True)])
        else:
            leaves = [C(0, config.entry_width), *entries]
            leaves += [leaves[0]] * ((1 << len(index)) - len(leaves))
            magnitude = _mux_tree(leaves, index)
        if config.floating:
            negate = sign & (index != 0) & (index <= config.entries)
            m.d.comb += self.value.eq(magnitude ^ Cat(C(0, config.entry_width - 1), negate))
            return m
        m.d.comb += [
            self.value.eq(magnitude ^ sign.replicate(config.entry_width)),
            self.negate.eq(sign),
        ]
        return m


def _or_tree(words: list[Value]) -> Value:
    while len(words) > 1:
        words = [a | b for a, b in zip(words[::2], words[1::2], strict=False)] + (
            words[-1:] if len(words) % 2 else [])
    return words[0]


def _mux_tree(leaves: list[Value], index: Value) -> Value:
    for bit in index:
        leaves = [low if low is high else Mux(bit, high, low)
                  for low, high in zip(leaves[::2], leaves[1::2], strict=True)]
    return Cat(leaves[0])
