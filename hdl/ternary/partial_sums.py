"""The memory of a serial build: a partial sum for every row tile."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ram import MARK, memory

from .config import TernaryConfig

SHALLOW = 32
"""Row tiles up to which synthesis may keep sums in LUT RAM or flip-flops."""


class PartialSums(wiring.Component):
    """Reads and writes the sums of a row tile a cycle.

    `advance` reads the word at `number` into `sums`, or zeros with `wipe`; without it `sums`
    stays. `store` writes `data` to `stored`. A word that is read in the cycle that writes it is
    unknown. Latency one cycle; contents are unknown until written.
    """

    part_name = "partial_sums"

    def __init__(self, config: TernaryConfig):
        self.config = config
        width = config.batch * config.keys * config.acc_width
        number = range(max(2, config.row_tiles))
        super().__init__({
            "advance": In(1),
            "wipe": In(1),
            "number": In(number),
            "sums": Out(width),
            "store": In(1),
            "stored": In(number),
            "data": In(width),
        })

    def elaborate(self, platform):
        m = Module()
        depth = max(2, self.config.row_tiles)
        m.submodules.words = words = memory(
            len(self.sums), depth, "block" if depth > SHALLOW else "auto", apart=True)
        store = words.write_port()
        fetch = words.read_port(domain="comb")
        word = Signal(len(self.sums), reset_less=True, attrs={MARK: 1})
        m.d.comb += [store.addr.eq(self.stored), store.data.eq(self.data),
                     store.en.eq(self.store), fetch.addr.eq(self.number), self.sums.eq(word)]
        with m.If(self.advance & self.wipe):
            m.d.sync += word.eq(0)
        with m.Elif(self.advance):
            m.d.sync += word.eq(fetch.data)
        return m
