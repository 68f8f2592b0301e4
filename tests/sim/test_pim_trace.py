"""Long runs of the PIM channel: Verilator gives what the cycle model gives, and when."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
from pim_configs import SHORT

from pimlico.generators.block import find
from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import emit
from pimlico.hdl.pim.commands import Code, Op
from pimlico.hdl.pim.config import PimConfig
from pimlico.sim.pim_trace import run_trace
from pimlico.verif.pim.attention import quantize
from pimlico.verif.pim.attention_run import attention
from pimlico.verif.pim.gemv import encode, expected, plan
from pimlico.verif.pim.gemv_commands import Commands
from pimlico.verif.pim.gemv_run import gemv, played
from pimlico.verif.pim.play import OUTPUTS, Played, field_of, payloads, play

SMALL = {"fmt": "int8", "lanes": 4, "row_bytes": 256, "rows": 4, "banks": 2, "timing": SHORT}
CONFIGS = {
    "strict": PimConfig(**SMALL), "waits": PimConfig(**SMALL, strict=False),
    "pq": PimConfig(**SMALL | {"fmt": "bf16", "rows": 16, "timing": {**SHORT, "trefi": 900}},
                    pq=True, pq_m=2, pq_k=16, pq_dsub=2)}


@cache
def design(name):
    return emit(find("pim-channel"), CONFIGS[name])


def product(config, seed, shape=(12, 150)):
    rng = np.random.default_rng(seed)
    matrix, vectors = rng.integers(-128, 128, shape), rng.integers(-128, 128, (shape[1], 1))
    return matrix, vectors, played(Commands(plan(config, shape)), encode(config, matrix),
                                   encode(config, vectors.T))


def list_of(config, *commands):
    """Played commands, all at once: dicts of fields."""
    names = [field.name for field in config.port("cmd").fields]
    values = {name: np.array([each.get(name, 0) for each in commands]) for name in names}
    return Played(np.zeros(len(commands), np.int64), payloads(config.port("cmd"), values),
                  np.zeros((0, -(-config.wdata_bits // 8)), np.uint8))


@pytest.mark.parametrize("name", ["strict", "waits"])
def test_a_trace_is_that_of_the_cycle_model(name, seed):
    config = CONFIGS[name]
    matrix, vectors, given = product(config, seed)
    trace, model = run_trace(config, given, design(name)), play(config, given)
    assert (trace.accepted == model.accepted).all()
    assert (trace.beats, trace.cycles) == (model.beats, model.cycles)
    assert trace.counts is None and model.counts is None
    for output in OUTPUTS:
        for part in ("cycles", "octets"):
            assert (getattr(getattr(trace, output), part)
                    == getattr(getattr(model, output), part)).all(), output
    told = []
    done = gemv(config, matrix, vectors, partial(
        run_trace, design=design(name), progress=lambda *step: told.append(step)))
    assert (done.bits == expected(done.plan, encode(config, matrix),
                                  encode(config, vectors.T))).all()
    assert told[-1] == ("verilator: running", len(done.trace.accepted), len(done.trace.accepted))


def test_counters_and_sums_are_those_of_the_cycle_model(seed):
    config, rng = CONFIGS["pq"], np.random.default_rng(seed)
    keys, values = (quantize(config, rng.normal(size=(90, 4)), None, rng) for _ in range(2))
    query = encode(config, rng.normal(size=4))
    rtl, model = (attention(config, keys, values, query, player) for player in (
        partial(run_trace, design=design("pq")), play))
    for name in ("first", "second"):
        one, two = getattr(rtl, name).trace, getattr(model, name).trace
        assert one.counts == two.counts and all(one.counts.values())
        assert (one.accepted == two.accepted).all() and one.cycles == two.cycles
        for output in OUTPUTS:
            assert (getattr(one, output).octets == getattr(two, output).octets).all(), output


def test_reads_and_refusals_are_in_the_trace(seed):
    config = CONFIGS["strict"]
    given = list_of(config, {"op": Op.RD, "bank_mask": 1, "tag": 7}, {"op": 31, "tag": 9},
                    {"op": Op.ACT_ALL}, {"op": Op.RD, "bank_mask": 2, "tag": 5})
    given.at[-1] = 40
    trace = run_trace(config, given, design("strict"))
    status, rdata = config.port("status"), config.port("rdata")
    assert field_of(status, trace.status.octets, "code").tolist() == [Code.NOT_OPEN, Code.RESERVED]
    assert field_of(status, trace.status.octets, "tag").tolist() == [7, 9]
    assert field_of(rdata, trace.rdata.octets, "tag").tolist() == [5]
    assert trace.rdata.cycles.tolist() == [40 + config.latency]


def test_beats_of_another_width_are_refused(seed):
    config = CONFIGS["strict"]
    _, _, given = product(config, seed)
    for wrong, said in ((replace(given, commands=given.commands[:, 1:]), "cmd must be of"),
                        (replace(given, data=given.data[:, 1:]), "wdata must be of"),
                        (replace(given, at=given.at[1:]), "times for")):
        with pytest.raises(ValueError, match=said):
            run_trace(config, wrong, design("strict"))


def test_a_channel_that_stops_is_told(seed):
    config = CONFIGS["strict"]
    _, _, given = product(config, seed)
    with pytest.raises(ToolError, match="nothing moves since cycle"):
        run_trace(config, replace(given, data=given.data[:5]), design("strict"))
