"""Synthesises the claims of Geens et al. (arXiv 2604.25183) again: prints a table, draws a plot.

Transistors a multiply-accumulate a cycle, of whole cores: job control, handshakes, accumulators.
The multiplier array is the core without tables whose rows multiply activations by weights. These
are −1, 0 or +1 whatever their format, and synthesis leaves little of a floating multiplier that
knows it: so one that does not is counted too.

Floating cores, multiplier arrays of more than 16 rows and the core of 60 columns are synthesised
with 4 and with 8 rows, and their figures are on the line through these: rows are alike and all
else is there once. The array has at most 24 columns; there is none to compare 60 columns with.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import matplotlib
from amaranth.back import verilog
from amaranth.hdl import Cat, Module, Mux, Signal, signed
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Printed

from pimlico.constraints.synth import synthesise
from pimlico.generators.ternary import BLOCK
from pimlico.generators.verilog import emit
from pimlico.hdl.common.adder_tree import Term, add_level
from pimlico.hdl.common.float.config import FORMATS
from pimlico.hdl.common.float.multiply import FloatMultiply
from pimlico.hdl.common.parts import place
from pimlico.hdl.ternary.column import Column
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.hdl.ternary.core import TernaryGemm
from pimlico.hdl.ternary.float_column import FloatColumn
from pimlico.hdl.ternary.parameters import FLOATING
from pimlico.hdl.ternary.reduction import hold

matplotlib.use("Agg")
from matplotlib import pyplot

PLOT = Path(__file__).parent / "img" / "ternary-claims.png"
COLUMNS = 12


class MultiplierColumn(Column):
    """A `Column` that multiplies: by a weight of two bits, its key as a signed number."""

    part_name = "multiplier_column"

    def elaborate(self, platform):
        m = Module()
        config = self.config
        terms = []
        bound = 1 << config.act_bits - 1
        for number in range(config.luts):
            entry = self.entries.word_select(number, config.act_bits).as_signed()
            index, sign = self.keys.word_select(number, 2)
            weight = Signal(signed(2), name=f"weight_{number}")
            product = Signal(signed(config.act_bits + 1), name=f"product_{number}")
            m.d.comb += [weight.eq(Cat(index, sign & index)), product.eq(entry * weight)]
            terms.append(Term(product, -bound, bound))
        while len(terms) > 1:
            terms, _ = add_level(terms, [])
        partial = hold(m, self.advance, terms[0].value, "partial")
        acc = Signal(signed(config.acc_width), name="accumulator", reset_less=True)
        kept = acc & (~self.clear).replicate(len(acc)).as_signed()
        taken = partial & self.step.replicate(len(partial)).as_signed()
        m.d.sync += acc.eq(kept + taken)
        m.d.comb += self.acc.eq(acc)
        return m


class FloatMultiplierColumn(FloatColumn):
    """A `FloatColumn` whose activations come multiplied by a weight in their format."""

    part_name = "float_multiplier_column"

    def elaborate(self, platform):
        m = Module()
        config = self.config
        form = FORMATS[config.act]
        m.submodules.column = column = FloatColumn(config)
        products = []
        for number in range(config.luts):
            part = FloatMultiply(form, form, form, config.subnormals)
            m.submodules[f"multiply_{number}"] = place(platform, part)
            index, sign = self.keys.word_select(number, 2)
            one = form.bias << form.fraction_bits
            m.d.comb += [
                part.a.eq(self.entries.word_select(number, config.act_bits)),
                part.b.eq(Mux(index, one, 0) | (sign << form.width - 1))]
            products.append(part.result)
        plus = Cat(*(Cat(1, 0) for _ in range(config.luts)))
        m.d.comb += [column.entries.eq(Cat(*products)), column.keys.eq(plus),
                     column.advance.eq(self.advance), column.step.eq(self.step),
                     column.clear.eq(self.clear), self.acc.eq(column.acc)]
        return m


class MultiplierArray(TernaryGemm):
    """The core with multipliers in the place of tables."""

    def column(self) -> Column:
        return (FloatMultiplierColumn if self.config.floating else MultiplierColumn)(self.config)


class Core(NamedTuple):
    """A core of the sweep: its activations, µ (0: multipliers), columns and rows a beat."""

    act: str
    mu: int
    columns: int
    keys: int

    @property
    def label(self) -> str:
        kind = "multipliers" if self.mu == 0 else "no table" if self.mu == 1 else f"µ={self.mu}"
        return f"{kind}, {self.columns} × {self.keys}"

    def transistors(self) -> float:
        """A multiply-accumulate a cycle."""
        if self.act in FLOATING or self.columns > 24 or (self.mu == 0 and self.keys > 16):
            few, more = (self._replace(keys=keys).whole() for keys in (4, 8))
            total = few + (more - few) * (self.keys - 4) / 4
        else:
            total = self.whole()
        return total / (self.columns * self.keys)

    def whole(self) -> int:
        """All of the core."""
        mu = max(1, self.mu)
        config = TernaryConfig(act=self.act, table="ff" if self.mu > 1 else "none", mu=mu,
                               luts=self.columns // mu, keys=self.keys)
        assert config.columns == self.columns
        block = BLOCK if self.mu else replace(BLOCK, component=f"{__name__}:MultiplierArray")
        emitted = emit(block, config)
        return int(synthesise(emitted.text, emitted.top, "cmos")["transistors"])


BEST_MU = [Core(act, mu, COLUMNS, keys) for act in ("int4", "int8", "fp16")
           for keys in (16, 64) for mu in range(1, 5)]
TILES = [Core("int8", 2, columns, keys) for columns, keys in ((12, 16), (24, 32), (60, 64))]
ARRAYS = [Core("int4", 0, 12, 16), Core("int4", 0, 12, 64), Core("int8", 0, 12, 16),
          Core("int8", 0, 12, 64), Core("int8", 0, 24, 32),
          Core("fp16", 0, 12, 16), Core("fp16", 0, 12, 64)]


def free_multiplier() -> int:
    """Transistors of a multiplier of FP16 numbers, of which none is known to be a weight."""
    form = FORMATS["fp16"]
    part = FloatMultiply(form, form, form)
    text = verilog.convert(part, name="multiplier", ports=[part.a, part.b, part.result],
                           emit_src=False, strip_internal_attrs=True)
    return int(synthesise(text, "multiplier", "cmos")["transistors"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="activation type")
    chosen = parser.parse_args().only
    cores = [core for core in dict.fromkeys([*BEST_MU, *ARRAYS, *TILES])
             if chosen in (None, core.act)]
    measured = {}
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("synthesising", total=len(cores))
        for core in cores:
            measured[core] = core.transistors()
            progress.advance(task)
    out = Printed("activations", "core", "transistors a MAC a cycle", "multiplier array over it")
    for core, figure in measured.items():
        array = measured.get(core._replace(mu=0))
        out.add_row(core.act, core.label, f"{figure:.1f}",
                    f"{array / figure:.2f}" if array else "")
    Console(width=100).print(out)
    if chosen in (None, "fp16"):
        part = free_multiplier()
        best = measured[Core("fp16", 3, COLUMNS, 64)]
        array = measured[Core("fp16", 1, COLUMNS, 64)] + part
        print(f"multiplier of any two FP16 numbers: {part} transistors; no table, 12 × 64, and one "
              f"of these for each multiply-accumulate: {array:.1f}, {array / best:.2f} times µ=3")
    if chosen is None:
        draw(measured)
    return 0


def draw(measured: dict[Core, float]) -> None:
    """The plot of the page."""
    figure, axes = pyplot.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
    for axis, act in zip(axes, ("int4", "int8", "fp16"), strict=True):
        for keys in (16, 64):
            points = [(core.mu, measured[core]) for core in BEST_MU
                      if core.act == act and core.keys == keys]
            line, = axis.plot(*zip(*points, strict=True), marker="o", label=f"{keys} rows")
            axis.axhline(measured[Core(act, 0, COLUMNS, keys)], linestyle="--",
                         color=line.get_color(), label=f"multipliers, {keys} rows")
            best = min(points, key=lambda point: point[1])
            axis.plot(*best, marker="o", markersize=12, fillstyle="none", color="black")
        axis.set(title=act.upper(), xlabel="µ (1: no table)", xticks=range(1, 5), ylim=(0, None))
    axes[0].set_ylabel("transistors a MAC a cycle")
    axes[0].legend(loc="lower left")
    figure.savefig(PLOT, dpi=150)


if __name__ == "__main__":
    sys.exit(main())
