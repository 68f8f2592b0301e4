"""Test vectors: a block's stimulus played against its cycle model, recorded cycle by cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Stream
from pimlico.verif.episode import Episode

from .block import Block
from .verilog import TopPort

"""Longer episodes are cut so long after their initialisation, so that a short recording still
shows stalls and resets."""


@dataclass(frozen=True)
class Cycle:
    """What stood at the component's ports in one cycle, by the names of `CycleModel`.

    A payload is absent from `outputs` while its valid is 0, and a wire while that which it goes
    with (`Wire.when`) is. `outputs` is empty in a cycle of reset, when nothing is promised.
    """

    reset: bool
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]

    def moves(self, stream: Stream) -> bool:
        """Whether a beat of `stream` is transferred in this cycle."""
        here = {**self.inputs, **self.outputs}
        return bool(not self.reset and here[f"{stream.name}_valid"]
                    and here[f"{stream.name}_ready"])


def record(block: Block, config: BlockConfig, cycles: int, seed: int = 1) -> list[Cycle]:
    """The first `cycles` cycles of the block's stimulus, with what the cycle model answers, and
    as many more as it initialises at first.

    The same arguments give the same recording.
    """
    rng = np.random.default_rng([seed, 0])
    stimulus = block.load("stimulus")(config, rng)
    model = block.load("cycles")(config)
    player = _Player(config, model, np.random.default_rng([seed, 1]))
    trace: list[Cycle] = []
    while len(trace) < cycles + model.warmup:
        trace.extend(player.play(next(stimulus)))
    return trace[:cycles + model.warmup]


def port_value(port: TopPort, config: BlockConfig, cycle: Cycle, active_low: bool) -> int | None:
    """What stands at a port of the emitted top; None where the cycle says nothing of it."""
    if port.role == "clk":
        return None
    if port.role == "rst":
        return int(cycle.reset != active_low)
    here = {**cycle.inputs, **cycle.outputs}
    if port.role == "wire":
        return here.get(port.name)
    if port.role in ("tvalid", "tready"):
        return here.get(f"{port.stream}_{port.role[1:]}")
    payload = here.get(f"{port.stream}_payload")
    if payload is None:
        return None
    stream = next(entry for entry in config.ports if entry.name == port.stream)
    assert isinstance(stream, Stream)
    if port.role == "tlast":
        return payload >> stream.data_width
    return payload & ((1 << stream.data_width) - 1)


class _Player:
    """Drives a cycle model as the bench drives the hardware.

    The payload of a source at rest is the complement of the last beat, so that a core that
    takes one without its valid is found out.
    """

    def __init__(self, config, model, rng: np.random.Generator):
        self.model, self.rng = model, rng
        self.rest: dict[str, int] = {}
        streams = [port for port in config.ports if isinstance(port, Stream)]
        self.sources = [stream for stream in streams if stream.direction == "in"]
        self.sinks = [stream for stream in streams if stream.direction == "out"]
        self.wires = [port for port in config.ports
                      if not isinstance(port, Stream) and port.direction == "in"
                      and port.name not in model.answers()]

    def play(self, episode: Episode) -> Iterator[Cycle]:
        self.rest = {source.name: 0 for source in self.sources}
        self.model.reset()
        yield Cycle(True, self._inputs(episode, {}, 0), {})
        waiting = {source.name: iter(episode.beats.get(source.name, ()))
                   for source in self.sources}
        left = {source.name: len(episode.beats.get(source.name, ())) for source in self.sources}
        taken = dict.fromkeys([stream.name for stream in (*self.sources, *self.sinks)], 0)
        offer: dict[str, int] = {}
        held = {name: list(cycles) for name, cycles in episode.delay.items()}
        most = self.model.recorded + self.model.warmup
        for count in range(min(episode.cycles or most, most)):
            for name, beats in waiting.items():
                if name not in offer and self._chance(episode.valid.get(name, 1.0)) \
                        and self._open(episode, name, left[name], taken) \
                        and self._due(held.get(name), left[name]):
                    beat = next(beats, None)
                    if beat is not None:
                        offer[name] = beat
            inputs = self._inputs(episode, offer, count)
            outputs = dict(self.model.outputs(inputs))
            for sink in self.sinks:
                if not outputs[f"{sink.name}_valid"]:
                    outputs.pop(f"{sink.name}_payload", None)
            yield Cycle(False, inputs, outputs)
            self.model.tick(inputs)
            for name in list(offer):
                if outputs[f"{name}_ready"]:
                    self.rest[name] = ~offer.pop(name)
                    left[name] -= 1
                    taken[name] += 1
            for sink in self.sinks:
                taken[sink.name] += outputs[f"{sink.name}_valid"] & inputs[f"{sink.name}_ready"]
            if not any(left.values()) and self.model.idle:
                return

    @staticmethod
    def _open(episode: Episode, name: str, left: int, taken: Mapping[str, int]) -> bool:
        after = episode.after.get(name)
        return not (after and left) or all(taken[other] >= count
                                           for other, count in after[-left].items())

    @staticmethod
    def _due(held: list[int] | None, left: int) -> bool:
        if not held or not left or not held[-left]:
            return True
        held[-left] -= 1
        return False

    def _inputs(self, episode: Episode, offer: Mapping[str, int], count: int) -> dict[str, int]:
        inputs: dict[str, int] = {}
        for source in self.sources:
            inputs[f"{source.name}_valid"] = int(source.name in offer)
            payload = offer.get(source.name, self.rest[source.name])
            inputs[f"{source.name}_payload"] = payload & ((1 << source.width) - 1)
        for sink in self.sinks:
            inputs[f"{sink.name}_ready"] = int(self._chance(episode.ready.get(sink.name, 1.0)))
        for wire in self.wires:
            values = episode.wires.get(wire.name) or [0]
            inputs[wire.name] = values[count % len(values)]
        return inputs | dict(self.model.answers())

    def _chance(self, probability: float) -> bool:
        return probability >= 1 or self.rng.random() < probability
