"""Results that left column after column and band after band, side by side again."""

from __future__ import annotations

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import Component, In, Out

from .delays import delays
from .config import BitsliceConfig


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
        self.width = config.products * config.result_width
        total = config.drain_adders * config.cols * self.width
        super().__init__({"results": In(total), "aligned": Out(total)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        out = []
        for band in range(config.drain_adders):
            for col in range(config.cols):
                wait = (config.cols - 1 - col
                        + (config.drain_adders - 1 - band) * config.bands)
                number = band * config.cols + col
                result = self.results.word_select(number, self.width)
                out.append(delays(m, result, wait + 1, f"result_{band}_{col}")[wait])
        m.d.comb += self.aligned.eq(Cat(*out))
        return m
