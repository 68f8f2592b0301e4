"""What a cfg beat asks for, decoded and judged."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib.data import StructLayout, View
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.component import fields

from .config import FULL, KEEP, PRELOAD, REFINE, BitsliceConfig
from .extend import extend


def job_layout(config: BitsliceConfig) -> StructLayout:
    """A job as the datapath needs it.

    ``cases`` and ``a_bits`` are one hot: the way slices make results, of ``config.cases``, and
    the width of activations, of ``config.a_widths``. ``beats`` and ``group`` count beats. Zero
    points as they came.
    """
    return StructLayout({
        "beats": config.length_bits, "group": config.length_bits, "tiles": 16,
        "cases": len(config.cases), "a_bits": len(config.a_widths), "a_signed": 1, "w_signed": 1,
        "reads_w": 1, "reads_low": 1, "keep": 1, "preload": 1,
        **({"a_zero": config.a_width, "w_zero": config.w_width} if config.zero_points else {})})


class Decode(Component):
    """The job of a cfg payload. Combinational.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    cfg : In
        Payload.
    kept : In(1)
        There are results to go on from,
    room : In
        to which so many products can be added.
    job : Out
    length : Out
        As cfg has it.
    code : Out(4)
        Why the job is refused, 0 if it is not.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        super().__init__({"cfg": In(config.port("cfg").width), "kept": In(1),
                          "room": In(config.length_bits), "job": Out(job_layout(config)),
                          "length": Out(config.length_bits), "code": Out(4)})

    def elaborate(self, platform):
        m = Module()
        config, job = self.config, self.job
        cfg = fields(config.port("cfg"), self.cfg)
        length, tiles = cfg["length"], cfg["tiles"]
        group = cfg.get("group_len", C(0, 1))
        nest = cfg.get("nest", C(FULL, 2))
        start = cfg.get("start", C(0, 2))
        whole = config.beat_k.bit_length() - 1 if config.dataflow == "os" else 0
        wide = self._mode_is(cfg["mode"], lambda mode: mode.w == 8)
        full = Signal()
        m.d.comb += [
            full.eq(nest == FULL),
            self.length.eq(length),
            job.beats.eq(length >> whole),
            job.group.eq(Mux(group == 0, length, group) >> whole),
            job.tiles.eq(tiles),
            job.cases.eq(Cat(*(
                self._mode_is(cfg["mode"], lambda mode, w=w: mode.w == w) & (nest == half)
                for w, half in config.cases))),
            job.a_bits.eq(Cat(*(
                self._mode_is(cfg["mode"], lambda mode, a=a: mode.a == a)
                for a in config.a_widths))),
            job.a_signed.eq(cfg.get("a_signed", C(config.a_signed == "signed", 1))),
            job.w_signed.eq(cfg.get("w_signed", C(config.w_signed == "signed", 1))),
            job.reads_w.eq(nest != REFINE),
            job.reads_low.eq(C(config.nested, 1) & wide & (nest[0] == 0)),
            job.keep.eq(start == KEEP),
            job.preload.eq(start == PRELOAD),
        ]
        if config.zero_points:
            m.d.comb += [job.a_zero.eq(cfg["a_zero"]), job.w_zero.eq(cfg["w_zero"])]
        rules = [
            (1, length == 0),
            (2, length > config.length_max),
            (3, length[:whole].any() if whole else C(0, 1)),
            (4, self._bad_group(m, group, length)),
            (5, cfg["mode"] >= len(config.modes)),
            (6, tiles == 0),
            (7, nest.all() | (~full & ~wide)),
            (8, self._bad_start(start, tiles, group, length)),
        ]
        for number, bad in reversed(rules):
            with m.If(bad):
                m.d.comb += self.code.eq(number)
        return m

    def _mode_is(self, number: Value, holds) -> Value:
        chosen = [number == index for index, mode in enumerate(self.config.mode) if holds(mode)]
        return reduce(or_, chosen, C(0, 1))

    def _bad_group(self, m: Module, group: Value, length: Value) -> Value:
        if self.config.dataflow == "ws":
            return C(0, 1)
        below = Signal(self.config.length_bits, name="below_group")  # bits that group is above
        m.d.comb += below.eq(Cat(*(group[bit + 1:].any() for bit in range(len(group) - 1))))
        return (group != 0) & ((group & below).any() | (length & below).any()
                               | (group < self.config.beat_k))

    def _bad_start(self, start: Value, tiles: Value, group: Value,
                   length: Value) -> Value:
        config = self.config
        if config.dataflow == "ws":
            return (start != 0) & (start != PRELOAD)
        several = (tiles != 1) | (group != 0)
        overflows = ~self.kept | (length > self.room)
        known = (start == KEEP) | ((start == PRELOAD) & C(config.preload, 1))
        return (start != 0) & (several | ~known | ((start == KEEP) & overflows))


def zero_of_a(m: Module, config: BitsliceConfig, job: View) -> Signal:
    """The zero point of activations, as wide as they are inside."""
    return extend(m, job.a_zero, config.a_widths, job.a_bits, job.a_signed, config.a_bits,
                  "zero_of_a")
