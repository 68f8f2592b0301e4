"""The proofs of the OMAP controller, and that each fails on a controller that is broken."""

import pytest
from mutants import broken

from pimlico.generators.block import find
from pimlico.hdl.omap import buffer, bus, core, index, pending, records, response
from pimlico.hdl.omap.bounded import Steps
from pimlico.hdl.omap.config import OmapConfig
from pimlico.sim.prove import prove

BLOCK = find("omap-controller")


def test_every_property_is_proved_by_induction():
    result = prove(BLOCK, OmapConfig())
    assert not_proved(result) == {}
    assert result["passed"]
    assert {each["mode"] for each in result["properties"].values()} == {"induction"}


@pytest.mark.parametrize("more", [
    {"bus": "duplex"},
    {"value_width": 512, "beat_width": 64},
    {"value_width": 40, "beat_width": 64, "bus": "duplex", "index_hash": "fixed"},
    pytest.param({"slots": 4, "cipher": "ascon_aead128", "cipher_rounds_per_cycle": 4},
                 marks=pytest.mark.deep),
], ids=["duplex", "parts", "one-lane", "sealed"])
def test_other_makes_are_proved(more):
    names = ["same-trace", *(["rounds", "req-holds", "revealed-once", "bounded-completion"]
                             if "cipher" not in more else [])]
    result = prove(BLOCK, OmapConfig(**more), only=names)
    assert not_proved(result) == {}


@pytest.mark.parametrize("more", [
    {"value_width": 512, "beat_width": 64}, {"value_width": 40, "beat_width": 64},
    {"beat_width": 32}, {"merge_budget": 1}, {"beat_width": 128}, {},
])
@pytest.mark.parametrize("bus", ["shared", "duplex"])
def test_the_bound_that_is_proved_is_the_interval(bus, more):
    config = OmapConfig(bus=bus, **more)
    assert Steps(config).interval(config) == config.interval


def not_proved(result):
    return {name: each["counterexample"] for name, each in result["properties"].items()
            if each["status"] != "proved"}


BREAKS = [
    ("rsp-holds", response, "& (~self.rsp.valid | self.rsp.ready)", "", "rsp: the payload"),
    ("wdata-holds", bus, "(~self.beats.valid | self.beats.ready)", "1", "wdata: the payload"),
    # the deliberate faults that change the trace itself
    ("same-trace", core, "responder.direct.eq(~commit)", "responder.direct.eq(~commit | ~hit)",
     "depends on handshakes alone"),
    ("same-trace", core, "requests.writes.eq(commit)", "requests.writes.eq(commit & hit)",
     "depends on handshakes alone"),
    ("same-trace", core, "requests.reads.eq(launch)", "requests.reads.eq(launch & hit_now)",
     "depends on handshakes alone"),
    ("same-trace", core, "launchable.eq(lookup_full &",
     "launchable.eq(lookup_full & (index.found | index.settled) &",
     "depends on handshakes alone"),
    ("same-trace", core, "random.ready.eq(launchable |",
     "random.ready.eq((launchable & ~hit_now) |", "random.ready depends on handshakes alone"),
    ("rounds", core, "requests.writes.eq(commit)", "requests.writes.eq(send)", ""),
    ("rounds", bus, "upper.eq(left == 1)", "upper.eq(left == 2)", "read lower, read upper"),
    ("rounds", bus, "last.eq(is_last)", "last.eq(ends)", "the last beat of a page is marked"),
    # a launch and a refusal at once
    ("tracked-index", core, "~refused & ~ran_dry &", "~refused &", "the operation's key"),
    ("tracked-index", index, "& ~(chosen & matches).any(), chosen", ", chosen",
     "what the lookup is of stays"),
    ("tracked-index", index, "Mux(self.insert, free[number], hit_stash[number])", "free[number]",
     ""),
    ("tracked-index", index, "now([writes[-1] - 1])", "now([writes[-1]])",
     "the key is hashed again"),
    ("loads-live", records, "load.eq(chosen.load + 1)", "load.eq(chosen.load)",
     "a page's load is the number of its keys"),
    ("loads-live", core, "with m.Elif(index.update):",
     "with m.Elif(index.update & ~index.remove):", "live keys are those of the index"),
    # an item is lost as it is merged
    ("pages-in-hand", buffer, "Mux(newest, self.got, Array(list(fits))[number])",
     "Array(list(fits))[number]", "a page in hand"),
    ("pages-in-hand", core, "records.kept_b.eq(buffer.kept_b | pending.taken_b)",
     "records.kept_b.eq(buffer.kept_b)", "the record is to have it"),
    ("pages-in-hand", records, "pushed.used.eq(chosen.used)", "pushed.used.eq(0)",
     "the record is to have it"),
    ("pages-in-hand", core, "buffer.merged_a & ~departed", "~departed", ""),
    ("pages-in-hand", pending, "free[number].eq(free_half & ~slot)", "free[number].eq(free_half)",
     "slots are free"),
    # it is there twice: in its page, or merged, and put anew
    ("pages-in-hand", buffer, "stage_kept.eq(now_used[:lanes] & ~keys &",
     "stage_kept.eq(now_used[:lanes] &", "what of a beat is kept"),
    ("pages-in-hand", pending, "self.got.eq(takes & ~matches)", "self.got.eq(takes)", "a slot"),
    # a get gives what was put before
    ("pages-in-hand", core, "& ~(buffer.in_page | buffer.caught)", "", "the value in hand"),
    ("bounded-completion", core, "~launched & index.done &", "~launched & index.settled &",
     "a command is launched"),
    ("bounded-completion", response, "(written | self.sent)", "written",
     "a response is on offer after its beats"),
    ("bounded-completion", bus, "with m.Elif(self.req.valid & self.req.ready):",
     "with m.Elif(self.req.valid & self.req.ready & self.a[0]):", "pages are asked for"),
    ("revealed-once", core, 'new_a.eq(drawn["new_a"])',
     'new_a.eq(Mux(hit_now & (op_now == GET), first, drawn["new_a"]))', "the next pair"),
    ("revealed-once", core, "changes.eq(places | (hit & (op == DEL)))", "changes.eq(places)",
     "the index is changed first"),
    ("revealed-once", core, "Mux(hit_now, index.target.b, drawn",
     "Mux(index.found, index.target.b, drawn", "the pages"),
]


LONG = {"Array(list(fits))[number]", "pushed.used.eq(0)", "free[number].eq(free_half)",
        "stage_kept.eq(now_used[:lanes] &"}
"""Breaks left to long runs: much like their neighbours."""


@pytest.mark.parametrize(
    "name, module, sound, wrong, says",
    [pytest.param(*each, id=f"{each[0]}-{each[3]}", marks=[pytest.mark.deep] * (each[3] in LONG))
     for each in BREAKS])
def test_a_broken_controller_fails(monkeypatch, tmp_path, name, module, sound, wrong, says):
    broken(monkeypatch, module, sound, wrong, users=(core,))
    result = prove(BLOCK, OmapConfig(), only=[name], traces=tmp_path)
    assert not result["passed"]
    assert says in result["properties"][name]["counterexample"]
