"""The proofs of the bit-sliced array, and that each fails on an array that is broken.

The one of the W4 PE is broken in tests/hdl/test_bitslice_pe.py.
"""

import pytest
from bitslice_faults import faulty
from long_runs import without

from pimlico.generators.bitslice import BLOCK
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.sim.prove import prove

MAKES = {
    "os": {},
    "nested": {"drain_adders": 2, "nested": True, "encoding": "ent"},
    "ws": {"dataflow": "ws", "preload": True},
    "skip": {"arch": "skip", "encoding": "ent", "elide": True, "acc_form": "segmented"},
    "mac": {"arch": "mac", "preload": True, "sum_stages": 1},
}


@pytest.mark.parametrize("make", without(MAKES, "nested", "mac", "skip"))
def test_every_property_is_proved(make):
    config = BitsliceConfig(**MAKES[make])
    names = [each.name for each in BLOCK.load("properties")(config)
             if not each.name.startswith("w4")]
    result = prove(BLOCK, config, only=names)
    assert {name: each["status"] for name, each in result["properties"].items()
            if each["status"] != "proved"} == {}
    assert result["passed"]


@pytest.mark.parametrize(("a_signed", "w_signed"), [
    ("unsigned", "unsigned"), ("unsigned", "runtime"), ("runtime", "unsigned")])
def test_sums_of_any_form_are_proved_to_fit(a_signed, w_signed):
    config = BitsliceConfig(a_signed=a_signed, w_signed=w_signed, zero_points=True)
    assert prove(BLOCK, config, only=["no-overflow"])["passed"]


@pytest.mark.deep
@pytest.mark.parametrize("encoding", ["booth4", "ent"])
def test_the_pe_of_4_bit_weights_is_proved(encoding):
    assert prove(BLOCK, BitsliceConfig(encoding=encoding), only=["w4-pe", "w4-column"])["passed"]


BREAKS = [
    ("o-holds", "sequencer", "(promised > config.fifo_depth - config.bands)",
     "(promised > config.fifo_depth)", {}, "no more is promised than the queue holds"),
    ("o-valid-alone", "queue", "self.o.valid.eq(level != 0)",
     "self.o.valid.eq((level != 0) & self.o.ready)", {}, "o: valid depends on nothing but"),
    ("room", "sequencer", "spacing.eq(config.bands - 1)", "spacing.eq(0)", {},
     "the sequencer counts the rows that left"),
    ("room", "ws_sequencer", "promised + self.done - self.left", "promised - self.left",
     {"dataflow": "ws"}, "what is promised waits in the queue or is on its way"),
    ("job-length", "sequencer", "tiles_left == 1", "tiles_left == 2", {}, "and not before"),
    ("job-length", "ws_sequencer", "(~passing | ends)", "1", {"dataflow": "ws"},
     "beats done and left are the tile's"),
    ("refusal", "desk", "judged & (code == 0)", "judged", {}, "a refused job does not begin"),
    ("no-overflow", "job", "length > config.length_max", "length > config.length_max + 1", {},
     "longer sums are refused"),
    ("exact-sums", "multiplier", "[Mux(first, 0, accumulator), *terms]",
     "[accumulator, *terms]", {"arch": "mac"}, "slice 0 holds the sum"),
    ("exact-sums", "ws_cell", "pe.digits.eq(weights)", "pe.digits.eq(coming)",
     {"dataflow": "ws"}, "slice 0 is the product of weights and activations"),
]


@pytest.mark.parametrize("name, part, sound, wrong, more, told", BREAKS,
                         ids=[f"{name}-{wrong}" for name, _, _, wrong, *_ in BREAKS])
def test_a_broken_array_fails(tmp_path, name, part, sound, wrong, more, told):
    result = prove(faulty(part, sound, wrong), BitsliceConfig(**more), only=[name],
                   traces=tmp_path)
    found = result["properties"][name]
    assert not result["passed"]
    assert told in found["counterexample"]
