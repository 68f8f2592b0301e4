"""Each rule of the PIM banks by itself: refused a cycle too early, carried out on time.

Codes are those of the golden rules, and the only ones that the log has against the command.
"""

import pytest
from pim_cases import (
    APART,
    DUAL,
    LATE,
    OPEN,
    PREPARED,
    SINGLE,
    WAITING,
    WRITTEN,
    WRONG,
    act,
    mac,
    one,
)
from pim_log import Log, reasons
from pim_table_cases import BESIDE
from pim_table_cases import WAITING as TABLES_WAITING
from pim_table_cases import WRONG as TABLES_WRONG

from pimlico.hdl.pim.commands import PQ_ONLY, WAITS, Code, Op
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.pim.rules import Command, Rules

ALL_WAITING, ALL_WRONG = WAITING | TABLES_WAITING, WRONG | TABLES_WRONG


class Prepared:
    """Rules and log after commands that are all legal; the global buffer is written up to 6."""

    def __init__(self, parameters, before):
        config = PimConfig(**parameters)
        self.rules, self.log = Rules(config), Log(config)
        for col in range(min(WRITTEN, config.gb_cols)):
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


@pytest.mark.parametrize("case", ALL_WAITING)
def test_a_cycle_too_early_is_refused_and_on_time_is_not(case):
    parameters, before, command, code, first = ALL_WAITING[case]
    prepared = Prepared(parameters, before)
    assert prepared.check(first - 1, command) == (code, {code})
    assert prepared.check(first, command) == (Code.OK, set())
    for cycle in range(before[-1][0] + 1, first):
        assert prepared.check(cycle, command)[0] >= WAITS


def test_every_code_that_ends_by_waiting_has_its_case():
    assert {code for _, _, _, code, _ in WAITING.values()} == {
        code for code in Code if code >= WAITS}


@pytest.mark.parametrize("case", ALL_WRONG)
def test_what_no_waiting_makes_legal(case):
    parameters, before, command, code, legal = ALL_WRONG[case]
    prepared = Prepared(parameters, before)
    for cycle in (200, 900):
        assert prepared.check(cycle, command) == (code, {code})
        if legal is not None:
            assert prepared.check(cycle, legal) == (Code.OK, set())


def test_every_code_that_no_waiting_ends_has_its_case():
    assert {code for _, _, _, code, _ in WRONG.values()} | {Code.REF_OVERDUE} == {
        code for code in Code if Code.OK < code < WAITS}


def test_every_command_of_tables_has_its_cases():
    codes = {}
    for _, _, command, code, *_ in (*TABLES_WAITING.values(), *TABLES_WRONG.values()):
        codes.setdefault(command.op, set()).add(code)
    always = {Code.RESERVED, Code.INDEX_RANGE, Code.COL_OVERRUN, Code.BURST_BUSY, Code.TCCD}
    row = always | {Code.NOT_OPEN, Code.TRCD}
    expected = dict.fromkeys((Op.ROW_TO_OB, Op.LUT_SUM, Op.BIN_ADD), row | {Code.TWTR}) | {
        Op.PQ_CONFIG: always, Op.SUMS_TO_ROW: row,
        Op.LUT_BUILD: row | {Code.TWTR, Code.GB_UNWRITTEN},
        Op.BIN_MAC: row | {Code.TWTR, Code.HEADER_MISMATCH}}
    assert {op: codes[op] for op in PQ_ONLY} == expected


@pytest.mark.parametrize("case", BESIDE)
def test_what_goes_on_beside_a_burst_on_sums(case):
    parameters, before, commands = BESIDE[case]
    prepared = Prepared(parameters, before)
    start, burst = before[-1]
    end = prepared.rules.turns(burst) * prepared.rules.gap(burst.op) + start
    for command in commands:
        for cycle in range(start + 1, end):
            assert prepared.check(cycle, command) == (Code.OK, set())


@pytest.mark.parametrize("case", LATE)
def test_what_is_too_late(case):
    parameters, before, command, code, late = LATE[case]
    assert Prepared(parameters, before).check(late, command)[0] == code


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
