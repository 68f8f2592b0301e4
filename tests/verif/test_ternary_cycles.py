"""The ternary cycle model against the golden functions over whole jobs."""

import numpy as np
import pytest
from ternary_configs import SMALL
from ternary_play import make_job, rows_of, run

from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.verif.ternary.cycles import TernaryCycles
from pimlico.verif.ternary.formats import decode_beats
from pimlico.verif.ternary.job import CodeCheck
from pimlico.verif.ternary.random_jobs import Jobs

CASES = [name for name in SMALL if name != "smallest"]


@pytest.mark.parametrize("case", CASES)
def test_whole_jobs_equal_numpy(case, seed):
    config = TernaryConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    for _ in range(3):
        sources, values = make_job(config, rng, *Jobs(config, rng).size())
        results, _ = run(config, sources, lambda name: rng.random() < 0.3)
        rows, lasts = rows_of(config, results)
        np.testing.assert_array_equal(rows, values)
        assert lasts == [0] * (len(lasts) - 1) + [1]


@pytest.mark.parametrize("case", CASES)
def test_latency_interval_and_length_are_the_configs(case, seed):
    config = TernaryConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    n, m = Jobs(config, rng).size()
    first, _ = make_job(config, rng, n, m)
    second, _ = make_job(config, rng, n, m)
    sources = {name: words + second[name] for name, words in first.items()}
    results, accepted = run(config, sources)
    job, tile = config.job_beats(n, m), config.tile_beats(n)
    assert config.interval == 1
    assert np.diff(accepted).tolist() == [1] * (2 * job - 1)
    assert [now for now, _ in results] == [
        accepted[last] + config.latency for last in range(tile - 1, 2 * job, tile)]


def status_of(config, job, clear=()):
    """The status after each cycle of a job at full rate."""
    model = TernaryCycles(config)
    left = {name: list(words) for name, words in job.items()}
    seen = []
    while not (model.idle and not any(left.values())):
        inputs = {"o_ready": 1, "status_clear": int(len(seen) in clear)}
        for name, words in left.items():
            inputs |= {f"{name}_valid": int(bool(words)), f"{name}_payload": (words or [0])[0]}
        outputs = model.outputs(inputs)
        for name, words in left.items():
            if words and outputs[f"{name}_ready"]:
                words.pop(0)
        model.tick(inputs)
        seen.append(model.status)
    return seen


@pytest.mark.parametrize(("stream", "flip", "code"), [
    ("a", 1 << 24, 6), ("a", 1 << 25, 6), ("w", 0b11110, 7)], ids=["first", "last", "code"])
def test_one_offence_shows_its_code_until_cleared(stream, flip, code, seed):
    config = TernaryConfig(mu=3, luts=1, keys=1)
    job, _ = make_job(config, np.random.default_rng(seed), 12, 1)
    assert set(status_of(config, job)) == {0}
    job[stream][1] = job[stream][1] ^ flip if stream == "a" else flip
    shown = status_of(config, job)
    begins = shown.index(code)
    assert set(shown[begins:]) == {code}
    assert set(status_of(config, job, clear=[begins + 1])[begins + 1:]) == {0}


@pytest.mark.parametrize("case", CASES)
def test_code_check_agrees_with_the_decoder(case, seed):
    config = TernaryConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    check = CodeCheck(config)
    bits = config.keys * config.weight_bits
    words = [int.from_bytes(rng.bytes(-(-bits // 8)), "little") & ((1 << bits) - 1)
             for _ in range(200)]
    words += [0, *(1 << bit for bit in range(bits))]
    assert [check.bad(word) for word in words] == decode_beats(config, words)[1].tolist()
