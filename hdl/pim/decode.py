"""A command taken apart: what needs no state is found out before the command is checked."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.component import fields

from .commands import OP_BITS, PQ_ONLY, TAG_BITS, Op, known
from .config import PimConfig

KINDS = {
    "activate": (Op.ACT, Op.ACT_GROUP, Op.ACT_ALL), "pim_activate": (Op.PIM_ACT,),
    "precharge": (Op.PRE,), "precharge_all": (Op.PRE_ALL,), "pim_precharge": (Op.PIM_PRE,),
    "read": (Op.RD,), "write": (Op.WR,), "gb_write": (Op.GB_WR,), "copy": (Op.ROW_TO_GB,),
    "mac": (Op.MAC,), "acc_write": (Op.ACC_WR,), "acc_read": (Op.ACC_RD,),
    "refresh": (Op.REF,), "header": (Op.HEADER,),
}
PQ_KINDS = {
    "mac": (Op.MAC, Op.BIN_MAC), "bin_mac": (Op.BIN_MAC,), "load": (Op.ROW_TO_OB,),
    "store": (Op.SUMS_TO_ROW,), "prepare": (Op.PQ_CONFIG,), "build": (Op.LUT_BUILD,),
    "lookup": (Op.LUT_SUM,), "bin": (Op.BIN_ADD,),
}
ON_SUMS = ("load", "store", "prepare", "build", "lookup", "bin")
"""Kinds of bursts on a bank's sums or operand buffer, and nothing else."""

ONE_BANK = (Op.ACT, Op.ACT_GROUP, Op.RD, Op.WR, Op.ROW_TO_GB, Op.ACC_RD)
BANKS = (Op.PRE, Op.MAC, Op.ACC_WR, Op.PIM_ACT, Op.PIM_PRE, *PQ_ONLY)
BURSTS = (Op.MAC, Op.ROW_TO_GB, *PQ_ONLY)
COLUMNS = (Op.RD, Op.WR, *(op for op in BURSTS if op not in (Op.PQ_CONFIG, Op.LUT_SUM)))
"""Commands that name columns of a row by number."""

ACTIVATIONS = (*KINDS["activate"], Op.PIM_ACT)


def kinds(config: PimConfig) -> dict[str, tuple[Op, ...]]:
    """The commands of each kind."""
    return {**KINDS, **PQ_KINDS} if config.pq else KINDS


def flags_of(config: PimConfig, flags: data.View, *kinds: str) -> list[Value]:
    """Of bursts on sums, where there are any: a flag for each of these kinds."""
    return [flags[kind] for kind in kinds] if config.pq else []


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
        **dict.fromkeys(kinds(config), 1), "counted": 1, "others": 2,
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
        ops = known(config.dual_row_buffer, config.pq)

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
            **{kind: among(*of_kind) for kind, of_kind in kinds(config).items()},
            "mask": banks, "counted": counted, "others": _others(m, banks),
            "reserved": ~among(*ops), "index_range": self._out_of_range(given, among),
            "col_overrun": any_of(
                among(*COLUMNS) & (given["col"] + count > config.cols),
                among(Op.MAC, Op.ROW_TO_GB) & (end > config.gb_cols),
                (op == Op.GB_WR) & (given["col"] >= config.gb_cols),
                *self._sums_overrun(given, end)),
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

    def _sums_overrun(self, given: dict[str, Value], end: Value) -> list[Value]:
        """Columns past the end of operand buffer, sums, codebook or tables."""
        config, op, n = self.config, given["op"], given["n"]
        if not config.pq:
            return []
        operands = (Op.PQ_CONFIG, Op.LUT_SUM, Op.BIN_ADD, Op.BIN_MAC, Op.ROW_TO_OB)
        elements = n * (config.column_indices // config.lanes)
        centroids = given["slot"] * config.cols + given["col"] + n
        return [
            Cat(op == each for each in operands).any() & (end > config.operand_cols),
            (op == Op.SUMS_TO_ROW) & (end > config.cols),
            (op == Op.LUT_SUM) & (given["col"] + n > config.token_groups),
            (op == Op.BIN_ADD) & (given["col"] + elements > config.cols),
            (op == Op.LUT_BUILD) & ((given["row"] >= config.pq_m)
                                    | (centroids > config.codebook_cols))]

    def _out_of_range(self, given: dict[str, Value], among: Callable[..., Value]) -> Value:
        config, op = self.config, given["op"]
        mask, slot, n = given["bank_mask"], given["slot"], given["n"]
        single = mask.any() & ~(mask & (mask - 1)[:config.banks]).any()
        mac_slots = range(0, config.acc_slots - config.rotation + 1, config.rotation)
        tables = [(op == Op.PQ_CONFIG) & (slot > 1),
                  (op == Op.LUT_SUM) & (slot >= config.row_tables)] if config.pq else []
        return any_of(
            among(*ONE_BANK) & ~single, among(*BANKS) & ~mask.any(),
            among(*ACTIVATIONS) & (given["row"] >= config.rows),
            among(*BURSTS, Op.HEADER) & (n == 0), among(Op.ACC_WR) & (n > 1),
            among(Op.ACC_WR, Op.ACC_RD) & (slot >= config.acc_slots),
            among(Op.GB_WR, Op.ROW_TO_GB) & (slot >= config.reuse),
            among(Op.MAC, Op.BIN_MAC) & ~Cat(slot == each for each in mac_slots).any(), *tables)


def any_of(first: Value, *others: Value) -> Value:
    """Whether any of some bits is set."""
    return reduce(or_, others, first)


def _others(m: Module, mask: Value) -> Value:
    """How many bits beyond the first are set, up to 3."""
    ones = Signal(range(len(mask) + 1), name="ones")
    m.d.comb += ones.eq(sum(mask[1:], mask[0]) if len(mask) > 1 else mask)
    if len(mask) < 4:
        return Mux(ones == 0, 0, ones - 1)
    return Mux(ones >= 4, 3, Mux(ones == 0, 0, ones[:2] - 1))
