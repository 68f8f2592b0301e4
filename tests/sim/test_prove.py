"""The proofs of the ternary core, and that they fail on broken ones."""

import pytest
from amaranth.hdl import C, Cat, Module

from pimlico.generators.block import find
from pimlico.generators.errors import ToolError
from pimlico.hdl.ternary import core, sequencer
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.prove import prove

BLOCK = find("ternary-gemm")
TINY = {"act": "int4", "mu": 1, "luts": 1, "keys": 1, "n_max": 5, "m_max": 5}


@pytest.mark.parametrize("more", [{}, {"addend": True, "pipeline": 1}], ids=["plain", "addend"])
def test_every_property_is_proved(more):
    result = prove(BLOCK, TernaryConfig(**TINY, **more))
    assert {name: each["status"] for name, each in result["properties"].items()
            if each["status"] != "proved"} == {}
    assert result["passed"]


class Overwriting(core.Output):
    """Lets the next tile into the accumulators before the sink has taken the last."""

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.o.valid.eq(self.valid), self.ready.eq(1),
            self.o.payload.eq(Cat(self.accumulators, self.beat.rows > 0, self.beat.tag,
                                  self.beat.job_last))]
        return m


class Unrefusing(sequencer.Sequencer):
    """Starts any job."""

    def _refusal(self, cfg):
        return C(0, 3)


def broken(monkeypatch, module, name, replacement, **only):
    monkeypatch.setattr(module, name, replacement)
    result = prove(BLOCK, TernaryConfig(**TINY), **only)
    return {name: each["status"] for name, each in result["properties"].items()}


def test_an_output_that_does_not_hold_fails(monkeypatch):
    assert "failed" in broken(monkeypatch, core, "Output", Overwriting).values()


def test_a_job_that_should_be_refused_fails(monkeypatch):
    statuses = broken(monkeypatch, core, "Sequencer", Unrefusing, only=["refusal"])
    assert statuses == {"refusal": "failed"}


def test_a_property_of_no_name_is_one_clear_line():
    with pytest.raises(ToolError, match=r"^ternary-gemm has no property spin; it has "):
        prove(BLOCK, TernaryConfig(**TINY), only=["spin"])
