"""Plays payloads to a cycle model of the bit-sliced array, and notes what passes when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pimlico.hdl.common.ports import Stream
from pimlico.verif.bitslice.cycles import cycles

NOTHING: dict[str, int] = {}


@dataclass
class Trace:
    """Cycle and payload of every beat by stream, and the plain outputs cycle by cycle."""

    beats: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    wires: list[dict[str, int]] = field(default_factory=list)
    valid: list[int] = field(default_factory=list)

    def payloads(self, stream: str) -> list[int]:
        return [payload for _, payload in self.beats[stream]]

    def cycles(self, stream: str) -> list[int]:
        return [now for now, _ in self.beats[stream]]

    def column(self, wire: str) -> list[int]:
        return [values[wire] for values in self.wires]


def play(config, beats: Mapping[str, Sequence[int]],
         stalled: Callable[[str], bool] = lambda stream: False,
         clear: Sequence[int] = (), most: int = 50_000, settle: int = 3) -> Trace:
    """Offer the payloads of every stream in order, each until it is taken; to the end.

    Parameters
    ----------
    config : BitsliceConfig
    beats : mapping
    stalled : callable
        Whether a source that has nothing on offer waits, or the sink does, in this cycle.
    clear : sequence of int
        Cycles with ``status_clear``.
    """
    model = cycles(config)
    streams = [port for port in config.ports if isinstance(port, Stream)]
    left = {port.name: list(beats.get(port.name, ())) for port in streams
            if port.direction == "in"}
    trace = Trace({port.name: [] for port in streams})
    offered: set[str] = set()
    held: tuple[int, int] | None = None
    quiet = 0
    for now in range(most):
        inputs = {"status_clear": int(now in clear), "o_ready": int(not stalled("o"))}
        for name, words in left.items():
            if words and name not in offered and not stalled(name):
                offered.add(name)
            inputs |= {f"{name}_valid": int(name in offered),
                       f"{name}_payload": words[0] if words else 0}
        outputs = model.outputs(inputs)
        for name, words in left.items():
            if inputs[f"{name}_valid"] and outputs[f"{name}_ready"]:
                trace.beats[name].append((now, words.pop(0)))
                offered.discard(name)
        if held is not None:
            assert outputs["o_valid"] and outputs["o_payload"] == held[1], "a stalled beat moved"
        held = None
        if outputs["o_valid"]:
            if inputs["o_ready"]:
                trace.beats["o"].append((now, outputs["o_payload"]))
            else:
                held = now, outputs["o_payload"]
        trace.valid.append(outputs["o_valid"])
        trace.wires.append({name: outputs[name] for name in ("status", "issued", "skipped")
                            if name in outputs})
        model.tick(inputs)
        quiet = quiet + 1 if model.idle and not any(left.values()) else 0
        if quiet == settle:
            return trace
    raise AssertionError(f"the model does not come to rest; left: "
                         f"{ {name: len(words) for name, words in left.items()} }")
