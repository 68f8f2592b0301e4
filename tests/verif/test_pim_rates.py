"""Rates of the PIM banks: rows, columns, and reads beside the multiplication."""

from itertools import pairwise

import numpy as np
import pytest
from pim_configs import FAST, SHORT
from pim_play import Played

from pimlico.generators.load import load
from pimlico.hdl.pim.commands import Code, Op
from pimlico.hdl.pim.config import PimBankConfig, PimConfig
from pimlico.hdl.pim.timing import DEVICES
from pimlico.verif.pim.rules import Command, Rules
from pimlico.verif.pim.script import Commands
from pimlico.verif.pim.workloads import schedule

SELDOM = {"trefi": 60000}
"""Rules under which no refresh is due."""

QUICK = FAST | SELDOM
TIMINGS = {**{name: {"base": name} for name in DEVICES}, "short": SHORT | SELDOM, "fast": QUICK}


def waiting(**parameters):
    """A maker of commands that are all offered at once, for a channel in which they wait."""
    config = PimConfig(**{"fmt": "int8", "strict": False} | parameters)
    return Commands(config, np.random.default_rng(0))


@pytest.mark.parametrize("timing", TIMINGS)
@pytest.mark.parametrize("dual", [False, True])
def test_rows_follow_each_other_after_the_cycles_of_the_closed_form(timing, dual):
    for n in (1, 2, 7, 32):
        commands = waiting(banks=1, timing=TIMINGS[timing], dual_row_buffer=dual,
                           row_bytes=512, gb_cols=32)
        commands.buffer(n)
        for row in range(4):
            commands.open(row)
            commands.issue(Op.MAC, 1, n=n)
            commands.close()
        played = Played(commands.config, commands.script.episode("rows"))
        assert played.refusals == []
        opened = [leaves for command, leaves in zip(
            played.fields("cmd"), played.leaves(), strict=False)
            if command["op"] in (Op.ACT_ALL, Op.PIM_ACT)]
        rows = commands.config.row_cycles(n)
        assert [later - earlier for earlier, later in pairwise(opened)] == [rows] * 3
        t = commands.config.timing
        if n == 32:
            assert rows == t.trcd_mac + 31 * t.tccd_mac + t.trtp + t.trp


@pytest.mark.parametrize("tccd", [1, 2, 3, 4])
@pytest.mark.parametrize("latency", [1, 2, 3])
def test_a_column_every_tccd_with_four_accumulators(tccd, latency):
    """In a burst, and from each to the next, whichever accumulators they take."""
    commands = waiting(banks=1, acc_latency=latency, timing=QUICK | {"tccd_mac": tccd},
                       row_bytes=512, dual_row_buffer=True)
    config, n = commands.config, 6
    assert config.interval == tccd and config.acc_slots == 4
    commands.buffer(n)
    commands.open(0)
    bursts = [*config_slots(config), *config_slots(config)] * 2
    for slot in bursts:
        commands.issue(Op.MAC, 1, n=n, slot=slot)
    commands.close()
    played = Played(config, commands.script.episode("bursts"))
    began = [leaves for command, leaves in zip(played.fields("cmd"), played.leaves(),
                                               strict=False) if command["op"] == Op.MAC]
    assert len(began) == len(bursts) >= 4
    assert {later - earlier for earlier, later in pairwise(began)} == {n * tccd}


def config_slots(config):
    return range(0, config.acc_slots - config.rotation + 1, config.rotation)


def test_a_read_a_cycle():
    """In banks of two groups in turn; what is on its way fits where it waits."""
    commands = waiting(banks=4, bank_groups=2, timing="hbm2_neupims")
    for bank in (0, 2):
        commands.issue(Op.ACT, 1 << bank)
    for col in range(16):
        for bank in (2, 0):
            commands.issue(Op.RD, 1 << bank, col=col)
    commands.issue(Op.PRE_ALL)
    played = Played(commands.config, commands.script.episode("reads"))
    cycles = played.cycles("rdata")
    assert len(cycles) == 32
    assert {later - earlier for earlier, later in pairwise(cycles)} == {1}


def channel(dual):
    preset = load("pim-channel", preset="neupims").config.model_dump()
    return PimConfig(**preset | {"dual_row_buffer": dual})


@pytest.fixture(scope="module")
def work():
    """The work of NeuPIMs: 64 rows of 32 columns, and 2048 reads beside or none."""
    return {(dual, reads): schedule(channel(dual), 64, 32, reads)
            for dual in (False, True) for reads in (0, 2048)}


def test_reads_beside_slow_the_multiplication_by_a_hundredth_at_most(work):
    alone, beside = work[True, 0], work[True, 2048]
    assert beside.count(Op.RD) == 2048 and beside.count(Op.MAC) == 64
    assert beside.pim_cycles <= 1.01 * alone.pim_cycles
    assert beside.last(Op.RD) < beside.last(Op.PIM_PRE), "all of them are beside"


def test_the_same_work_is_a_third_faster_with_two_row_buffers(work):
    single, dual = work[False, 2048], work[True, 2048]
    for op in (Op.RD, Op.MAC):
        assert single.count(op) == dual.count(op)
    assert single.cycles >= 1.35 * dual.cycles
    # one row buffer is put to its best use: hardly more than all columns one after the other
    rows, refreshes = 64 * channel(False).row_cycles(32), single.count(Op.REF)
    assert single.cycles <= rows + 2048 + refreshes * 260 + 0.05 * rows
    assert work[False, 0].cycles == work[True, 0].cycles


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("changes", [
    {}, {"banks": 1, "bank_groups": 1, "gb_cols": 8, "reuse": 2},
    {"banks": 8, "bank_groups": 4, "timing": FAST}, {"timing": "gddr6_aim"}], ids=str)
def test_schedules_are_legal_and_on_time(dual, changes, seed):
    """Every command in the cycle that the schedule gives, and every read beside comes back."""
    config = PimConfig(**{"fmt": "int8", "bank_groups": 2, "rows": 8, "row_bytes": 256,
                          "dual_row_buffer": dual} | changes)
    plan = schedule(config, 9, 7, 100)
    assert {op: plan.count(op) for op in (Op.MAC, Op.RD)} == {Op.MAC: 9, Op.RD: 100}
    rules = Rules(config)
    for cycle, command in plan.commands:
        rules.now = cycle
        assert rules.check(command)[0] == Code.OK
        rules.apply(command)
    commands = Commands(config, np.random.default_rng(seed))
    played = Played(config, plan.episode(config, [commands.column() for _ in range(5)]))
    assert played.refusals == []
    assert played.cycles("cmd") == [cycle - 1 for cycle, _ in plan.commands]
    assert len(played.beats["rdata"]) == 100


def test_a_bank_alone_takes_the_same_schedule():
    bank = PimBankConfig(fmt="int8", rows=8, row_bytes=256)
    assert schedule(bank, 4, 5, 20).commands == schedule(
        PimConfig(**bank.model_dump()), 4, 5, 20).commands
    assert schedule(bank, 1, 5).commands[-1][1] == Command(Op.PRE_ALL, 1)
