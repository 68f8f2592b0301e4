"""Values added to the results that pass by stationary weights."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.ram import memory

from .config import BitsliceConfig
from .split_sum import SplitSum


class Addend(Component):
    """Keeps the values that came with activations until their results come. Latency ``sum_stages``
    cycles.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    put : In(1)
        Activations are issued, with these values.
    values : In
        A payload of the ``d`` stream.
    used : In(1)
        The job has values at all.
    i_valid : In(1)
    results, totals : In, Out
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        data = config.results * config.result_width
        # digits that come one by one are summed before
        width = config.result_width if config.positions > 1 else config.aligned_width
        self.width = width
        super().__init__({"put": In(1), "values": In(config.port("d").width), "used": In(1),
                          "i_valid": In(1), "results": In(config.results * width),
                          "totals": Out(data)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        depth = 1 << (config.drain_delay + 1).bit_length()
        m.submodules.waiting = waiting = memory(len(self.values), depth)
        store, fetch = waiting.write_port(), waiting.read_port(domain="comb")
        head = Signal(range(depth))
        tail = Signal(range(depth))
        m.d.sync += [tail.eq(tail + self.put), head.eq(head + self.i_valid)]
        m.d.comb += [store.addr.eq(tail), store.data.eq(self.values), store.en.eq(self.put),
                     fetch.addr.eq(head)]
        totals = []
        for number in range(config.results):
            m.submodules[f"add_{number}"] = total = SplitSum(config.result_width, config.sum_stages)
            value = fetch.data.word_select(number, config.d_width)
            gated = value & self.used.replicate(config.d_width)
            m.d.comb += [total.x.eq(self.results.word_select(number, self.width).as_signed()),
                         total.y.eq(gated.as_signed())]
            totals.append(total.total)
        m.d.comb += self.totals.eq(Cat(*totals))
        return m
