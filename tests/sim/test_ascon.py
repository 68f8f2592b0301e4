"""The Ascon-AEAD128 core in both simulators."""

import pytest
from long_runs import without
from mutants import broken

from pimlico.generators.block import find
from pimlico.generators.deliver import deliverables
from pimlico.generators.load import load, read_preset
from pimlico.hdl.ascon import core, course, packets, permutation, sponge
from pimlico.hdl.ascon.config import AsconConfig
from pimlico.sim.verify import verify
from pimlico.verif.ascon.stimulus import number
from pimlico.verif.ascon.vectors import VECTORS

BLOCK = find("ascon-aead128")
CYCLES = {"compact": 1500, "balanced": 500, "fast": 150}
"""Icarus takes longer the more rounds there are in a cycle."""


def check(config, cycles, seed, simulators=("verilator", "icarus"), **options):
    result = verify(BLOCK, config, simulators=simulators, cycles=cycles, seed=seed, **options)
    assert result["passed"], f"{config!r}, seed {seed}: {result['mismatch']}"
    return result


@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_in_lockstep(preset, seed):
    check(load(BLOCK.name, preset=preset).config, CYCLES[preset], seed, ["icarus"])


@pytest.mark.parametrize("preset", without(BLOCK.preset_names, "balanced", "fast"))
def test_preset_in_compiled_lockstep(preset, seed):
    check(load(BLOCK.name, preset=preset).config, 10 * CYCLES[preset], seed, ["verilator"])


@pytest.mark.parametrize(("mode", "beat_bits"), [("encrypt", 64), ("decrypt", 128)])
def test_parameters_in_lockstep(mode, beat_bits, seed):
    check(AsconConfig(mode=mode, beat_bits=beat_bits), 1000, seed, ["icarus"])


def test_known_answers_of_the_standard(seed):
    config = AsconConfig()
    result = check(config, 5000, seed, ["verilator"], record=True,
                   stimulus="pimlico.verif.ascon.stimulus:known_answers")
    recorded = result["simulators"]["verilator"]["recorded"]
    done = [config.port("done").unpack(payload) for payload in recorded["done"]]
    texts, data = [], b""
    for values in map(config.port("result").unpack, recorded["result"]):
        data += bytes(values["data"][:values["bytes"]])
        if values["last"]:
            texts.append(data)
            data = b""
    assert texts == [text for vector in VECTORS.values() for text in (vector.cipher, vector.text)]
    assert done == [{"tag": tag, "code": 0} for vector in VECTORS.values()
                    for tag in (number(vector.tag), 0)]


@pytest.mark.deep
@pytest.mark.parametrize("rounds_per_cycle", [1, 2, 4])
@pytest.mark.parametrize("beat_bits", [32, 64, 128])
@pytest.mark.parametrize("mode", ["both", "encrypt", "decrypt"])
def test_all_parameters_at_length(rounds_per_cycle, beat_bits, mode, seed):
    config = AsconConfig(rounds_per_cycle=rounds_per_cycle, beat_bits=beat_bits, mode=mode)
    check(config, 100_000, seed, ["verilator"])


BROKEN = [
    (packets, "self.skip.eq(~of_text & ~begun & ", "self.skip.eq(~of_text & "),
    (core, "self.tag.payload == sponge.tag", "self.tag.payload[:127] == sponge.tag[:127]"),
    (course, "self.separate.eq(self.of_text & ~begun)", "self.separate.eq(self.of_text)"),
    (permutation, "d ^ c, e]", "d, e]"),
    (sponge, "high & key_low ^ low & key_high", "high & key_low | low & key_high"),
    (packets, "self.malformed.eq(takes & Mux(said[-1], said[:-1] != 0, ~last))",
     "self.malformed.eq(takes & ~said[-1] & ~last)"),
    (packets, "over.eq(last), pad_begun.eq(short)]", "over.eq(last), pad_begun.eq(last)]"),
    (course, "~self.decrypts & ~faulty", "~faulty"),
    (core, "(self.status == 0)", "(self.status == course.code)"),
]


@pytest.mark.parametrize(("module", "sound", "wrong"), [
    pytest.param(*each, id=str(at), marks=[pytest.mark.deep] * (at > 0))
    for at, each in enumerate(BROKEN)])
def test_the_bench_finds_a_broken_core(module, sound, wrong, monkeypatch):
    broken(monkeypatch, module, sound, wrong, [core, course, packets, sponge])
    result = verify(BLOCK, AsconConfig(), simulators=["icarus"], cycles=4000, seed=1)
    assert result["mismatch"]


@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_says_what_it_follows(preset):
    found = read_preset(BLOCK, preset)
    assert found.block == BLOCK.name
    assert found.summary and "\n" not in found.summary
    assert "NIST SP 800-232" in found.source
    config = load(BLOCK.name, preset=preset).config
    assert found.parameters.items() <= config.model_dump().items()
    rate = 16 / config.block_cycles
    assert f"{rate:g} bytes a cycle" in found.summary


@pytest.mark.parametrize("preset", [
    "compact", *(pytest.param(name, marks=pytest.mark.deep) for name in ("balanced", "fast"))])
def test_preset_is_delivered(preset):
    assert all(deliverables(BLOCK, load(BLOCK.name, preset=preset).config, preset).values())
