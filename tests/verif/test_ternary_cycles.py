"""The ternary cycle model against the golden functions over whole jobs."""

import numpy as np
import pytest
import ternary_naive as naive
from ternary_configs import SMALL

from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.verif.bits import unpack
from pimlico.verif.ternary.cycles import CodeCheck, TernaryCycles
from pimlico.verif.ternary.formats import (
    activation_beats,
    activation_order,
    beats,
    decode_beats,
)
from pimlico.verif.ternary.golden import gemv, requant
from pimlico.verif.ternary.models import cycles
from pimlico.verif.ternary.stimulus import Jobs

CASES = [name for name in SMALL if name != "smallest"]


def run(config, sources, stall=lambda stream: False, most=20000):
    """Every result payload with the cycle of its valid, and the cycles of accepted `a` beats."""
    model = cycles(config)
    left = {name: list(words) for name, words in sources.items()}
    names = [port.name for port in config.ports if port.direction == "in" and port.name in left]
    results, accepted = [], []
    for now in range(most):
        inputs = {"status_clear": 0, "o_ready": int(not stall("o")), "addend_valid": 0}
        for name in names:
            inputs[f"{name}_valid"] = int(bool(left[name]) and not stall(name))
            inputs[f"{name}_payload"] = left[name][0] if left[name] else 0
        outputs = model.outputs(inputs)
        if outputs["o_valid"] and inputs["o_ready"]:
            results.append((now, outputs["o_payload"]))
        for name in names:
            if inputs[f"{name}_valid"] and outputs[f"{name}_ready"]:
                left[name].pop(0)
                if name == "a":
                    accepted.append(now)
        model.tick(inputs)
        if model.idle and not any(left.values()):
            return results, accepted
    raise AssertionError("the model does not come to rest")


def expected(config, weights, x, addend, fields):
    """Results of a job, of shape (batch, M)."""
    batch, m = config.batch, len(weights)
    addend = np.zeros((batch, m), np.int64) if addend is None else addend
    if config.floating:
        order = activation_order(config, x.shape[1]).reshape(-1, config.columns)
        slots = [np.pad(each, ((0, 0), (0, 1)))[:, order] for each in (weights, x)]
        acc = np.array([[naive.row(config, slots[0][row], slots[1][vector], addend[vector, row])
                         for row in range(m)] for vector in range(batch)])
    else:
        acc = np.stack([gemv(weights, x[vector], addend[vector],
                             config.acc_width if config.allow_wrap else None)
                        for vector in range(batch)])
    given = {name: np.atleast_1d(value) for name, value in fields.items()}
    if config.out == "int8_requant":
        return np.stack([requant(acc[vector], int(given["multiplier"][vector]),
                                 int(given["shift"][vector])) for vector in range(batch)])
    if config.out == "fp32_scaled":
        return np.array([[naive.scaled(config, int(one), given["scale"][vector])
                          for one in acc[vector]] for vector in range(batch)])
    return acc


def make_job(config, rng, n, m):
    """The beats of a job and the results it must give, row by row of the rows of each tile."""
    jobs = Jobs(config, rng)
    x = jobs._activations(n)
    weights = rng.integers(-1, 2, (m, n)).astype(np.int8)
    cfg = jobs.cfg(n, m)
    sources = {"cfg": [cfg], "a": activation_beats(config, x, m), "w": beats(config, weights)}
    addend = None
    if config.addend:
        sources["addend"] = jobs._addends(-(-m // config.keys), None)
        addend = unpack(sources["addend"], config.addend_width, config.batch * config.keys,
                        signed=not config.floating)
        addend = addend.reshape(-1, config.batch, config.keys).transpose(1, 0, 2)
        addend = addend.reshape(config.batch, -1)[:, :m]
    return sources, expected(config, weights, x, addend, config.ports[0].unpack(cfg))


def rows_of(config, results):
    port = config.port("o")
    rows, lasts = [], []
    for _, payload in results:
        fields = port.unpack(payload)
        data = np.reshape(fields["data"], (config.batch, config.keys))
        rows += [data[:, row] for row in range(config.keys) if fields["keep"] >> row & 1]
        lasts.append(fields["last"])
    return np.stack(rows, axis=1), lasts


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
