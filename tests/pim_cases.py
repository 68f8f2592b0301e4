"""Each rule of the PIM banks by itself: commands before, one that breaks it, and when it does not.

Cycles of a case are counted from one in which the global buffer is written.
"""

from pimlico.hdl.pim.commands import Code, Op
from pimlico.verif.pim.rules import Command

APART = {"trcd_rd": 11, "trcd_wr": 9, "trcd_mac": 13, "trp": 7, "tras": 23, "trc": 41, "tccd_s": 2,
         "tccd_l": 4, "tccd_mac": 3, "trrd_s": 3, "trrd_l": 5, "tfaw": 27, "twr": 17, "twtr": 8,
         "trtp": 6, "trefi": 1000, "trfc": 61}
"""Rules of which no two take as long."""

SINGLE = {"fmt": "int8", "row_bytes": 256, "rows": 8, "banks": 8, "bank_groups": 4, "gb_cols": 8,
          "timing": APART}
DUAL = SINGLE | {"dual_row_buffer": True}
QUICK = SINGLE | {"acc_latency": 3, "timing": APART | {"tccd_mac": 1}}
PREPARED = 11
"""Cycle in which a case begins, with a global buffer that is written."""
WRITTEN = 6
"""Its columns that are, or all."""


def one(op, bank, row=0, **fields):
    return Command(op, 1 << bank, row, **fields)


def act(bank, row=1):
    return one(Op.ACT, bank, row)


def mac(bank, n=1, slot=0):
    return one(Op.MAC, bank, n=n, slot=slot)


def copy(bank, n=1):
    return one(Op.ROW_TO_GB, bank, n=n)


OPEN = (0, act(0))
TWO = [OPEN, (10, act(1))]
APART_TWO = [OPEN, (10, act(2))]
PIM_OPEN = (0, one(Op.PIM_ACT, 0, 2))
LAST = 100 + 3 * 3
"""Turn of the last of four columns of a burst that begins in cycle 100."""

