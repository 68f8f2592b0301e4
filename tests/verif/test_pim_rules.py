"""Each rule of the PIM banks by itself: refused a cycle too early, carried out on time.

Codes are those of the golden rules, and the only ones that the log has against the command.
"""

import pytest
from pim_log import Log, reasons

from pimlico.hdl.pim.commands import WAITS, Code, Op
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.pim.rules import Command, Rules

APART = {"trcd_rd": 11, "trcd_wr": 9, "trcd_mac": 13, "trp": 7, "tras": 23, "trc": 41, "tccd_s": 2,
         "tccd_l": 4, "tccd_mac": 3, "trrd_s": 3, "trrd_l": 5, "tfaw": 27, "twr": 17, "twtr": 8,
         "trtp": 6, "trefi": 1000, "trfc": 61}
"""Rules of which no two take as long."""

SINGLE = {"fmt": "int8", "row_bytes": 256, "rows": 8, "banks": 8, "bank_groups": 4, "gb_cols": 8,
          "timing": APART}
DUAL = SINGLE | {"dual_row_buffer": True}
QUICK = SINGLE | {"acc_latency": 3, "timing": APART | {"tccd_mac": 1}}
PREPARED = 10
"""Cycle in which a case begins, with a global buffer that is written."""


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


class Prepared:
    """Rules and log after commands that are all legal; the global buffer is written up to 6."""

    def __init__(self, parameters, before):
        config = PimConfig(**parameters)
        self.rules, self.log = Rules(config), Log(config)
        for col in range(min(6, config.gb_cols)):
            self.apply(col - PREPARED, Command(Op.GB_WR, col=col))
        for cycle, command in before:
            self.apply(cycle, command)

    def apply(self, cycle, command):
        assert self.check(cycle, command) == (Code.OK, set()), (cycle, command)
        self.rules.apply(command)
        self.log.add(self.rules.now, command)

    def check(self, cycle, command):
        """The rules' code, and all that the log has against the command."""
        self.rules.now = cycle + PREPARED
        return self.rules.check(command)[0], {
            code for code, _ in reasons(self.log, command, self.rules.now)}


@pytest.mark.parametrize("case", WAITING)
def test_a_cycle_too_early_is_refused_and_on_time_is_not(case):
    parameters, before, command, code, first = WAITING[case]
    prepared = Prepared(parameters, before)
    assert prepared.check(first - 1, command) == (code, {code})
    assert prepared.check(first, command) == (Code.OK, set())
    for cycle in range(before[-1][0] + 1, first):
        assert prepared.check(cycle, command)[0] >= WAITS


def test_every_code_that_ends_by_waiting_has_its_case():
    assert {code for _, _, _, code, _ in WAITING.values()} == {
        code for code in Code if code >= WAITS}


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
        SINGLE, [OPEN], one(Op.RD, 0, col=16), Code.COL_OVERRUN, one(Op.RD, 0, col=15)),
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


@pytest.mark.parametrize("case", WRONG)
def test_what_no_waiting_makes_legal(case):
    parameters, before, command, code, legal = WRONG[case]
    prepared = Prepared(parameters, before)
    for cycle in (200, 900):
        assert prepared.check(cycle, command) == (code, {code})
        if legal is not None:
            assert prepared.check(cycle, legal) == (Code.OK, set())


def test_every_code_that_no_waiting_ends_has_its_case():
    assert {code for _, _, _, code, _ in WRONG.values()} | {Code.REF_OVERDUE} == {
        code for code in Code if Code.OK < code < WAITS}


@pytest.mark.parametrize("command", [act(0), Command(Op.ACT_ALL), one(Op.PIM_ACT, 0, 2)])
def test_a_refresh_is_due_after_trefi_and_only_activations_wait_for_it(command):
    prepared = Prepared(DUAL, [])
    due = APART["trefi"] - PREPARED
    for _ in range(3):
        assert prepared.check(due - 1, command) == (Code.OK, set())
        assert prepared.check(due, command) == (Code.REF_OVERDUE, {Code.REF_OVERDUE})
        prepared.apply(due + 50, Command(Op.REF))
        due += 50 + APART["trefi"]
    prepared.apply(due - 1, act(0))
    prepared.apply(due + 50, one(Op.RD, 0))
    prepared.apply(due + 100, one(Op.PRE, 0))


def test_columns_announced_have_time_before_the_refresh():
    prepared = Prepared(SINGLE, [OPEN])
    for n in (1, 5, 16):
        last = APART["trefi"] - PREPARED - 3 * n
        header = Command(Op.HEADER, n=n)
        assert prepared.check(last, header) == (Code.OK, set())
        assert prepared.check(last + 1, header) == (Code.REF_OVERDUE, {Code.REF_OVERDUE})


def test_one_row_buffer_does_not_see_the_other():
    """Reads, writes and PRE beside a burst in the same bank, and activations beside it."""
    burst = [OPEN, (10, one(Op.PIM_ACT, 0, 2)), (100, mac(0, 6))]
    for command in (one(Op.RD, 0), one(Op.WR, 0), one(Op.PRE, 0), act(1)):
        prepared = Prepared(DUAL, burst)
        for cycle in range(101, 120):
            assert prepared.check(cycle, command) == (Code.OK, set())
    prepared = Prepared(DUAL, burst)
    prepared.apply(101, one(Op.PRE, 0))
    assert prepared.check(102, one(Op.PIM_PRE, 0))[0] == Code.BURST_BUSY


def test_exempt_activations_of_many_banks_neither_wait_nor_count():
    exempt = SINGLE | {"timing": APART | {"faw_exempt": True}}
    four = [(3 * at, act(2 * at)) for at in range(4)]
    for parameters, code in ((SINGLE, Code.TFAW), (exempt, Code.OK)):
        prepared = Prepared(parameters | {"banks": 16, "bank_groups": 8}, four)
        assert prepared.check(13, one(Op.ACT_GROUP, 8))[0] == code
    prepared = Prepared(exempt, [(0, Command(Op.ACT_ALL)), (23, Command(Op.PRE_ALL))])
    prepared = Prepared(exempt, [(0, one(Op.ACT_GROUP, 0)), (3, one(Op.ACT_GROUP, 2)),
                                 (6, one(Op.ACT_GROUP, 4))])
    assert prepared.check(9, act(6)) == (Code.OK, set())
