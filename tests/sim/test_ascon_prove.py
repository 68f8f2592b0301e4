"""The proofs of the Ascon-AEAD128 core, and that each fails on a core that is broken."""

import pytest
from mutants import broken

from pimlico.generators.block import find
from pimlico.hdl.ascon import core, course, packets, sponge
from pimlico.hdl.ascon.config import AsconConfig
from pimlico.hdl.ascon.properties import properties
from pimlico.sim.prove import prove

BLOCK = find("ascon-aead128")


@pytest.mark.parametrize("mode", [
    "both", pytest.param("encrypt", marks=pytest.mark.deep),
    pytest.param("decrypt", marks=pytest.mark.deep)])
def test_every_property_is_proved(mode):
    result = prove(BLOCK, AsconConfig(mode=mode))
    assert {name: each["counterexample"] for name, each in result["properties"].items()
            if each["status"] != "proved"} == {}
    assert {each["mode"] for each in result["properties"].values()} == {"induction"}
    assert ("tag-withheld" in result["properties"]) == (mode != "decrypt")
    assert ("tag-checked" in result["properties"]) == (mode != "encrypt")


BREAKS = [
    ("result-holds", packets, "with m.Elif(self.o.valid & self.o.ready):", "with m.Else():"),
    ("done-holds", course, "with m.If(self.taken):\n                    m.next = \"BEGIN\"",
     "with m.If(1):\n                    m.next = \"BEGIN\""),
    ("result-valid-alone", packets, "self.o.valid.eq(left != 0)",
     "self.o.valid.eq((left != 0) & self.o.ready)"),
    ("done-valid-alone", course, "self.done.eq(1)", "self.done.eq(self.taken)"),
    ("constant-time", packets, "short.eq(last & ~said[-1])",
     "short.eq(last & ~said[-1] & (data[0] | said[0]))"),
    ("constant-time", course, "with m.If(self.tag):", "with m.If(self.tag & self.right):"),
    ("constant-time", sponge, "with m.Elif(self.go):\n            m.d.sync += index",
     "with m.Elif(self.go & ~self.key[0]):\n            m.d.sync += index"),
    ("no-stray-bytes", packets, "(last_size > byte)", "(last_size >= byte)"),
    ("tag-checked", core, "self.tag.payload == sponge.tag",
     "self.tag.payload[:127] == sponge.tag[:127]"),
    ("tag-checked", course, "wrong.eq(~self.right)", "wrong.eq(~self.right & self.taken)"),
    ("tag-withheld", course, "~self.decrypts & ~faulty", "~self.decrypts"),
    ("tag-withheld", course, "~self.decrypts & ~faulty", "~faulty"),
    ("tag-withheld", course, "m.Elif(self.malformed)", "m.Elif(self.malformed & self.of_text)"),
]


QUICK = {"constant-time", "no-stray-bytes", "tag-checked", "tag-withheld"}
FIRST = {next(at for at, each in enumerate(BREAKS) if each[0] == name) for name in QUICK}
"""One each of those that are of this core alone; the others are for the long campaign."""


@pytest.mark.parametrize(("name", "module", "sound", "wrong"), [
    pytest.param(*each, id=f"{each[0]}-{at}", marks=[pytest.mark.deep] * (at not in FIRST))
    for at, each in enumerate(BREAKS)])
def test_the_property_fails_on_a_broken_core(name, module, sound, wrong, monkeypatch):
    broken(monkeypatch, module, sound, wrong, [core, course, packets, sponge])
    result = prove(BLOCK, AsconConfig(), only=[name])
    assert result["properties"][name]["status"] != "proved"


def test_every_property_has_a_core_that_breaks_it():
    assert {name for name, *_ in BREAKS} == {each.name for each in properties(AsconConfig())}
