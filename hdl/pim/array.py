"""The memory of a bank."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ram import MARK, Ram, memory

from .config import PimConfig


class Array(wiring.Component):
    """Columns of all rows, read or written one a cycle; with two row buffers, one more is read.

    On an ASIC the place of the DRAM array. Contents are unknown until written, and so are columns
    read in the cycle that writes them, which row buffers with different rows never ask for.

    Attributes
    ----------
    address : In
    read, write : In(1)
        Not both.
    data : In
    word : Out
        The column read, from the next cycle on.
    pim_address, pim_read, pim_word
        The same of the second port, if there is one.
    """

    part_name = "array"

    def __init__(self, config: PimConfig):
        self.config = config
        self.depth = config.rows * config.cols
        pim = {}
        if config.dual_row_buffer:
            pim = {"pim_address": In(range(self.depth)), "pim_read": In(1),
                   "pim_word": Out(config.column_bits)}
        super().__init__({"address": In(range(self.depth)), "read": In(1), "write": In(1),
                          "data": In(config.column_bits), "word": Out(config.column_bits), **pim})

    def elaborate(self, platform):
        m = Module()
        if not self.config.dual_row_buffer:
            m.submodules.ram = ram = Ram(self.config.column_bits, self.depth)
            m.d.comb += [ram.address.eq(self.address), ram.enable.eq(self.read | self.write),
                         ram.write.eq(self.write), ram.data.eq(self.data), self.word.eq(ram.q)]
            return m
        m.submodules.words = words = memory(self.config.column_bits, self.depth, apart=True)
        store, fetch = words.write_port(), words.read_port(domain="comb")
        pim_fetch = words.read_port(domain="comb")
        word = Signal(self.config.column_bits, reset_less=True, attrs={MARK: 1}, name="fetched")
        pim_word = Signal.like(word, reset_less=True, attrs={MARK: 1}, name="pim_fetched")
        m.d.comb += [store.addr.eq(self.address), store.data.eq(self.data),
                     store.en.eq(self.write), fetch.addr.eq(self.address),
                     pim_fetch.addr.eq(self.pim_address), self.word.eq(word),
                     self.pim_word.eq(pim_word)]
        with m.If(self.read):
            m.d.sync += word.eq(fetch.data)
        with m.If(self.pim_read):
            m.d.sync += pim_word.eq(pim_fetch.data)
        return m
