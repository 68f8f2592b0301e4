"""The proofs of the history buffer, and that each fails on a buffer that is broken."""

from pathlib import Path

import pytest
from mutants import broken

from pimlico.generators.block import find
from pimlico.hdl.kv import account, address, core, passes, validity, walk
from pimlico.hdl.kv.config import KvConfig
from pimlico.hdl.kv.properties import properties
from pimlico.sim.prove import prove

BLOCK = find("kv-history")
BOUNDED = {"refusal-unseen", "tracked-row"}


def test_every_property_is_proved():
    result = prove(BLOCK, KvConfig())
    assert _not_proved(result) == {}
    assert result["passed"]
    modes = {name: each["mode"] for name, each in result["properties"].items()}
    assert {name for name, mode in modes.items() if mode == "bounded"} == BOUNDED


@pytest.mark.parametrize("more", [
    {"append": True, "sequences": 3},
    pytest.param({"overflow": "dense_tail", "append": True}, marks=pytest.mark.deep),
    {"beat_elems": 32, "sequences": 2, "banks": 2},
    {"row_elems": 24, "tokens": 300, "order": "k_then_v"},
    {"memory": "ultra", "order": "interleaved"},
    pytest.param({"quant": "int8", "append": True}, marks=pytest.mark.deep),
], ids=["append", "dense_tail", "one-beat", "three-beats", "bypass", "int8"])
def test_other_makes_are_proved_by_induction(more):
    config = KvConfig(**more)
    inductive = [each.name for each in properties(config) if each.induction]
    assert _not_proved(prove(BLOCK, config, only=inductive)) == {}


def _not_proved(result):
    return {name: each["counterexample"] for name, each in result["properties"].items()
            if each["status"] != "proved"}


BREAKS = [
    ("kv-holds", core, "free.eq(~self.kv.valid | self.kv.ready)", "free.eq(1)", {}),
    ("done-holds", passes, "self.idle.eq(~self.active | self.taken)", "self.idle.eq(1)", {}),
    ("order", core, "walk.room.eq(~memory_full | free)", "walk.room.eq(1)", {}),
    ("order", walk, "Mux(self.appends, appended, reached)", "reached", {"append": True}),
    ("fresh-beats", walk, "self.take_fresh.eq(self.take &", "self.take_fresh.eq(self.enter &", {}),
    ("fresh-beats", account, "C(size + 1)", "C(size)", {"beat_elems": 32}),
    ("rate", walk, "self.calm & known & ~self.stream)",
     "self.calm & known & ~self.stream & self.fresh_valid)", {}),
    ("holes-are-zeros", core, "(walk.hollow | alone)", "alone", {}),
    ("streamed-data", core, "with m.If(alone):", "with m.If(0):", {"append": True}),
    ("refusal", passes, "(rows > config.tokens)", "(rows >= config.tokens)", {}),
    ("refusal", passes, "Mux(self.reset.valid, ~self.idle & (forget == self.of), ~self.idle)",
     "~self.reset.valid & ~self.idle", {}),
    ("refusal-unseen", passes, "right.eq(~broken.any())", "right.eq(~broken[:-1].any())", {}),
    ("writes", walk, "self.keep.eq(self.take & ~self.tail)", "self.keep.eq(self.enter)", {}),
    ("reads", address, "Cat(self.number[pack:beats], row)", "Cat(row, self.number[pack:beats])",
     {}),
    ("streamed-data", core, "streamed = Mux(walk.appended, self.append.payload[:bits], streamed)",
     "streamed = self.append.payload[:bits]", {"append": True}),
    ("tracked-row", validity, "self.valid.eq(~beyond & bit)", "self.valid.eq(bit)", {}),
    ("tracked-row", validity, "Mux(position == bit, self.ok, word[bit])",
     "Mux(position == bit, 1, word[bit])", {}),
]


@pytest.mark.parametrize("name, module, sound, wrong, more", BREAKS,
                         ids=[f"{name}-{wrong}" for name, _, _, wrong, _ in BREAKS])
def test_a_broken_core_fails(monkeypatch, tmp_path, name, module, sound, wrong, more):
    broken(monkeypatch, module, sound, wrong, users=(core,))
    result = prove(BLOCK, KvConfig(**more), only=[name], traces=tmp_path)
    found = result["properties"][name]
    assert not result["passed"]
    assert found["status"] == "failed"
    assert found["counterexample"].startswith("broken in cycle ")
    assert Path(found["trace"]).read_text().startswith("$")
