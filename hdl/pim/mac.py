"""The MAC unit of a PIM bank."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .accumulators import Accumulators
from .config import PimConfig
from .dot_aligned import DotAligned
from .dot_exact import DotExact
from .dot_tree import DotTree
from .lanes import Lanes
from .pipeline import delayed

DOTS: dict[str, type[Component]] = {"exact": DotExact, "ieee_tree": DotTree, "aligned": DotAligned,
                                    "lane_mac": Lanes}


class MacUnit(Component):
    """Multiplies a column by `reuse` vectors, and adds to accumulators of a slot.

    A column may come every cycle. What that of cycle p adds is in the accumulators from cycle
    ``p + dot_latency + acc_latency`` on. Nothing stalls. The user sees to it that columns of one
    slot are `acc_latency` cycles apart at least, and that a slot is loaded, or read, only if no
    column is on its way to it. Accumulators are unknown until they are loaded.

    Values of a slot stand vector by vector, and for each lane by lane if there is an accumulator
    a lane. The arithmetic is that of `DotExact`, `DotTree`, `DotAligned` and `Lanes`, and an
    addition to an accumulator is rounded once, or wraps.

    Parameters
    ----------
    config : PimConfig

    Attributes
    ----------
    valid : In(1)
        `column` is to be multiplied.
    slot : In
    column : In
    vectors : In
        A column of every vector.
    load, load_slot, load_data : In
        Set all accumulators of a slot at the end of this cycle.
    read_slot : In
    read_data : Out
        All accumulators of a slot, as they are.
    flags : Out(2)
        Bit 0: a NaN is among `read_data`; bit 1: an infinity.
    product : Out
        What the column of `dot_latency` cycles ago adds; only with product quantization.
    """

    def __init__(self, config: PimConfig):
        self.config = config
        kind = config.acc_format.name if config.floating else "int32"
        self.part_name = (
            f"mac_{config.arith}_{config.fmt}_{config.lanes}x{config.reuse}_{kind}_"
            f"{config.subnormals}_{config.align_bits}_{config.acc_slots}_{config.acc_latency}"
            f"{'_pq' if config.pq else ''}")
        slot = max(1, (config.acc_slots - 1).bit_length())
        super().__init__({
            "valid": In(1), "slot": In(slot), "column": In(config.column_bits),
            "vectors": In(config.reuse * config.column_bits),
            "load": In(1), "load_slot": In(slot), "load_data": In(config.slot_bits),
            "read_slot": In(slot), "read_data": Out(config.slot_bits), "flags": Out(2),
            **({"product": Out(config.acc_bits)} if config.pq else {})})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        turn = Cat(self.valid, self.slot)
        begun = delayed(m, turn, config.dot_latency, "begun", control=True)
        ending = delayed(m, begun, config.acc_latency - 1, "ending", control=True)
        nans, infinities = [], []
        for vector in range(config.reuse):
            dot = DOTS[config.arith](config)
            m.submodules[f"dot_{vector}"] = place(platform, dot)
            m.d.comb += [dot.column.eq(self.column), dot.vector.eq(
                self.vectors.word_select(vector, config.column_bits))]
            if config.pq:
                m.d.comb += self.product.eq(dot.result)
            for lane in range(config.acc_lanes):
                number = vector * config.acc_lanes + lane
                accs = Accumulators(config)
                m.submodules[f"accumulators_{number}"] = place(platform, accs)
                read = self.read_data.word_select(number, config.acc_bits)
                m.d.comb += [
                    accs.addend.eq(dot.result.word_select(lane, config.acc_bits)),
                    accs.slot.eq(begun[1:]),
                    accs.sum_valid.eq(ending[0]), accs.sum_slot.eq(ending[1:]),
                    accs.load.eq(self.load), accs.load_slot.eq(self.load_slot),
                    accs.load_data.eq(self.load_data.word_select(number, config.acc_bits)),
                    accs.read_slot.eq(self.read_slot), read.eq(accs.read_data)]
                if config.floating:
                    nan, infinite = self._special(accs.read_data)
                    nans.append(nan)
                    infinities.append(infinite)
        # driven for integers too: a port without a driver is unknown in Verilog
        m.d.comb += self.flags.eq(Cat(Cat(*nans).any(), Cat(*infinities).any()))
        return m

    def _special(self, number: Value) -> tuple[Value, Value]:
        """Whether a number is NaN, and whether it is infinity."""
        kind = self.config.acc_format
        special = number[kind.fraction_bits:kind.width - 1].all()
        some = number[:kind.fraction_bits].any()
        return special & some, special & ~some
