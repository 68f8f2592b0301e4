"""Which rows of the running pass's sequence hold something: a bit a row, without a sweep."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ram import memory

from .config import GROUP, KvConfig, count
from .passes import constants


class Validity(wiring.Component):
    """The validity bit of the current row, read a group of rows ahead and rewritten row by row.

    Rows are visited in order, from the first, in every pass. A bit means something only below
    `extent`, which grows by one with each row that is visited for the first time in a pass of
    all layers; so the bits need no clearing, and no initial value.

    ``load`` begins a pass with the rows of `sequence` and `extent_before`; ``step`` leaves the
    current row, valid or not as `ok` says. ``valid`` is of the current row, from the cycle
    after `load` or `step` on. ``extent`` is what it will be after this cycle.
    """

    part_name = "validity"

    def __init__(self, config: KvConfig):
        self.config = config
        self.groups = -(-config.tokens // GROUP)
        super().__init__({
            "load": In(1), "sequence": In(config.sequence_bits),
            "extent_before": In(config.extent_bits),
            "step": In(1), "ok": In(1), "valid": Out(1), "extent": Out(config.extent_bits),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        depth = config.sequences * self.groups
        m.submodules.bits = bits = memory(GROUP, max(2, depth))
        read, write = bits.read_port(domain="comb"), bits.write_port()

        row = Signal(count(config.tokens), reset_less=True)
        extent = Signal(config.extent_bits, reset_less=True)
        at = Signal(count(depth), reset_less=True)
        old_bits = Signal(GROUP, reset_less=True)
        new_bits = Signal(GROUP, reset_less=True)
        inside = Signal()
        position = row[:2]
        last = Signal()
        m.d.comb += [
            last.eq(position == GROUP - 1),
            inside.eq(row != extent),
            self.valid.eq(inside & Array(old_bits)[position]),
            self.extent.eq(Mux(self.step & ~inside, extent + 1, extent)),
        ]
        m.d.comb += [
            write.en.eq(self.step), write.addr.eq(at),
            write.data.eq(Cat(*(Mux(position == bit, self.ok,
                                    Mux(position > bit, new_bits[bit], old_bits[bit]))
                                for bit in range(GROUP)))),
            read.addr.eq(at + 1),
        ]
        with m.If(self.load):
            bases = [self.groups * number for number in range(config.sequences)]
            base = constants(self.sequence, bases, len(at))
            m.d.comb += read.addr.eq(base)
            m.d.sync += [row.eq(0), extent.eq(self.extent_before), at.eq(base)]
        with m.Elif(self.step):
            m.d.sync += [row.eq(row + 1), extent.eq(self.extent), new_bits.eq(write.data)]
            with m.If(last):
                m.d.sync += at.eq(at + 1)
        with m.If(self.load | self.step & last):
            m.d.sync += old_bits.eq(read.data)
        return m
