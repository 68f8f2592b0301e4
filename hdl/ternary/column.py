"""Fetch, reduction and accumulation of one row of the weight tile."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.adder_tree import add_with_carry
from pimlico.hdl.common.parts import place

from .config import TernaryConfig
from .fetch import Fetch
from .reduction import CarryReduction, CompressorReduction, Reduction


class Column(wiring.Component):
    """One of the K read-and-add columns: L fetches, their sum, an accumulator.

    Stages: fetch and reduce, ``pipeline`` registers inside the reduction, the partial sum, the
    accumulator. All but the accumulator move while `advance` is high; the accumulator takes
    the partial sum in a cycle with `step`, and starts afresh (from the addend, if there is
    one) when `clear` is high too.
    """

    part_name = "column"

    def __init__(self, config: TernaryConfig):
        self.config = config
        members = {
            "entries": In(config.luts * config.entries * config.entry_width),
            "keys": In(config.luts * config.key_bits),
            "advance": In(1),
            "step": In(1),
            "clear": In(1),
            "acc": Out(config.acc_width),
        }
        if config.addend:
            members["addend"] = In(config.addend_width)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        config = self.config
        fetches = []
        for table in range(config.luts):
            fetch = Fetch(config)
            m.submodules[f"fetch_{table}"] = place(platform, fetch)
            m.d.comb += [
                fetch.entries.eq(
                    self.entries.word_select(table, config.entries * config.entry_width)),
                fetch.key.eq(self.keys.word_select(table, config.key_bits)),
            ]
            fetches.append(fetch)
        m.d.comb += self.acc.eq(self._accumulate(m, platform, fetches))
        return m

    def _accumulate(self, m: Module, platform: object, fetches: list[Fetch]) -> Value:
        config = self.config
        values = [fetch.value.as_signed() for fetch in fetches]
        negates = [fetch.negate for fetch in fetches]
        style = CompressorReduction if config.adder == "compressor" else CarryReduction
        partial, carry = self._reduce(m, style(values, negates, config))
        acc = Signal(signed(config.acc_width), name="accumulator", reset_less=True)
        kept = (Mux(self.clear, self.addend.as_signed(), acc) if config.addend
                else acc & (~self.clear).replicate(config.acc_width).as_signed())
        taken = partial & self.step.replicate(len(partial)).as_signed()
        m.d.sync += acc.eq(add_with_carry(kept, taken, carry & self.step))
        return acc

    def _reduce(self, m: Module, reduction: Reduction) -> tuple[Value, Value]:
        """Takes the reduction through its levels, registers spread evenly between them."""
        stages = self.config.pipeline + 1
        levels = reduction.levels + 1  # the fetch is one
        done = 1
        for stage in range(stages):
            for _ in range(-(-(stage + 1) * levels // stages) - done):
                reduction.step(m)
                done += 1
            name = "partial" if stage == stages - 1 else f"reduce_{stage}"
            reduction.register(m, self.advance, name)
        return reduction.result
