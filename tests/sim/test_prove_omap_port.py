"""The trace of an OMAP controller is the same whatever trusted memories behind ports answer."""

import pytest
from mutants import broken

from pimlico.generators.block import find
from pimlico.hdl.omap import core, pending
from pimlico.hdl.omap.config import OmapConfig
from pimlico.sim.prove import prove

BLOCK = find("omap-controller")
PORT = {"trusted": "port", "trusted_latency": 5}
SEALED = {"slots": 4, "cipher": "ascon_aead128", "cipher_rounds_per_cycle": 4,
          "trusted_latency": 64}


@pytest.mark.parametrize("more", [
    pytest.param({}, id="plain"),
    pytest.param({"bus": "duplex", "value_width": 512, "beat_width": 64, "trusted_latency": 2},
                 id="duplex"),
    pytest.param(SEALED, id="sealed", marks=pytest.mark.deep),
])
def test_the_trace_is_proved_with_free_answers(more):
    config = OmapConfig(**PORT | more)
    names = ["same-trace", *(["rounds", "wdata-holds"] if not config.sealed else [])]
    result = prove(BLOCK, config, only=names)
    for name, proved in result["properties"].items():
        assert proved["status"] == "proved", f"{name}: {proved['counterexample']}"
        assert proved["config"].get("trusted", "port") == "port"


@pytest.mark.parametrize(("module", "sound", "wrong"), [
    (core, "launchable.eq(lookup_full &",
     "launchable.eq(lookup_full & (index.found | index.settled) &"),
    (pending, "m.d.sync += cycle.eq(Cat(self.launch, cycle)[:len(cycle)])",
     "m.d.sync += cycle.eq(Cat(self.launch & items.q[0], cycle)[:len(cycle)])"),
])
def test_a_trace_that_follows_from_an_answer_fails(monkeypatch, tmp_path, module, sound, wrong):
    broken(monkeypatch, module, sound, wrong, users=(core,))
    result = prove(BLOCK, OmapConfig(**PORT), only=["same-trace"], traces=tmp_path)
    assert not result["passed"]
    assert "depends on handshakes alone" in result["properties"]["same-trace"]["counterexample"]
