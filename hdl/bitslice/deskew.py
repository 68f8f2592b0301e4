"""Results that left column after column and band after band, side by side again."""

from __future__ import annotations

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .delays import staggered


class Deskew(Component):
    """Delays the earlier columns and bands until the latest comes.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    results : In
        Of each band and column, a column a cycle after the one before, a band as many cycles
        as it has rows.
    aligned : Out
        All results of a beat.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        self.width = config.column_results * config.aligned_width
        total = config.drain_adders * config.columns * self.width
        super().__init__({"results": In(total), "aligned": Out(total)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        waits = [config.columns - 1 - col + (config.drain_adders - 1 - band) * config.bands
                 for band in range(config.drain_adders) for col in range(config.columns)]
        results = [self.results.word_select(number, self.width) for number in range(len(waits))]
        m.d.comb += self.aligned.eq(Cat(*staggered(m, results, waits, "results")))
        return m
