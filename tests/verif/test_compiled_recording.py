"""The compiled recording makes the rows of the plain one."""

import numpy as np
import pytest
from long_runs import without
from ternary_configs import SMALL

from pimlico.generators.block import find
from pimlico.generators.verilog import emit
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.replay import pins_of
from pimlico.verif.compiled_recording import CompiledRecording
from pimlico.verif.episode import Episode
from pimlico.verif.lockstep import LockstepError
from pimlico.verif.recording import Recording
from pimlico.verif.ternary.models import compiled, cycles
from pimlico.verif.ternary.random_jobs import Jobs
from pimlico.verif.ternary.stimulus import episodes

BLOCK = find("ternary-gemm")


def recordings(config, seed, length):
    pins = pins_of(emit(BLOCK, config))
    return (Recording(config.ports, pins, cycles(config), seed=seed, cycles=length),
            CompiledRecording(config.ports, pins, cycles(config), compiled(config), seed=seed,
                              cycles=length))


def rows(recording, stimulus):
    """All rows, what a report would say of each, and how the run ended."""
    chunks = []
    end = ""
    try:
        chunks.extend(recording.chunks(stimulus))
    except LockstepError as error:
        end = str(error)
    compared = np.concatenate([chunk.compared for chunk in chunks]) if chunks else []
    return {"inputs": [chunk.inputs.tobytes() for chunk in chunks],
            "expected": [chunk.expected.tobytes() for chunk in chunks],
            "compared": list(compared), "end": end,
            "cycles": [cycle for chunk in chunks for cycle in chunk.cycles],
            "episodes": [said for chunk in chunks
                         for said, shown in zip(chunk.episode, chunk.compared, strict=True)
                         if shown]}


def same(config, seed, length, stimulus):
    plain, fast = recordings(config, seed, length)
    one, other = rows(plain, stimulus()), rows(fast, stimulus())
    for name in ("inputs", "expected"):
        one[name], other[name] = b"".join(one[name]), b"".join(other[name])
    for name, value in one.items():
        assert value == other[name], name
    assert plain.outcome == fast.outcome
    return fast.outcome, one


@pytest.mark.parametrize("case", without(SMALL, *(set(SMALL) - {
    "smallest", "none", "base3x5-mu2", "tq1_0", "tq2_0", "addend", "requant-addend", "batch",
    "scaled-batch", "fp16"})))
def test_rows_of_the_stimulus(case, seed):
    config = TernaryConfig(**SMALL[case])
    outcome, seen = same(config, seed, 1500 if config.floating else 4000,
                         lambda: episodes(config, np.random.default_rng(seed)))
    assert outcome.traffic["o"].beats > 0 and not seen["end"]


def test_beats_that_wait_for_others_and_late_ones(seed):
    config = TernaryConfig(**SMALL["addend"])

    def stimulus():
        rng = np.random.default_rng(seed)
        for _ in range(20):
            beats = Jobs(config, rng).job(*Jobs(config, rng).size())
            yield Episode("held", beats, valid={"a": 0.5}, ready={"o": 0.5},
                          after={"w": [{"a": 1, "cfg": 1}] * len(beats["w"])},
                          delay={"a": rng.integers(0, 4, len(beats["a"])).tolist()})

    outcome, seen = same(config, seed, 10_000, stimulus)
    assert outcome.episodes == 20 and not seen["end"]


def test_a_block_that_is_stuck_is_told_in_the_same_words(seed):
    config = TernaryConfig(**SMALL["addend"])

    def stimulus():
        beats = Jobs(config, np.random.default_rng(seed)).job(config.columns + 1, 1)
        yield Episode("starved", {**beats, "w": beats["w"][:1]})

    _, seen = same(config, seed, 10_000, stimulus)
    assert seen["end"].startswith("stuck in episode 'starved'")


def test_a_serial_build_has_none():
    assert compiled(TernaryConfig(build="serial", mu=3, keys=8)) is None
