"""Every family's top with cocotbext-axi sources and sinks, which find its streams by prefix."""

from itertools import islice

import numpy as np
import pytest
from axi_run import AxiTop

from pimlico.generators.load import load
from pimlico.hdl.common.ports import Stream

SMALL = {"ascon-aead128": "compact", "bitslice-array": "ice40-tiny", "kv-history": "ecp5-256",
         "omap-controller": "ecp5-small", "pim-bank": "ecp5-int8", "pim-channel": "hbm-pim",
         "ternary-gemm": "tiny"}
COUNTS = {"pim-bank": {"status": "cycle"}, "pim-channel": {"status": "cycle"}}
"""Fields that count cycles, which differ with the stalls."""
LEGAL = "fill and multiply"
"""The episode of the PIM blocks whose commands are all legal, whenever they come."""
DEEP = {"pim-channel"}
MOST_BEATS = 1000


def job_of(block, config, rng):
    """The first episode that a source of whole frames can play to its end."""
    for episode in islice(block.load("stimulus")(config, rng), 300):
        if block.name in COUNTS and episode.name != LEGAL:
            continue
        last = [port for port in config.ports if isinstance(port, Stream) and port.has_last
                and port.direction == "in" and episode.beats.get(port.name)]
        framed = all(episode.beats[port.name][-1] >> port.data_width for port in last)
        steady = all(len(set(values[1:])) <= 1 for values in episode.wires.values())
        total = sum(map(len, episode.beats.values()))
        if framed and steady and episode.cycles is None and 0 < total <= MOST_BEATS:
            return episode
    raise AssertionError("no episode is short and whole")


def golden(block, config, episode):
    """Beats of every output stream, from the cycle model at full rate."""
    model = block.load("cycles")(config)
    model.reset()
    streams = [port for port in config.ports if isinstance(port, Stream)]
    moved = {port.name: [] for port in streams}
    left = {port.name: list(episode.beats.get(port.name, ())) for port in streams
            if port.direction == "in"}
    wires = wires_of(config, episode)
    held = {name: list(cycles) for name, cycles in episode.delay.items()}
    for now in range(50_000):
        inputs = {f"{port.name}_ready": 1 for port in streams if port.direction == "out"}
        inputs |= {name: values[now > 0] for name, values in wires.items()}
        for name, words in left.items():
            offered = bool(words) and is_due(episode, name, len(words), moved, held.get(name))
            inputs |= {f"{name}_valid": int(offered), f"{name}_payload": words[0] if words else 0}
        outputs = model.outputs(inputs)
        here = {**inputs, **outputs}
        for port in streams:
            if here[f"{port.name}_valid"] and here[f"{port.name}_ready"]:
                moved[port.name].append(here[f"{port.name}_payload"])
                if port.direction == "in":
                    left[port.name].pop(0)
        model.tick(inputs)
        if model.idle and not any(left.values()):
            return {port.name: moved[port.name] for port in streams if port.direction == "out"}
    raise AssertionError("the model does not come to rest")


def wires_of(config, episode):
    """The values of every plain input in the first cycle, and in all others."""
    return {port.name: (*episode.wires.get(port.name, [0]), *episode.wires.get(port.name, [0]))[:2]
            for port in config.ports if not isinstance(port, Stream) and port.direction == "in"}


def is_due(episode, name, left, moved, held):
    """Whether the next beat of a source may be offered in this cycle."""
    if name in episode.after and any(len(moved[other]) < count for other, count
                                     in episode.after[name][-left].items()):
        return False
    if held and held[-left]:
        held[-left] -= 1
        return False
    return True


def plain(config, name, words, left_out):
    """Payloads without the field that counts cycles."""
    if left_out is None:
        return words
    port = config.port(name)
    return [{field: value for field, value in port.unpack(word).items() if field != left_out}
            for word in words]


@pytest.mark.parametrize("simulator", [
    "icarus", pytest.param("verilator", marks=pytest.mark.deep)])
@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.deep if name in DEEP else [])
    for name in SMALL])
def test_a_job_by_prefix(tmp_path, seed, name, simulator):
    """All beats come out, in order, with tlast and zero padding, however the ends stall."""
    block, config, _ = load(name, preset=SMALL[name])
    episode = job_of(block, config, np.random.default_rng(seed))
    expected = golden(block, config, episode)
    assert sum(map(len, expected.values()))
    top = AxiTop(block, config, reset="active-low" if seed & 1 else "high", simulator=simulator)
    _, seen = top.run(
        tmp_path, seed, dict(episode.beats),
        {stream: len(words) for stream, words in expected.items()},
        after={stream: list(map(dict, needed)) for stream, needed in episode.after.items()
               if any(needed)},
        delay={stream: list(map(int, cycles)) for stream, cycles in episode.delay.items()},
        wires=wires_of(config, episode), settle=50,
        # a refresh must come in time
        stalls=(0.0, 0.05) if name in COUNTS else (0.0, 0.2, 0.7))
    for stream, words in expected.items():
        left_out = COUNTS.get(name, {}).get(stream)
        assert plain(config, stream, seen[stream], left_out) == plain(
            config, stream, words, left_out), stream
