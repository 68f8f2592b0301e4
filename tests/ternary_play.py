"""Plays jobs to a cycle model of the ternary core, and what must come of them."""

import numpy as np
import ternary_naive as naive

from pimlico.verif.bits import unpack
from pimlico.verif.ternary.formats import activation_beats, activation_order, beats
from pimlico.verif.ternary.golden import gemv, requant
from pimlico.verif.ternary.models import cycles
from pimlico.verif.ternary.random_jobs import Jobs


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
    x = jobs.activations((config.batch, n))
    weights = rng.integers(-1, 2, (m, n)).astype(np.int8)
    cfg = jobs.cfg(n, m)
    sources = {"cfg": [cfg], "a": activation_beats(config, x, m), "w": beats(config, weights)}
    addend = None
    if config.addend:
        sources["addend"] = list(jobs.addends(np.zeros(-(-m // config.keys), int)))
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
