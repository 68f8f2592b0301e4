"""Plays an episode of the OMAP controller on its cycle model alone."""

import numpy as np

from pimlico.hdl.common.ports import Stream
from pimlico.verif.omap.cycles import OmapCycles


class Played:
    """Cycle and payload of every beat by stream, and the wires cycle by cycle.

    An episode without `cycles` must come to rest within `most`.
    """

    def __init__(self, config, episode, seed=0, most=200_000):
        self.config, self.episode = config, episode
        self.ports = [port for port in config.ports if isinstance(port, Stream)]
        self.beats = {port.name: [] for port in self.ports}
        self.wires = []
        self._run(OmapCycles(config), np.random.default_rng(seed), most)

    def _run(self, model, rng, most):
        episode = self.episode
        left = {port.name: list(episode.beats.get(port.name, [])) for port in self.ports
                if port.direction == "in"}
        delays = {name: list(episode.delay.get(name, [0] * len(beats)))
                  for name, beats in left.items()}
        offered = set()
        quiet = 0
        for now in range(episode.cycles or most):
            inputs = {name: values[now % len(values)] for name, values in episode.wires.items()}
            for name, beats in left.items():
                if beats and name not in offered and rng.random() < episode.valid.get(name, 1) \
                        and self._open(name, len(beats)):
                    if delays[name][-len(beats)]:
                        delays[name][-len(beats)] -= 1
                    else:
                        offered.add(name)
                inputs |= {f"{name}_valid": int(name in offered),
                           f"{name}_payload": beats[0] if beats else 0}
            for port in self.ports:
                if port.direction == "out":
                    inputs[f"{port.name}_ready"] = int(
                        rng.random() < episode.ready.get(port.name, 1))
            outputs = model.outputs(inputs)
            here = {f"{port.name}_payload": 0 for port in self.ports} | inputs | outputs
            self.wires.append({name: outputs[name] for name in ("ready", "fatal", "live",
                                                                "pending", "stash")})
            for port in self.ports:
                if here[f"{port.name}_valid"] and here[f"{port.name}_ready"]:
                    self.beats[port.name].append((now, here[f"{port.name}_payload"]))
                    if port.name in left:
                        left[port.name].pop(0)
                        offered.discard(port.name)
            model.tick(inputs)
            quiet = quiet + 1 if model.idle and not any(left.values()) else 0
            if quiet == 8:
                return
        if episode.cycles:
            return
        raise AssertionError(f"{episode.name}: not at rest, left "
                             f"{ {name: len(beats) for name, beats in left.items()} }")

    def _open(self, name, left):
        after = self.episode.after.get(name)
        return after is None or all(len(self.beats[other]) >= count
                                    for other, count in after[-left].items())

    def cycles(self, stream):
        return [now for now, _ in self.beats[stream]]

    def payloads(self, stream):
        return [payload for _, payload in self.beats[stream]]

    @property
    def responses(self):
        """(status, found, value) of every response."""
        port = self.config.port("rsp")
        return [tuple(port.unpack(payload).values()) for payload in self.payloads("rsp")]
