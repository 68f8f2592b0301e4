"""Results that left column after column and band after band, side by side again."""

from __future__ import annotations

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import Component, In, Out

from .config import BitsliceConfig
from .delays import delays


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
        self.width = config.column_results * config.result_width
        total = config.drain_adders * config.columns * self.width
        super().__init__({"results": In(total), "aligned": Out(total)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        out = []
        for band in range(config.drain_adders):
            for col in range(config.columns):
                wait = (config.columns - 1 - col
                        + (config.drain_adders - 1 - band) * config.bands)
                number = band * config.columns + col
                result = self.results.word_select(number, self.width)
                out.append(delays(m, result, wait + 1, f"result_{band}_{col}")[wait])
        m.d.comb += self.aligned.eq(Cat(*out))
        return m
