"""The values that results start from: kept from the results before, or loaded."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.ram import memory

from .config import BitsliceConfig
from .delays import delays
from .job import job_layout
from .split_sum import SplitSum


class Start(Component):
    """Adds the values that the results of a tile start from. Latency ``sum_stages`` cycles.

    A memory keeps the results of the last tile. The next may go on from them, or from values
    that the ``d`` stream loads in their place before the tile's last beat is issued.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    d : stream
        Only with ``preload``.
    started : In(1)
        A job begins.
    busy : In(1)
    job : In
    loaded : Out(1)
        The values are there.
    i_valid, o_valid : In(1), Out(1)
    row : In
        Index of the beat in its tile.
    results : In
    totals : Out
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        data = config.results * config.result_width
        d = {"d": In(stream.Signature(config.port("d").width))} if config.preload else {}
        super().__init__({**d, "started": In(1), "busy": In(1), "job": In(job_layout(config)),
                          "loaded": Out(1), "i_valid": In(1), "row": In(config.row_bits),
                          "results": In(config.results * config.aligned_width),
                          "o_valid": Out(1), "totals": Out(data)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.kept = kept = memory(len(self.totals), max(2, config.bands))
        store, fetch = kept.write_port(), kept.read_port(domain="comb")
        stages = config.sum_stages
        valid = delays(m, self.i_valid, stages + 1, "valid", True)[stages]
        row = delays(m, self.row, stages + 1, "row")[stages]
        begins = Signal()
        m.d.comb += [fetch.addr.eq(self.row), begins.eq(self.job.keep | self.job.preload)]
        totals = []
        for number in range(config.results):
            m.submodules[f"add_{number}"] = total = SplitSum(config.result_width, stages)
            start = fetch.data.word_select(number, config.result_width)
            m.d.comb += [total.x.eq(
                self.results.word_select(number, config.aligned_width).as_signed()),
                         total.y.eq(start & begins.replicate(config.result_width))]
            totals.append(total.total)
        m.d.comb += [self.totals.eq(Cat(*totals)), self.o_valid.eq(valid),
                     store.addr.eq(row), store.data.eq(self.totals), store.en.eq(valid)]
        if config.preload:
            self._load(m, store)
        else:
            m.d.comb += self.loaded.eq(1)
        return m

    def _load(self, m: Module, store) -> None:
        """Rows of the d stream go in before any result of the tile can come."""
        config = self.config
        count = Signal(range(config.bands + 1))
        wants = Signal()
        values = [self.d.payload.word_select(number, config.d_width).as_signed()
                  for number in range(config.results)]
        wide = Signal(len(self.totals))
        m.d.comb += [
            self.loaded.eq(~self.job.preload | (count == config.bands)),
            wants.eq(self.busy & ~self.loaded),
            self.d.ready.eq(wants),
            wide.eq(Cat(*(Cat(value, value[-1].replicate(
                config.result_width - config.d_width)) for value in values))),
        ]
        with m.If(self.started):
            m.d.sync += count.eq(0)
        with m.If(wants):
            m.d.comb += [store.addr.eq(count), store.data.eq(wide), store.en.eq(self.d.valid)]
            with m.If(self.d.valid):
                m.d.sync += count.eq(count + 1)
