"""The proof that the OMAP controller keeps every item fails on one that loses or doubles some."""

import pytest
from mutants import broken

from pimlico.generators.block import find
from pimlico.hdl.omap import core, pending
from pimlico.hdl.omap.config import OmapConfig
from pimlico.sim.prove import prove

BLOCK = find("omap-controller")

BREAKS = [
    # an entry is in two lists, or in none
    (pending, "(deep & ~chains))", "deep)", "the one returned"),
    (pending, "| (unlink & unlinks & probe_next.valid)", "", "links of an entry"),
    (pending, "onto.eq(Mux(self.here[0], left[0],", "onto.eq(Mux(self.here[0], rest[0],",
     "the list that it goes to"),
    (pending, "Mux(splice_a & self.places & ~returned.valid, free_next, free)", "free",
     "the last one of a list"),
    (pending, "Mux(returned.valid, returned.entry, free.entry)", "free.entry",
     "the entry to take"),
    (pending, "rest[number].eq(successor)", "rest[number].eq(current[number])",
     "the rest of a list"),
    (pending, "self.places - deep - self.pops", "self.places - self.pops", "how many wait"),
    # an item that was merged leaves its list again
    (pending, "& ~self.in_page & ~self.own_popped", "& ~self.in_page", ""),
    # an item is taken that there is no slot for
    (pending, "now.valid & (matches | free_half.any()))", "now.valid)", ""),
    # an abort loses what was taken
    (pending, "(pushed | comes_back))", "pushed)", "bits of waiting entries"),
    # it is not where the index says
    (core, "index.updated.which.eq(records.target)", "index.updated.which.eq(which)", ""),
    (core, "index.updated.pointer.eq(pending.entry)", "index.updated.pointer.eq(pointer)", ""),
    # another value than was put last
    (core, "with m.If((op != PUT) & caught):", "with m.If(caught):", "the value to put"),
    (core, "Mux(op_now == PUT, lookup_value, 0)", "lookup_value", "nothing was found"),
]


@pytest.mark.parametrize(
    "module, sound, wrong, says",
    [pytest.param(*each, id=each[2] or "no-way-back", marks=[pytest.mark.deep] * (number > 0))
     for number, each in enumerate(BREAKS)])
def test_a_controller_that_loses_items_fails(monkeypatch, tmp_path, module, sound, wrong, says):
    broken(monkeypatch, module, sound, wrong, users=(core,))
    result = prove(BLOCK, OmapConfig(), only=["tracked-item"], traces=tmp_path)
    assert not result["passed"]
    assert says in result["properties"]["tracked-item"]["counterexample"]
