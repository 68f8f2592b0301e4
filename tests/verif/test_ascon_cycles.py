"""The cycle model of the Ascon-AEAD128 core against the golden functions, and its timing."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from pimlico.hdl.ascon.config import MALFORMED, WRONG_TAG, AsconConfig
from pimlico.hdl.common.ports import Stream
from pimlico.verif.ascon.cycles import AsconCycles
from pimlico.verif.ascon.golden import RATE, recover, seal
from pimlico.verif.ascon.stimulus import LENGTHS, Script, beat, known_answers, number
from pimlico.verif.ascon.vectors import VECTORS

CONFIGS = [AsconConfig(rounds_per_cycle=rounds, beat_bits=beat_bits)
           for rounds in (1, 2, 4) for beat_bits in (32, 64, 128)]
by_config = pytest.mark.parametrize("config", CONFIGS, ids=[
    f"{config.rounds_per_cycle}x{config.beat_bits}" for config in CONFIGS])


@dataclass
class Trace:
    """Cycle and payload of every beat by stream, and the status cycle by cycle."""

    beats: dict = field(default_factory=dict)
    status: list = field(default_factory=list)

    def cycles(self, stream):
        return [now for now, _ in self.beats[stream]]

    def unpacked(self, config, stream):
        port = config.port(stream)
        return [port.unpack(payload) for _, payload in self.beats[stream]]


def run(config, script, stalled=lambda: False, clear=(), most=20_000):
    """What the model does with the beats of a script."""
    model = AsconCycles(config)
    ports = [port for port in config.ports if isinstance(port, Stream)]
    left = {port.name: list(script.beats[port.name]) for port in ports if port.direction == "in"}
    sinks = [port.name for port in ports if port.direction == "out"]
    trace, offered = Trace({port.name: [] for port in ports}), set()
    for now in range(most):
        inputs = {"status_clear": int(now in clear)}
        for name, beats in left.items():
            if beats and not stalled():
                offered.add(name)
            inputs |= {f"{name}_valid": int(name in offered),
                       f"{name}_payload": beats[0] if beats else 0}
        inputs |= {f"{name}_ready": int(not stalled()) for name in sinks}
        outputs = model.outputs(inputs)
        trace.status.append(outputs["status"])
        for name, beats in left.items():
            if name in offered and outputs[f"{name}_ready"]:
                trace.beats[name].append((now, beats.pop(0)))
                offered.discard(name)
        for name in sinks:
            if outputs[f"{name}_valid"] and inputs[f"{name}_ready"]:
                trace.beats[name].append((now, outputs[f"{name}_payload"]))
        model.tick(inputs)
        if model.idle and not any(left.values()):
            trace.status.append(model.outputs(inputs)["status"])
            return trace
    raise AssertionError("the model does not come to an end")


def packets(config, trace, stream="result"):
    """The bytes of each packet."""
    found, data = [], b""
    for values in trace.unpacked(config, stream):
        assert not any(values["data"][values["bytes"]:])
        assert values["bytes"] == config.beat_bytes or values["last"]
        data += bytes(values["data"][:values["bytes"]])
        if values["last"]:
            found.append(data)
            data = b""
    assert not data
    return found


def expected(script):
    """Result, tag and code of the messages of a script, from the golden functions."""
    config, ad, text = script.config, script.beats["ad"], script.beats["text"]
    commands = [config.port("cmd").unpack(payload) for payload in script.beats["cmd"]]
    tags = iter(script.beats.get("tag", ()))
    unpack = config.port("ad").unpack
    packets = []
    for beats in (ad, text):
        found = [b""]
        for values in map(unpack, beats):
            found[-1] += bytes(values["data"][:values["bytes"]])
            if values["last"]:
                found.append(b"")
        packets.append(found[:-1])
    for command, ad, text in zip(commands, *packets, strict=True):
        key, nonce = (command[name].to_bytes(RATE, "little") for name in ("key", "nonce"))
        if command.get("decrypt", config.mode == "decrypt"):
            plain, right = recover(key, nonce, ad, text)
            yield plain, 0, 0 if next(tags) == number(right) else WRONG_TAG
        else:
            cipher, tag = seal(key, nonce, ad, text)
            yield cipher, number(tag), 0


def check(config, script, trace):
    done = [(values.get("tag", 0), values["code"]) for values in trace.unpacked(config, "done")]
    got = [(text, *values) for text, values in zip(packets(config, trace), done, strict=True)]
    assert got == list(expected(script))


@by_config
def test_messages_of_all_small_sizes_equal_the_golden_function(config):
    rng = np.random.default_rng(2)
    script = Script(config, rng)
    for size in range(2 * RATE + 2):
        for ad_bytes, text_bytes in ((size, int(rng.integers(40))), (int(rng.integers(40)), size)):
            script.message(ad_bytes, text_bytes, trailing=bool(rng.integers(2)),
                           wrong=str(rng.choice(["", "nonce", "tag"])))
    check(config, script, run(config, script))


@by_config
def test_gaps_and_back_pressure_change_only_time(config):
    seed = 7
    rng = np.random.default_rng(seed)
    script = Script(config, rng)
    for _ in range(12):
        script.message(int(rng.integers(40)), int(rng.integers(70)),
                       wrong=str(rng.choice(["", "tag"])))
    for rate in (0.3, 0.8):
        check(config, script, run(config, script, lambda rate=rate: rng.random() < rate))


@pytest.mark.parametrize("mode", ["encrypt", "decrypt"])
def test_a_core_of_one_direction(mode):
    config = AsconConfig(mode=mode, beat_bits=64)
    script = Script(config, np.random.default_rng(3))
    for size in LENGTHS:
        script.message(size, size)
    check(config, script, run(config, script))


@by_config
def test_messages_take_the_cycles_that_the_configuration_says(config):
    rng = np.random.default_rng(4)
    for ad_bytes in (0, 1, 15, 16, 33):
        for text_bytes in (0, 4, 15, 16, 17, 75):
            for decrypt in (False, True):
                script = Script(config, rng)
                for _ in range(2):
                    script.message(ad_bytes, text_bytes, decrypt)
                first, second = run(config, script).cycles("done")
                assert second - first == config.message_cycles(ad_bytes, text_bytes, decrypt), \
                    (ad_bytes, text_bytes, decrypt)


@by_config
def test_result_comes_a_cycle_after_its_block(config):
    script = Script(config, np.random.default_rng(5))
    script.message(0, 4 * RATE)
    trace = run(config, script)
    beats = config.block_beats
    taken, given = trace.cycles("text"), trace.cycles("result")
    assert [given[at * beats] - taken[at * beats + beats - 1] for at in range(4)] == \
        [config.latency] * 4


@pytest.mark.parametrize("stream", ["ad", "text"])
@pytest.mark.parametrize("kind", ["more", "fewer"])
@pytest.mark.parametrize("decrypt", [False, True])
def test_a_malformed_beat_is_told_and_its_message_has_no_tag(stream, kind, decrypt):
    config = AsconConfig(mode="decrypt" if decrypt else "encrypt")
    script = Script(config, np.random.default_rng(6))
    script.message(20, 20)
    script.malformed(stream, kind)
    script.message(20, 20)
    trace = run(config, script)
    done = trace.unpacked(config, "done")
    assert [values["code"] for values in done] == [0, MALFORMED, 0]
    if not decrypt:
        assert [bool(values["tag"]) for values in done] == [True, False, True]
    assert {*trace.status} == {0, MALFORMED}


@pytest.mark.parametrize("beat_bits", [32, 64, 128])
def test_every_number_of_bytes_that_a_beat_must_not_say(beat_bits):
    config = AsconConfig(beat_bits=beat_bits, mode="encrypt")
    whole = config.beat_bytes
    for said in range(1 << config.size_bits):
        for last in (False, True):
            script = Script(config, np.random.default_rng(said))
            script.message(3, 2 * RATE)
            place = -1 if last else -2
            script.beats["text"][place] = beat(config, bytes(whole), last, said)
            done, = run(config, script).unpacked(config, "done")
            legal = said <= whole if last else said == whole
            assert done["code"] == (0 if legal else MALFORMED), (said, last)


def test_the_first_code_stays_until_it_is_cleared():
    config = AsconConfig(rounds_per_cycle=4, beat_bits=128)
    script = Script(config, np.random.default_rng(8))
    for wrong in ("", "tag", ""):
        script.message(0, 5, True, wrong)
    script.malformed("text", "more")
    trace = run(config, script)
    _, second, _, last = trace.cycles("done")
    assert trace.status == [0] * (second + 1) + [WRONG_TAG] * (len(trace.status) - second - 1)
    # cleared in the cycle in which another one comes, it is that one
    trace = run(config, script, clear=[last])
    assert trace.status[second + 1:] == [WRONG_TAG] * (last - second) + [MALFORMED]
    trace = run(config, script, clear=[second + 2])
    assert trace.status[second + 1:second + 4] == [WRONG_TAG, WRONG_TAG, 0]


@by_config
def test_known_answers(config):
    episode = next(known_answers(config, np.random.default_rng(0)))
    script = Script(config, np.random.default_rng(0))
    script.beats = episode.beats
    trace = run(config, script)
    done, texts = trace.unpacked(config, "done"), packets(config, trace)
    for at, vector in enumerate(VECTORS.values()):
        assert texts[2 * at:2 * at + 2] == [vector.cipher, vector.text]
        assert [values["tag"] for values in done[2 * at:2 * at + 2]] == [number(vector.tag), 0]
    assert not any(values["code"] for values in done)


def test_the_messages_drawn_on_the_page_are_the_models():
    page = (Path(__file__).parents[2] / "docs" / "ascon-aead128.md").read_text()
    lines = re.search(r"^```text\n(cmd .*?)^```$", page, re.M | re.S)[1].splitlines()
    script = Script(AsconConfig(rounds_per_cycle=4, beat_bits=128), np.random.default_rng(0))
    script.message(5, 40, False)
    script.message(0, 16, True)
    trace = run(script.config, script)
    end = trace.cycles("done")[-1] + 1
    marks = {"cmd": "c", "ad": "a", "text": "t", "tag": "g", "result": "r", "done": "d"}
    assert dict(map(str.split, lines)) == {
        name: "".join(mark if now in trace.cycles(name) else "." for now in range(end))
        for name, mark in marks.items()}
