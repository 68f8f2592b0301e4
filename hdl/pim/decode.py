"""A command taken apart: what needs no state is found out before the command is checked."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.component import fields

from .commands import DUAL_ONLY, OP_BITS, TAG_BITS, Op
from .config import PimConfig

KINDS = {
    "activate": (Op.ACT, Op.ACT_GROUP, Op.ACT_ALL), "pim_activate": (Op.PIM_ACT,),
    "precharge": (Op.PRE,), "precharge_all": (Op.PRE_ALL,), "pim_precharge": (Op.PIM_PRE,),
    "read": (Op.RD,), "write": (Op.WR,), "gb_write": (Op.GB_WR,), "copy": (Op.ROW_TO_GB,),
    "mac": (Op.MAC,), "acc_write": (Op.ACC_WR,), "acc_read": (Op.ACC_RD,),
    "refresh": (Op.REF,), "header": (Op.HEADER,),
}
ONE_BANK = (Op.ACT, Op.ACT_GROUP, Op.RD, Op.WR, Op.ROW_TO_GB, Op.ACC_RD)
BANKS = (Op.PRE, Op.MAC, Op.ACC_WR, Op.PIM_ACT, Op.PIM_PRE)
BURSTS = (Op.MAC, Op.ROW_TO_GB)
ACTIVATIONS = (*KINDS["activate"], Op.PIM_ACT)


def decoded_layout(config: PimConfig) -> data.StructLayout:
    """A command as it is checked.

    ``mask`` has all banks that the command is for, but those of PRE_ALL. ``counted``: one of
    four activations in a window; ``others``: banks beyond the first that it opens, up to 3.
    ``gb_end``: the column of the global buffer after the burst's last. ``header_cycles``: what
    the columns announced take; ``header_late``: they do not have them before refresh is due.
    """
    end = max(config.row_field, config.n_field) + 1
    return data.StructLayout({
        "op": OP_BITS, "tag": TAG_BITS, "mask": config.banks, "row": config.row_field,
        "col": config.col_field, "slot": config.slot_field, "n": config.n_field,
        **dict.fromkeys(KINDS, 1), "counted": 1, "others": 2,
        "reserved": 1, "index_range": 1, "col_overrun": 1,
        "gb_end": end, "header_cycles": (((1 << config.n_field) - 1)
                                         * config.timing.tccd_mac).bit_length(),
        "header_late": 1,
    })


class Decoder(wiring.Component):
    """Decodes a beat of cmd into the command register.

    Attributes
    ----------
    payload : In
    load : In(1)
        At this edge.
    cycles_left : In
        Until refresh is due.
    refreshes : In(1)
        REF is carried out in this cycle.
    command : Out
        See `decoded_layout`.
    """

    part_name = "decoder"

    def __init__(self, config: PimConfig):
        self.config = config
        super().__init__({"payload": In(config.port("cmd").width), "load": In(1),
                          "cycles_left": In(range(config.timing.trefi + 1)), "refreshes": In(1),
                          "command": Out(decoded_layout(config))})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        given = fields(config.port("cmd"), self.payload)
        op, n = given["op"], given["n"]
        ops = [op for op in Op if config.dual_row_buffer or op not in DUAL_ONLY]

        def among(*chosen: Op) -> Value:
            return Cat(op == each for each in chosen if each in ops).any()

        mask = given["bank_mask"]
        size = config.group_banks
        groups = [mask[at:at + size].any() for at in range(0, config.banks, size)]
        in_group = Cat(group.replicate(size) for group in groups)
        every, none = among(Op.ACT_ALL, Op.REF), among(Op.PRE_ALL, Op.GB_WR, Op.HEADER)
        banks, end = Signal(config.banks), Signal.like(self.command.gb_end, name="end")
        cycles = Signal.like(self.command.header_cycles, name="cycles")
        m.d.comb += [
            cycles.eq(n * config.timing.tccd_mac),
            banks.eq(Mux(every, Const(-1, config.banks), Mux(op == Op.ACT_GROUP, in_group, mask))
                     & (~none).replicate(config.banks)),
            end.eq(given["row"] + n)]
        counted = op == Op.ACT if config.timing.faw_exempt else among(*ACTIVATIONS)
        count = Mux(among(*BURSTS), n, 1)
        decoded = {
            **{name: given[name] for name in ("op", "tag", "row", "col", "slot", "n")},
            **{kind: among(*kinds) for kind, kinds in KINDS.items()},
            "mask": banks, "counted": counted, "others": _others(m, banks),
            "reserved": ~among(*ops), "index_range": self._out_of_range(given, among),
            "col_overrun": (
                (among(Op.RD, Op.WR, *BURSTS) & (given["col"] + count > config.cols))
                | (among(*BURSTS) & (end > config.gb_cols))
                | ((op == Op.GB_WR) & (given["col"] >= config.gb_cols))),
            "gb_end": end, "header_cycles": cycles, "header_late": self._late(cycles),
        }
        with m.If(self.load):
            m.d.sync += [self.command[name].eq(value) for name, value in decoded.items()]
        with m.Else():
            m.d.sync += self.command.header_late.eq(self._late(self.command.header_cycles))
        return m

    def _late(self, cycles: Value) -> Value:
        """Whether in the next cycle so many are more than there are until refresh is due.

        Compared a cycle ahead: a comparison of so many bits would be the slowest of all rules.
        """
        return Mux(self.refreshes, cycles >= self.config.timing.trefi, cycles >= self.cycles_left)

    def _out_of_range(self, given: dict[str, Value], among: Callable[..., Value]) -> Value:
        config, mask, slot, n = self.config, given["bank_mask"], given["slot"], given["n"]
        single = mask.any() & ~(mask & (mask - 1)[:config.banks]).any()
        mac_slots = range(0, config.acc_slots - config.rotation + 1, config.rotation)
        return ((among(*ONE_BANK) & ~single) | (among(*BANKS) & ~mask.any())
                | (among(*ACTIVATIONS) & (given["row"] >= config.rows))
                | (among(*BURSTS, Op.HEADER) & (n == 0)) | (among(Op.ACC_WR) & (n > 1))
                | (among(Op.ACC_WR, Op.ACC_RD) & (slot >= config.acc_slots))
                | (among(Op.GB_WR, Op.ROW_TO_GB) & (slot >= config.reuse))
                | (among(Op.MAC) & ~Cat(slot == each for each in mac_slots).any()))


def _others(m: Module, mask: Value) -> Value:
    """How many bits beyond the first are set, up to 3."""
    ones = Signal(range(len(mask) + 1), name="ones")
    m.d.comb += ones.eq(sum(mask[1:], mask[0]) if len(mask) > 1 else mask)
    if len(mask) < 4:
        return Mux(ones == 0, 0, ones - 1)
    return Mux(ones >= 4, 3, Mux(ones == 0, 0, ones[:2] - 1))
