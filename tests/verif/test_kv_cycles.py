"""The cycle model of the KV history buffer against the golden history, and its timing."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from kv_configs import SMALL, back_to_back, offences, random_config, random_layer

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.kv.config import (
    BUSY,
    CAPACITY,
    EMPTY,
    EXCESS,
    HOLE,
    LAYER,
    SEQUENCE,
    SHORTAGE,
    KvConfig,
)
from pimlico.verif.bits import unpack
from pimlico.verif.kv.cycles import KvCycles
from pimlico.verif.kv.golden import History
from pimlico.verif.kv.stimulus import Script

DRAIN = 4
"""Cycles after the last beat, in which a last code may come to light."""


@dataclass
class Trace:
    """Cycle and payload of every beat by stream, and the status wires cycle by cycle."""

    beats: dict = field(default_factory=dict)
    status: list = field(default_factory=list)

    def payloads(self, stream):
        return [payload for _, payload in self.beats[stream]]

    def cycles(self, stream):
        return [now for now, _ in self.beats[stream]]


def run(config, script, stalled=lambda stream: False, clear=(), most=100_000):
    """What the model does with the beats of a script."""
    model = KvCycles(config)
    ports = [port for port in config.ports if isinstance(port, Stream)]
    sources = {port.name: list(script.beats[port.name]) for port in ports
               if port.direction == "in"}
    trace = Trace({port.name: [] for port in ports})
    offered = set()
    quiet = 0
    for now in range(most):
        inputs = {"status_clear": int(now in clear)}
        for name, left in sources.items():
            if left and name not in offered and not stalled(name):
                gates = script.after[name][-len(left)] if name in script.after else {}
                if all(len(trace.beats[other]) >= count for other, count in gates.items()):
                    offered.add(name)
            inputs |= {f"{name}_valid": int(name in offered), f"{name}_payload": (left or [0])[0]}
        inputs |= {f"{name}_ready": int(not stalled(name)) for name in ("kv", "done")}
        outputs = model.outputs(inputs)
        trace.status.append((outputs["status"], outputs["status_row"]))
        here = {"kv_payload": 0, "done_payload": 0, **inputs, **outputs}
        for port in ports:
            if here[f"{port.name}_valid"] and here[f"{port.name}_ready"]:
                trace.beats[port.name].append((now, here[f"{port.name}_payload"]))
                if port.name in sources:
                    sources[port.name].pop(0)
                    offered.discard(port.name)
        model.tick(inputs)
        quiet = quiet + 1 if model.idle and not any(sources.values()) else 0
        if quiet == DRAIN:
            return trace
    raise AssertionError("the model does not come to rest")


def random_script(config, rng, layers=12):
    """Layers, refused starts and resets, with the golden outputs of what is not refused."""
    script, history, outputs = Script(config), History(config), []
    following = {}
    for _ in range(layers):
        sequence = int(rng.integers(min(config.sequences, 3)))
        if rng.random() < 0.1:
            history.reset(sequence)
            script.reset(sequence)
            following[sequence] = 0
        layer = 0 if rng.random() < 0.2 else following.get(sequence, 0)
        append = bool(rng.integers(2)) if config.append and rng.random() < 0.5 else None
        extra = 3 if config.overflow == "dense_tail" else 0
        n_tokens = int(rng.integers(0, min(config.tokens, 7) + extra + 1))
        if rng.random() < 0.15:
            sequence, layer = int(rng.integers(1 << config.sequence_bits)), int(rng.integers(4))
        code = history.refusal(sequence, layer, n_tokens, append is not None)
        if code:
            script.start(sequence, layer, n_tokens, append is not None)
            continue
        job = random_layer(config, rng, sequence, layer, n_tokens, append=append,
                           keep=float(rng.choice([1, 0.7, 0.2])),
                           off=int(rng.choice([0, 0, 0, -config.beats - 1, -1, 1, 7])))
        script.run(job)
        outputs.append((job, history.run(job)))
        following[sequence] = layer + 1
    return script, outputs


def part(config, beat):
    if config.order == "interleaved":
        return 1 + beat % 2
    elements = range(beat * config.beat_elems, (beat + 1) * config.beat_elems)
    half = config.row_elems // 2
    return any(at < half for at in elements) + 2 * any(at >= half for at in elements)


def agree(config, trace, outputs):
    """Every beat of ``kv`` and every ``done`` is what the golden history gives."""
    words = trace.payloads("kv")
    flags = [word >> config.beat_bits for word in words]
    data = [out.data.reshape(-1, config.beat_elems) for _, out in outputs]
    given = unpack(words, config.elem_width, config.beat_elems)
    assert given.tolist() == [beat for layer in data for beat in layer.tolist()]
    assert flags == [
        int(fresh) | int(hole) << 1 | part(config, at % config.beats) << 2
        | (at == out.fresh.size - 1) << 4
        for _, out in outputs
        for at, (fresh, hole) in enumerate(zip(out.fresh.flat, out.hole.flat, strict=True))]
    done = config.port("done")
    assert [done.unpack(word) for word in trace.payloads("done")] == [
        {"sequence": job.sequence, "layer": job.layer, "code": out.code,
         "fresh_rows": out.fresh_rows, "held_rows": out.held_rows,
         "offchip_bytes": out.offchip_bytes} for job, out in outputs]


@pytest.mark.parametrize("case", SMALL)
def test_whole_jobs_equal_the_golden_history(case, seed):
    config = KvConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    for stalls in (0, 0.3):
        script, outputs = random_script(config, rng)
        agree(config, run(config, script, lambda name, p=stalls: rng.random() < p), outputs)


def test_whole_jobs_of_random_configurations_equal_the_golden_history(seed):
    rng = np.random.default_rng(seed)
    for _ in range(40):
        config = random_config(rng)
        script, outputs = random_script(config, rng, 6)
        stalls = float(rng.choice([0, 0.2, 0.6]))
        agree(config, run(config, script, lambda name, p=stalls: rng.random() < p), outputs)


@pytest.mark.parametrize("case", SMALL)
def test_latency_is_the_configs(case, seed):
    """From the beat that takes its mask bit, or the streamed beat, to that on ``kv``."""
    config = KvConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    trace = run(config, back_to_back(config, rng, (0.8, 0.4, 0)),
                lambda name: name not in ("kv", "done") and rng.random() < 0.4)
    assert config.latency == 2
    assert trace.cycles("kv")[::config.beats] == [
        now + config.latency for now in trace.cycles("mask")]
    streamed = [now for now, word in trace.beats["kv"] if word >> config.beat_bits & 1]
    assert streamed == [now + config.latency for now in trace.cycles("fresh")]


@pytest.mark.parametrize("case", [name for name in SMALL if SMALL[name].get("append")])
def test_latency_of_the_new_token_is_the_configs(case, seed):
    config = KvConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    script = Script(config)
    for number, executed in enumerate((True, False, True)):
        script.run(random_layer(config, rng, 0, number, config.tokens // 2, append=executed))
    trace = run(config, script, lambda name: name == "append" and rng.random() < 0.4)
    last = [at for at, (_, word) in enumerate(trace.beats["kv"])
            if word >> config.beat_bits + 4 & 1]
    new = [trace.beats["kv"][at - config.beats + 1:at + 1] for at in last]
    # of a row that is not executed only the first beat comes by append
    shown = [now for beats, count in zip(new, (config.beats, 1, config.beats), strict=True)
             for now, _ in beats[:count]]
    assert shown == [now + config.latency for now in trace.cycles("append")]


@pytest.mark.parametrize("case", SMALL)
def test_a_beat_a_cycle_for_any_mask(case, seed):
    """Held rows, fresh ones and holes in any mix; passes follow each other without a bubble."""
    config = KvConfig(**SMALL[case])
    trace = run(config, back_to_back(config, np.random.default_rng(seed), (0.5, 0.3, 0.5, 0, 1)))
    n_tokens = len(trace.beats["mask"]) // 5
    assert config.interval == 1
    starts, dones = trace.cycles("start"), trace.cycles("done")
    assert starts[1:] == dones[:-1]
    beats = n_tokens * config.beats
    assert config.pass_cycles(n_tokens) == beats + 3
    for number, (start, done) in enumerate(zip(starts, dones, strict=True)):
        shown = trace.cycles("kv")[number * beats:(number + 1) * beats]
        assert np.diff(shown).tolist() == [1] * (beats - 1)
        wait = done - start - config.pass_cycles(n_tokens)
        assert 0 <= wait <= (config.settle_cycles if number else 0)


@pytest.mark.parametrize("case", [name for name in SMALL if "quant" in SMALL[name]])
def test_a_quantized_row_is_waited_for_only_where_one_was_just_written(case, seed):
    config = KvConfig(**SMALL[case])
    trace = run(config, back_to_back(config, np.random.default_rng(seed), (1, 0, 0)))
    n_tokens = len(trace.beats["mask"]) // 3
    waits = [done - start - config.pass_cycles(n_tokens) for start, done in
             zip(trace.cycles("start"), trace.cycles("done"), strict=True)]
    assert waits[0] == waits[2] == 0
    assert 0 < waits[1] <= config.settle_cycles


def test_a_row_stored_as_it_came_is_not_waited_for():
    assert {KvConfig(**SMALL[case]).settle_cycles > 0 for case in SMALL
            if "quant" not in SMALL[case]} == {False}


SHOWN = {"unknown sequence": (SEQUENCE, 0), "layer": (LAYER, 0), "no token": (EMPTY, 0),
         "capacity": (CAPACITY, 0), "busy": (BUSY, 0), "hole": (HOLE, 0), "shortage": (SHORTAGE, 3),
         "excess": (EXCESS, 0)}


@pytest.mark.parametrize("offence", SHOWN)
def test_one_offence_shows_its_code_and_row_until_cleared(offence, seed):
    config = KvConfig(row_elems=16, tokens=4)
    episode = next(each for each in offences(config, np.random.default_rng(seed))
                   if each.name == offence)
    seen = run(config, episode).status
    begins = seen.index(SHOWN[offence])
    assert set(seen[:begins]) == {(0, 0)}
    assert set(seen[begins:]) == {SHOWN[offence]}
    if offence != "hole":  # of which every row is one
        cleared = run(config, episode, clear=[begins]).status
        assert cleared[:begins + 1] == seen[:begins + 1]
        assert set(cleared[begins + 1:]) == {(0, 0)}


def test_a_code_shows_two_cycles_after_its_cause():
    config = KvConfig(row_elems=16, tokens=4)
    rng = np.random.default_rng(0)
    for episode in offences(config, rng):
        trace = run(config, episode)
        code, _ = shown = SHOWN[episode.name]
        if code == HOLE:
            cause = trace.cycles("mask")[0]
        elif code == SHORTAGE:
            cause = trace.cycles("fresh")[-1] + 1
        elif code == EXCESS:
            cause = trace.cycles("mask")[-1] + config.beats
        else:
            cause = trace.cycles("start")[-1]
        assert trace.status.index(shown) == cause + 2


def test_the_first_code_stays_and_done_tells_that_of_its_own_pass():
    config = KvConfig(row_elems=16, tokens=2)
    rng = np.random.default_rng(0)
    script = Script(config)
    for number, (keep, off) in enumerate([(0, 0), (1, -1), (1, 1), (1, 0)]):
        script.run(random_layer(config, rng, 0, number, 2, keep=keep, off=off))
    trace = run(config, script)
    assert trace.status[-1] == (HOLE, 0)
    done = config.port("done")
    assert [done.unpack(word)["code"] for word in trace.payloads("done")] == [
        HOLE, SHORTAGE, EXCESS, 0]


def test_a_refused_start_changes_nothing(seed):
    """Refused ones between layers, and during one, leave the outputs as without them."""
    config = KvConfig(row_elems=16, tokens=4, sequences=3)
    traces = []
    for refused in (False, True):
        rng = np.random.default_rng(seed)
        script = Script(config)
        for number, keep in enumerate((1, 0.5, 0)):
            script.run(random_layer(config, rng, 1, number, 4, keep=keep))
            if refused:
                script.busy(1, 0, 4)
                script.busy(0, 0, 4)
                script.reset(1, while_running=True)
                for start in ((3, 0, 1), (1, number + 2, 4), (1, 0, 0), (1, 0, 5)):
                    script.start(*start)
        traces.append(run(config, script))
    assert traces[0].payloads("kv") == traces[1].payloads("kv")
    assert traces[0].payloads("done") == traces[1].payloads("done")
    assert len(traces[1].payloads("start")) == 3 + 3 * 6


def test_the_reset_of_a_sequence_takes_a_cycle_and_may_come_in_anothers_pass():
    config = KvConfig(row_elems=16, tokens=4, sequences=2)
    rng = np.random.default_rng(0)
    script = Script(config)
    script.run(random_layer(config, rng, 0, 0, 4, keep=1))
    script.run(random_layer(config, rng, 1, 0, 4, keep=1))
    script.reset(0, while_running=True)
    script.start(0, 1, 4)
    script.reset(1)
    script.run(random_layer(config, rng, 1, 0, 4, keep=0))
    trace = run(config, script)
    resets, starts = trace.cycles("reset"), trace.cycles("start")
    assert trace.cycles("done")[0] < resets[0] < trace.cycles("done")[1]
    assert starts[3] == resets[1] + 1
    codes = [config.port("done").unpack(word)["code"] for word in trace.payloads("done")]
    assert codes == [0, 0, HOLE]
    assert LAYER in {code for code, _ in trace.status}


def test_nothing_of_a_reset_in_a_pass_stays(seed):
    config = KvConfig(row_elems=16, tokens=4, quant="int8")
    rng = np.random.default_rng(seed)
    script, outputs = random_script(config, rng)
    used, fresh = KvCycles(config), KvCycles(config)
    inputs = {"start_valid": 1, "start_payload": script.beats["start"][0], "mask_valid": 1,
              "mask_payload": 1, "fresh_valid": 1, "fresh_payload": 5, "reset_valid": 0,
              "reset_payload": 0, "kv_ready": 1, "done_ready": 1, "status_clear": 0}
    for _ in range(int(rng.integers(1, 12))):
        used.tick(inputs)
    used.reset()
    assert used.idle and used.outputs(inputs) == fresh.outputs(inputs)
    agree(config, run(config, script), outputs)