WAITING = {
    "tRCD of RD": (SINGLE, [OPEN], one(Op.RD, 0), Code.TRCD, 11),
    "tRCD of WR": (SINGLE, [OPEN], one(Op.WR, 0), Code.TRCD, 9),
    "tRCD of MAC": (SINGLE, [OPEN], mac(0), Code.TRCD, 13),
    "tRCD of MAC in two banks": (
        SINGLE, TWO, Command(Op.MAC, 3, n=1), Code.TRCD, 10 + 13),
    "tRCD of ROW_TO_GB": (SINGLE, [OPEN], copy(0), Code.TRCD, 13),
    "tRCD of MAC from a buffer of its own": (DUAL, [PIM_OPEN], mac(0), Code.TRCD, 13),
    "tRAS": (SINGLE, [OPEN], one(Op.PRE, 0), Code.TRAS, 23),
    "tRAS of all": (SINGLE, TWO, Command(Op.PRE_ALL), Code.TRAS, 10 + 23),
    "tRAS of PIM_PRE": (DUAL, [PIM_OPEN], one(Op.PIM_PRE, 0), Code.TRAS, 23),
    "tRP": (SINGLE, [OPEN, (60, one(Op.PRE, 0))], act(0), Code.TRP, 67),
    "tRP of REF": (SINGLE, [OPEN, (60, Command(Op.PRE_ALL))], Command(Op.REF), Code.TRP, 67),
    "tRP of PIM_ACT": (
        DUAL, [PIM_OPEN, (60, one(Op.PIM_PRE, 0))], one(Op.PIM_ACT, 0), Code.TRP, 67),
    "tRP of REF after PIM_PRE": (
        DUAL, [PIM_OPEN, (60, one(Op.PIM_PRE, 0))], Command(Op.REF), Code.TRP, 67),
    "tRC": (SINGLE, [OPEN, (23, one(Op.PRE, 0))], act(0), Code.TRC, 41),
    "tRC of one in a group": (
        SINGLE, [OPEN, (23, one(Op.PRE, 0))], one(Op.ACT_GROUP, 1), Code.TRC, 41),
    "tRC of one in all": (SINGLE, [OPEN, (23, one(Op.PRE, 0))], Command(Op.ACT_ALL), Code.TRC, 41),
    "tRC of PIM_ACT": (
        DUAL, [PIM_OPEN, (23, one(Op.PIM_PRE, 0))], one(Op.PIM_ACT, 0), Code.TRC, 41),
    "tRRD short": (SINGLE, [OPEN], act(2), Code.TRRD, 3),
    "tRRD short of a group": (SINGLE, [OPEN], one(Op.ACT_GROUP, 3), Code.TRRD, 3),
    "tRRD long": (SINGLE, [OPEN], act(1), Code.TRRD, 5),
    "tRRD long of the bank's other buffer": (
        DUAL, [OPEN], one(Op.PIM_ACT, 0, 2), Code.TRRD, 5),
    "tFAW": (SINGLE, [OPEN, (3, act(2)), (6, act(4)), (9, act(6))], act(1), Code.TFAW, 27),
    "tFAW past the first": (
        SINGLE, [OPEN, (20, act(2)), (23, act(4)), (26, act(6)), (29, act(1))], act(3),
        Code.TFAW, 20 + 27),
    "tFAW of two at once": (
        SINGLE, [OPEN, (3, act(2)), (6, act(4))], one(Op.ACT_GROUP, 6), Code.TFAW, 27),
    "tFAW of five at once": (
        DUAL, [OPEN, (3, act(2))], Command(Op.PIM_ACT, 0xF8, 3), Code.TFAW, 3 + 27),
    "tFAW after many at once": (
        DUAL, [(0, Command(Op.PIM_ACT, 0xFC, 3))], act(0), Code.TFAW, 27),
    "tCCD short": (SINGLE, [*APART_TWO, (100, one(Op.RD, 0))], one(Op.RD, 2), Code.TCCD, 102),
    "tCCD long": (SINGLE, [*TWO, (100, one(Op.RD, 0))], one(Op.WR, 1), Code.TCCD, 104),
    "tCCD of a bank": (SINGLE, [OPEN, (100, one(Op.RD, 0))], one(Op.RD, 0), Code.TCCD, 104),
    "tCCD of RD and MAC": (SINGLE, [OPEN, (100, one(Op.RD, 0))], mac(0), Code.TCCD, 104),
    "tCCD of MAC and RD": (SINGLE, [OPEN, (100, mac(0))], one(Op.RD, 0), Code.TCCD, 104),
    "tCCD of bursts": (DUAL, [PIM_OPEN, (100, mac(0, 4))], mac(0), Code.TCCD, LAST + 3),
    "tCCD of bursts in a bank": (SINGLE, [OPEN, (100, mac(0, 4))], mac(0), Code.TCCD, LAST + 4),
    "tCCD of bursts in other banks": (
        SINGLE, [*APART_TWO, (100, mac(0, 4))], mac(2), Code.TCCD, LAST + 3),
    "tWTR": (SINGLE, [OPEN, (100, one(Op.WR, 0))], one(Op.RD, 0), Code.TWTR, 108),
    "tWTR of MAC": (SINGLE, [OPEN, (100, one(Op.WR, 0))], mac(0), Code.TWTR, 108),
    "tWTR of ROW_TO_GB": (DUAL, [OPEN, (100, one(Op.WR, 0))], copy(0), Code.TWTR, 108),
    "tWR": (SINGLE, [OPEN, (100, one(Op.WR, 0))], one(Op.PRE, 0), Code.TWR, 117),
    "tWR of all": (SINGLE, [OPEN, (100, one(Op.WR, 0))], Command(Op.PRE_ALL), Code.TWR, 117),
    "tRTP": (SINGLE, [OPEN, (100, one(Op.RD, 0))], one(Op.PRE, 0), Code.TRTP, 106),
    "tRTP from the last column": (
        SINGLE, [OPEN, (100, mac(0, 4))], one(Op.PRE, 0), Code.TRTP, LAST + 6),
    "tRTP from the last column copied": (
        SINGLE, [OPEN, (100, copy(0, 4))], one(Op.PRE, 0), Code.TRTP, LAST + 6),
    "tRTP of PIM_PRE": (
        DUAL, [PIM_OPEN, (100, mac(0, 4))], one(Op.PIM_PRE, 0), Code.TRTP, LAST + 6),
    "global buffer in a burst": (
        SINGLE, [OPEN, (100, mac(0, 4))], Command(Op.GB_WR), Code.BURST_BUSY, LAST + 1),
    "global buffer while columns settle": (
        SINGLE, [OPEN, (100, copy(0, 4))], Command(Op.GB_WR), Code.BURST_BUSY, LAST + 3),
    "read while columns settle": (
        SINGLE, [*APART_TWO, (100, copy(0, 4))], one(Op.RD, 2), Code.BURST_BUSY, LAST + 3),
    "bank in a burst": (
        SINGLE | {"timing": APART | {"tccd_s": 1, "tccd_l": 1}}, [OPEN, (100, mac(0, 4))],
        one(Op.WR, 0), Code.BURST_BUSY, LAST + 1),
    "accumulator read": (
        SINGLE, [OPEN, (100, mac(0, 4))], one(Op.ACC_RD, 3), Code.SLOT_BUSY, LAST + 6),
    "accumulator set": (
        SINGLE, [OPEN, (100, mac(0, 4))], one(Op.ACC_WR, 3), Code.SLOT_BUSY, LAST + 6),
    "the last of accumulators in turn": (
        QUICK, [OPEN, (100, mac(0, 6))], one(Op.ACC_RD, 0, slot=2), Code.SLOT_BUSY, 105 + 8),
    "the first of accumulators in turn": (
        QUICK, [OPEN, (100, mac(0, 6))], one(Op.ACC_RD, 0, slot=0), Code.SLOT_BUSY, 103 + 8),
    "addition that overlaps": (
        QUICK | {"dual_row_buffer": True}, [PIM_OPEN, (100, mac(0))], mac(0), Code.SLOT_BUSY, 103),
    "tRFC": (SINGLE, [(100, Command(Op.REF))], act(0), Code.TRFC, 161),
    "tRFC of REF": (SINGLE, [(100, Command(Op.REF))], Command(Op.REF), Code.TRFC, 161),
    "tRFC of PIM_ACT": (DUAL, [(100, Command(Op.REF))], one(Op.PIM_ACT, 0), Code.TRFC, 161),
}

