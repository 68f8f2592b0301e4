"""The proofs of the PIM banks, and that each fails on banks that are broken."""

from pathlib import Path

import pytest
from mutants import broken

from pimlico.generators.block import find
from pimlico.hdl.pim import (
    activations,
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
from pimlico.hdl.pim.properties import properties
from pimlico.sim.prove import prove

BLOCK = find("pim-channel")
DUAL = {"dual_row_buffer": True}
PQ = {"pq": True}


def test_every_property_is_proved_by_induction():
    config = PimConfig(**DUAL, bank_groups=2)
    assert all(each.induction for each in properties(config))
    assert _not_proved(prove(BLOCK, config)) == {}


@pytest.mark.deep
@pytest.mark.parametrize("more", [
    {"banks": 16, "bank_groups": 4, "timing": "gddr6_aim"},
    {"strict": False, "reuse": 2, "banks": 1},
    {"acc_latency": 2, "timing": {"base": "hbm2_neupims", "tccd_mac": 1}, "gb_cols": 1},
    PQ | {"strict": False}, PQ | DUAL,
], ids=["groups", "waits", "rotation", "tables", "tables beside"])
def test_other_makes_are_proved(more):
    assert _not_proved(prove(BLOCK, PimConfig(**more))) == {}


def _not_proved(result):
    return {name: each["counterexample"] for name, each in result["properties"].items()
            if each["status"] != "proved"}


BREAKS = [
    ("status-holds", channel, channel, "free.eq(~self.status.valid | self.status.ready)",
     "free.eq(1)", {}),
    ("rdata-holds", replies, channel, "waiting.r_en.eq(self.o.ready)", "waiting.r_en.eq(1)", {}),
    ("replies-kept", replies, channel, "self.room.eq((count != 2) | taken)", "self.room.eq(1)", {}),
    ("refused-unseen", bank_rules, checker, "ordinary.precharge.eq(here & closes)",
     "ordinary.precharge.eq(self.target & closes)", {}),
    ("bank-timing", row_buffer, bank_rules, "pre.below(t.trp)", "pre.below(t.trp - 1)", {}),
    ("bank-timing", bank_rules, checker, "(command.read | bursts) & ordinary.soon_wtr",
     "command.read & ordinary.soon_wtr", {}),
    ("bank-timing", bank_rules, checker, "(closes | command.read | command.write) & running",
     "(command.read | command.write) & running", {}),
    ("channel-timing", activations, checker, "Cat(age < t.tfaw - 1 for age in ages)",
     "Cat(age < t.tfaw - 2 for age in ages)", {}),
    ("refresh", refresh, checker, ".below(t.trfc)", ".below(t.trfc - 1)", {}),
    ("burst-columns", burst, channel, "left.eq(command.n - ends), mask",
     "left.eq(command.n), mask", {}),
    ("slots", slots, channel, "(turn.slot == number)", "(turn.slot == number + 1)", {}),
    ("buffer-written", global_buffer, channel, "command.gb_end > count", "command.row > count",
     {}),
    ("pim-timing", bank_rules, checker, "command.pim_activate & ordinary.open &",
     "command.pim_activate & ~ordinary.open &", DUAL),
    ("burst-columns", burst, channel, "settling.eq(config.pq_settles)",
     "settling.eq(config.pq_settles - 1)", PQ),
    ("buffer-written", global_buffer, channel, "(command.row >= mine)", "(command.row > mine)", PQ),
    ("bank-timing", bank_rules, checker, "bursts |= command.load", "pass", PQ),
]
LONG = {1, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15}
"""Left to long runs: much like their neighbours."""


@pytest.mark.parametrize(
    "name, module, user, sound, wrong, more",
    [pytest.param(*each, id=f"{each[0]}-{each[4]}", marks=[pytest.mark.deep] * (number in LONG))
     for number, each in enumerate(BREAKS)])
def test_a_broken_channel_fails(monkeypatch, tmp_path, name, module, user, sound, wrong, more):
    broken(monkeypatch, module, sound, wrong, users=(user,))
    result = prove(BLOCK, PimConfig(**more), only=[name], traces=tmp_path)
    found = result["properties"][name]
    assert not result["passed"]
    assert found["status"] == "failed"
    assert found["counterexample"].startswith("broken in cycle ")
    assert Path(found["trace"]).read_text().startswith("$")
