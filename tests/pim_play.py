"""Plays an episode of the PIM banks on their cycle model alone."""

import numpy as np

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.commands import Code
from pimlico.verif.pim.cycles import PimCycles


class Played:
    """Cycle and payload of every beat by stream; the episode must come to rest.

    Parameters
    ----------
    config : PimConfig
    episode : Episode
    seed : int
        Of the stalls.
    watch : callable, optional
        Called with the model and what stands at its ports, in every cycle.
    """

    def __init__(self, config, episode, seed=0, watch=None, most=200_000):
        self.config = config
        self.ports = {port.name: port for port in config.ports if isinstance(port, Stream)}
        self.beats = {name: [] for name in self.ports}
        self._run(PimCycles(config), episode, np.random.default_rng(seed), watch, most)

    def _run(self, model, episode, rng, watch, most):
        left = {name: list(episode.beats.get(name, [])) for name, port in self.ports.items()
                if port.direction == "in"}
        delays = {name: list(episode.delay.get(name, [0] * len(beats)))
                  for name, beats in left.items()}
        offered = set()
        for now in range(episode.cycles or most):
            inputs = {}
            for name, beats in left.items():
                if beats and name not in offered and rng.random() < episode.valid.get(name, 1):
                    delay = delays[name]
                    if delay[-len(beats)]:
                        delay[-len(beats)] -= 1
                    else:
                        offered.add(name)
                inputs |= {f"{name}_valid": int(name in offered),
                           f"{name}_payload": beats[0] if beats else 0}
            for name, port in self.ports.items():
                if port.direction == "out":
                    inputs[f"{name}_ready"] = int(rng.random() < episode.ready.get(name, 1))
            outputs = model.outputs(inputs)
            here = {f"{name}_payload": 0 for name in self.ports} | inputs | outputs
            if watch:
                watch(model, here)
            for name in self.ports:
                if here[f"{name}_valid"] and here[f"{name}_ready"]:
                    self.beats[name].append((now, here[f"{name}_payload"]))
                    if name in left:
                        left[name].pop(0)
                        offered.discard(name)
            model.tick(inputs)
            if model.idle and not left["cmd"]:
                return
        if not episode.cycles:
            raise AssertionError(f"not at rest after {most} cycles of {episode.name}")

    def cycles(self, stream):
        return [now for now, _ in self.beats[stream]]

    def payloads(self, stream):
        return [payload for _, payload in self.beats[stream]]

    def fields(self, stream):
        return [self.ports[stream].unpack(payload) for payload in self.payloads(stream)]

    @property
    def refusals(self):
        return [Code(beat["code"]) for beat in self.fields("status")]

    def leaves(self):
        """The cycle in which each command but the last is carried out or refused: the next one,
        which waits, is taken then."""
        return self.cycles("cmd")[1:]
