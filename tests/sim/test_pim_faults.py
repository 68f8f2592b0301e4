"""Broken PIM banks, one fault each, do not pass the bench."""

import pytest
from pim_cases import DUAL, SINGLE
from pim_configs import SMALL
from pim_faults import RULES, caught

from pimlico.hdl.pim import (
    activations,
    bank,
    bank_rules,
    burst,
    channel,
    checker,
    global_buffer,
    refresh,
    replies,
    row_buffer,
    slots,
)
from pimlico.hdl.pim.config import PimConfig

TIMING = {
    "MAC a cycle before tRCD": (
        SINGLE, row_buffer, bank_rules, "act.below(t.trcd_mac,", "act.below(t.trcd_mac - 1,"),
    "PRE a cycle before tRAS": (
        SINGLE, row_buffer, bank_rules, "act.below(t.tras,", "act.below(t.tras - 1,"),
    "ACT only a cycle after tRC": (
        SINGLE, row_buffer, bank_rules, "act.below(t.trc,", "act.below(t.trc + 1,"),
    "ACT a cycle before tRP": (
        SINGLE, row_buffer, bank_rules, "pre.below(t.trp)", "pre.below(t.trp - 1)"),
    "PRE a cycle before tWR": (
        SINGLE, row_buffer, bank_rules, "write.below(t.twr,", "write.below(t.twr - 1,"),
    "read a cycle before tWTR": (
        SINGLE, row_buffer, bank_rules, "write.below(t.twtr,", "write.below(t.twtr - 1,"),
    "tRTP from the first column of a burst": (
        SINGLE, bank_rules, checker, "ordinary.read.eq((here & command.read) | turns)",
        "ordinary.read.eq(here & (command.read | command.mac | command.copy))"),
    "tRTP of the PIM buffer from the first column": (
        DUAL, bank_rules, checker, "pim.read.eq(self.turn_mac)",
        "pim.read.eq(here & command.mac)"),
    "ACT of a group after tRRD short": (
        SINGLE, activations, checker, "since.below(t.trrd_l)", "since.below(t.trrd_s)"),
    "fifth ACT a cycle before tFAW": (
        SINGLE, activations, checker, "Cat(age < t.tfaw - 1 for", "Cat(age < t.tfaw - 2 for"),
    "PIM_ACT of many banks counts for one": (
        DUAL, activations, checker, "[1] * (others + 1) + older", "[1] + older[:-1]"),
    "RD a cycle before tCCD short": (
        SINGLE, checker, channel, ".below(t.tccd_s)]", ".below(t.tccd_s - 1)]"),
    "column every tCCD + 1": (
        SINGLE, burst, channel, "wait.eq(gap - 1 if on_sums is None",
        "wait.eq(gap if on_sums is None"),
    "ACT a cycle before tRFC": (
        SINGLE, refresh, checker, ".below(t.trfc)", ".below(t.trfc - 1)"),
    "RD beside a copy": (
        SINGLE, checker, channel, "command.gb_write | command.read),", "command.gb_write),"),
    "accumulator a cycle before its sum": (
        SINGLE, slots, channel, "age.below(config.column_latency,",
        "age.below(config.column_latency - 1,"),
    "refresh a cycle late": (
        SINGLE, refresh, checker, "left.eq(t.trefi - 1)", "left.eq(t.trefi)"),
}
"""Caught by each rule by itself."""

OTHERS = {
    "last code that applies": (
        "int8-dual", checker, channel, "for each in reversed(Code)", "for each in Code"),
    "last bank at fault": (
        "int8-dual", checker, channel, "for number in reversed(range(config.banks)):\n"
        "            first", "for number in range(config.banks):\n            first"),
    "refused PRE closes": (
        "int8", bank_rules, checker, "ordinary.precharge.eq(here & closes)",
        "ordinary.precharge.eq(self.target & closes)"),
    "refused ACC_WR clears": (
        "int8", channel, None, "(accept & checked.acc_write).rep", "(checked.acc_write).rep"),
    "refused MAC counts as announced": (
        "int8", refresh, checker, "m.Elif(self.accept & command.mac)", "m.Elif(command.mac)"),
    "all columns go to the first accumulator": (
        "int8", bank, channel, "mac.slot.eq(slot)", "mac.slot.eq(0)"),
    "a burst takes one accumulator too many": (
        "int8-reuse", burst, channel, "first == config.rotation - 1", "first == config.rotation"),
    "last column of the global buffer counts as unwritten": (
        "int8", global_buffer, channel, "command.gb_end, command.col + 1)",
        "command.gb_end, command.col)"),
    "vectors change places": (
        "int8-reuse", global_buffer, channel, "words.append(ram.q)", "words.insert(0, ram.q)"),
    "MAC reads the ordinary row": (
        "int8-dual", bank, channel, "self.pim_row)", "self.row)"),
    "column dropped under back-pressure": (
        "int8", replies, channel, "self.room.eq(count != READS)", "self.room.eq(1)"),
    "result dropped under back-pressure": (
        "int8", replies, channel, "self.room.eq((count != 2) | taken)", "self.room.eq(1)"),
    "refusal dropped under back-pressure": (
        "int8", channel, None, "free.eq(~self.status.valid | self.status.ready)", "free.eq(1)"),
}
"""Caught by the block's own stimulus."""

DEEP = {"PRE a cycle before tRAS", "ACT only a cycle after tRC", "ACT a cycle before tRP",
        "PRE a cycle before tWR", "ACT a cycle before tRFC", "RD a cycle before tCCD short",
        "tRTP of the PIM buffer from the first column", "last bank at fault",
        "refused MAC counts as announced", "vectors change places",
        "result dropped under back-pressure", "last code that applies"}
"""Faults much like another, which the proofs find too."""


def cases(faults):
    return [pytest.param(fault, marks=[pytest.mark.deep] * (fault in DEEP)) for fault in faults]


@pytest.mark.parametrize("fault", cases(TIMING))
def test_broken_rule_is_caught(monkeypatch, fault, seed):
    parameters, *change = TIMING[fault]
    caught(monkeypatch, PimConfig(**parameters), seed, *change, cycles=50_000, stimulus=RULES)


@pytest.mark.parametrize("fault", cases(OTHERS))
def test_broken_rtl_is_caught(monkeypatch, fault, seed):
    case, *change = OTHERS[fault]
    caught(monkeypatch, PimConfig(**SMALL[case]), seed, *change, cycles=20_000)
