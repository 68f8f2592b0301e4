"""Table stage for floating activations."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value

from pimlico.hdl.common.float.add import FloatAdd
from pimlico.hdl.common.parts import place

from .table import Table, leading_and_rest


class FloatTable(Table):
    """A `Table` whose sums are each rounded to nearest even in the activations' format.

    Every entry is one addition: its leading activation plus or minus an earlier entry.
    """

    part_name = "float_table"

    def elaborate(self, platform):
        m = Module()
        config = self.config
        activations = [self.activations.word_select(i, config.act_bits) for i in range(config.mu)]
        sums: dict[int, Value] = {}
        entries = []
        for index in range(1, config.entries + 1):
            first, rest = leading_and_rest(index, config.mu)
            if rest:
                form = config.act_float
                adder = FloatAdd(form, form, form, config.subnormals)
                m.submodules[f"add_{index}"] = place(platform, adder)
                earlier = sums[abs(rest)]
                m.d.comb += [
                    adder.a.eq(activations[first]),
                    adder.b.eq(Cat(earlier[:-1], earlier[-1] ^ (rest < 0)))]
                sums[index] = adder.result
            else:
                sums[index] = activations[first]
            entry = Signal(config.act_bits, name=f"entry_{index}", reset_less=True)
            with m.If(self.load):
                m.d.sync += entry.eq(sums[index])
            entries.append(entry)
        m.d.comb += self.entries.eq(Cat(*entries))
        return m