WRONG = {
    "op 0": (SINGLE, [], Command(0), Code.RESERVED, None),
    "op past the last": (DUAL, [], Command(Op.PIM_PRE + 1, 1), Code.RESERVED, None),
    "PIM_ACT with one row buffer": (
        SINGLE, [], one(Op.PIM_ACT, 0), Code.RESERVED, one(Op.ACT, 0)),
    "no bank": (SINGLE, [OPEN], Command(Op.PRE), Code.INDEX_RANGE, Command(Op.PRE_ALL)),
    "two banks": (SINGLE, [], Command(Op.ACT, 3), Code.INDEX_RANGE, Command(Op.ACT, 2)),
    "two accumulators": (SINGLE, [], Command(Op.ACC_RD, 3), Code.INDEX_RANGE, one(Op.ACC_RD, 1)),
    "row": (
        SINGLE | {"rows": 2}, [], act(0, 2), Code.INDEX_RANGE, act(0, 1)),
    "accumulator": (
        SINGLE | {"acc_slots": 3}, [], one(Op.ACC_WR, 0, slot=3), Code.INDEX_RANGE,
        one(Op.ACC_WR, 0, slot=2)),
    "beats of an accumulator": (
        SINGLE, [], one(Op.ACC_WR, 0, n=2), Code.INDEX_RANGE, one(Op.ACC_WR, 0, n=1)),
    "vector": (
        SINGLE, [], Command(Op.GB_WR, slot=1), Code.INDEX_RANGE, Command(Op.GB_WR, slot=0)),
    "no column": (SINGLE, [OPEN], mac(0, 0), Code.INDEX_RANGE, mac(0, 1)),
    "no column announced": (
        SINGLE, [], Command(Op.HEADER), Code.INDEX_RANGE, Command(Op.HEADER, n=1)),
    "too few accumulators to take in turn": (
        QUICK, [OPEN], mac(0, 1, slot=3), Code.INDEX_RANGE, mac(0, 1, slot=0)),
    "column of the row": (
        SINGLE | {"gb_cols": 32}, [OPEN], one(Op.RD, 0, col=16), Code.COL_OVERRUN,
        one(Op.RD, 0, col=15)),
    "last column of the row": (
        SINGLE, [OPEN], one(Op.MAC, 0, col=12, n=5), Code.COL_OVERRUN,
        one(Op.MAC, 0, col=12, n=4)),
    "column of the global buffer": (
        SINGLE | {"gb_cols": 4}, [OPEN], one(Op.ROW_TO_GB, 0, row=1, n=4), Code.COL_OVERRUN,
        one(Op.ROW_TO_GB, 0, row=1, n=3)),
    "column never written": (
        SINGLE, [OPEN], one(Op.MAC, 0, row=3, n=4), Code.GB_UNWRITTEN, one(Op.MAC, 0, row=3, n=3)),
    "column left out": (
        SINGLE, [], Command(Op.GB_WR, col=7), Code.GB_UNWRITTEN, Command(Op.GB_WR, col=6)),
    "column of another vector": (
        SINGLE | {"reuse": 2}, [OPEN], mac(0, 1), Code.GB_UNWRITTEN, None),
    "copy that leaves one out": (
        SINGLE, [OPEN], one(Op.ROW_TO_GB, 0, row=7, n=1), Code.GB_UNWRITTEN,
        one(Op.ROW_TO_GB, 0, row=6, n=1)),
    "more than announced": (
        SINGLE, [OPEN, (10, Command(Op.HEADER, n=3)), (100, mac(0))], mac(0, 3),
        Code.HEADER_MISMATCH, mac(0, 2)),
    "refresh before all came": (
        SINGLE, [(10, Command(Op.HEADER, n=3))], Command(Op.REF), Code.HEADER_MISMATCH, None),
    "header before all came": (
        SINGLE, [(10, Command(Op.HEADER, n=3))], Command(Op.HEADER, n=1), Code.HEADER_MISMATCH,
        None),
    "closed": (SINGLE, [OPEN], one(Op.RD, 1), Code.NOT_OPEN, one(Op.RD, 0)),
    "one of two closed": (
        SINGLE, [OPEN], Command(Op.MAC, 5, n=1), Code.NOT_OPEN, mac(0)),
    "closed in the PIM buffer": (DUAL, [OPEN], mac(0), Code.NOT_OPEN, None),
    "closed again": (SINGLE, [OPEN, (60, one(Op.PRE, 0))], one(Op.PRE, 0), Code.NOT_OPEN,
                     Command(Op.PRE_ALL)),
    "open": (SINGLE, [OPEN, (60, one(Op.RD, 0))], act(0, 2), Code.ALREADY_OPEN, act(1, 2)),
    "one of all open": (SINGLE, [OPEN], Command(Op.ACT_ALL, 0, 2), Code.ALREADY_OPEN, None),
    "row in the PIM buffer": (
        DUAL, [PIM_OPEN], act(0, 2), Code.SAME_ROW_BOTH_BUFFERS, act(0, 1)),
    "row in the ordinary buffer": (
        DUAL, [OPEN], Command(Op.PIM_ACT, 3, 1), Code.SAME_ROW_BOTH_BUFFERS,
        Command(Op.PIM_ACT, 2, 1)),
    "refresh of an open bank": (SINGLE, [OPEN], Command(Op.REF), Code.REF_OPEN, None),
    "refresh of an open PIM buffer": (DUAL, [PIM_OPEN], Command(Op.REF), Code.REF_OPEN, None),
}
"""Each with the same command but for that, which is legal."""

DUE = 100 + APART["trefi"]
"""Cycle in which a refresh is due after one in cycle 100."""

LATE = {
    "activation before and with the refresh due": (
        SINGLE, [(100, Command(Op.REF)), (DUE - 1, act(0))], act(2), Code.REF_OVERDUE, DUE),
    "columns announced a cycle too late": (
        SINGLE, [(100, Command(Op.REF))], Command(Op.HEADER, n=5), Code.REF_OVERDUE, DUE - 14),
    "columns announced just in time": (
        SINGLE, [(100, Command(Op.REF)), (DUE - 12, Command(Op.HEADER, n=4))],
        Command(Op.HEADER, n=5), Code.HEADER_MISMATCH, DUE - 11),
}
"""What becomes illegal as time passes; each with a cycle in which it is."""
