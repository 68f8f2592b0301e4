"""Matrix products on the bit-sliced array's RTL, several in one simulation.

Products are cut by bitslice_tiles; every output of the RTL is compared with the cycle model on
every cycle.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bitslice_tiles import Array, Beats, Operation, beats, cut, results, results_of

from pimlico.generators.block import find
from pimlico.generators.verilog import Emitted
from pimlico.hdl.bitslice.config import HIGH_BITS, LOW_BITS, BitsliceConfig
from pimlico.hdl.common.ports import Stream
from pimlico.sim.runner import Simulator
from pimlico.sim.verify import Progress, verify
from pimlico.verif.bitslice.cycles import cycles
from pimlico.verif.episode import Episode
from pimlico.verif.model import CycleModel, Values

FOLDER = "BITSLICE_FOLDER"
"""Environment variable that names the folder of a run's files inside the simulator."""


class Task(NamedTuple):
    """A product to compute: matrices of shapes (M, K) and (K, N)."""

    a: Array
    w: Array
    operation: Operation = Operation()


@dataclass(frozen=True)
class Product:
    """What came out of the RTL.

    Attributes
    ----------
    result : int64 array of shape (M, N), or (groups, M, N)
    failure : str or None
        Where the RTL and its cycle model differ, or what is missing.
    cycles, formula : int
        From the first cfg to the last result: counted on the RTL, and by the closed form, which
        for ``arch = skip`` has the golden model's count of digits.
    steps : int
        Cycles of them in which digits are issued, by the same form.
    macs : int
        Products of the matrices, without padding.
    beats : dict of str to int
        Beats that each stream's handshakes brought.
    weight_bits : int
        Bits of weights in the beats of ``w`` and ``w_low``, padding of the tiles included.
    weights : int
        Weights that these beats brought; one of a draft and its refinement is one.
    """

    result: Array
    failure: str | None
    cycles: int
    formula: int
    steps: int
    macs: int
    beats: dict[str, int]
    weight_bits: int
    weights: int


def multiply(tasks: Sequence[Task], config: BitsliceConfig, design: Emitted,
             simulator: Simulator = "icarus", progress: Progress | None = None) -> list[Product]:
    """``(a - a_zero) @ (w - w_zero)`` of every task, of any size, one after another.

    Parameters
    ----------
    tasks : sequence of Task
    config : BitsliceConfig
    design : Emitted
        Its Verilog.
    simulator : str
    progress : callable, optional
        See `verify`.

    Raises
    ------
    ConfigError
        If the configuration cannot compute it so.
    ToolError
        If a tool is missing or a build fails.
    """
    cuts = [cut(config, task.operation, task.a.shape[0], *task.w.shape) for task in tasks]
    made = [beats(config, task.operation, each, task.a, task.w)
            for task, each in zip(tasks, cuts, strict=True)]
    stimulus: Beats = {}
    for words, _, _ in made:
        for name, payloads in words.items():
            stimulus.setdefault(name, []).extend(payloads)
    longest = sum(formula for _, _, formula in made)
    with tempfile.TemporaryDirectory(prefix="pimlico-bitslice-") as name:
        folder = Path(name)
        (folder / "beats.json").write_text(json.dumps(stimulus))
        os.environ[FOLDER] = name
        block = replace(find(config.block), cycles=f"{__name__}:Timed")
        ran = verify(block, config, simulators=[simulator], seed=0, record=True,
                     cycles=2 * longest + 1000, stimulus=f"{__name__}:episodes", design=design,
                     progress=progress)["simulators"][simulator]
        moved = _moved(folder / "times.txt")
    payloads = ran.get("recorded", {}).get("o", [])
    products: list[Product] = []
    start = first_cfg = 0
    for task, each, (words, issuing, formula) in zip(tasks, cuts, made, strict=True):
        end = start + results_of(config, task.operation, each)
        result, missing = results(config, task.operation, each, task.a.shape, task.w.shape[1],
                                  payloads[start:end])
        cfg, o = moved["cfg"][first_cfg:], moved["o"][start:end]
        begun, ended = (cfg[0], o[-1]) if cfg and o else (0, 0)
        # operands are taken within their own job
        brought = {stream: sum(begun <= time <= ended for time in times)
                   for stream, times in moved.items() if stream in words and stream != "cfg"}
        products.append(Product(
            result=result, failure=ran["failure"] or missing, cycles=ended - begun,
            formula=formula, steps=issuing, macs=task.a.shape[0] * task.w.size, beats=brought,
            **_weights(config, task.operation, brought)))
        start, first_cfg = end, first_cfg + len(words["cfg"])
    return products


def gemm(a: Array, w: Array, config: BitsliceConfig, design: Emitted,
         operation: Operation | None = None, simulator: Simulator = "icarus",
         progress: Progress | None = None) -> Product:
    """One product; see `multiply`."""
    task = Task(a, w, operation or Operation())
    return multiply([task], config, design, simulator, progress)[0]


def _weights(config: BitsliceConfig, operation: Operation,
             brought: Mapping[str, int]) -> dict[str, int]:
    """Weights that beats of the weight streams brought, and their bits."""
    lanes = config.cols * config.beat_k * operation.products(config)
    high, low = brought.get("w", 0), brought.get("w_low", 0)
    bits = HIGH_BITS if config.nested else config.mode[operation.mode].w
    return {"weights": lanes * max(high, low), "weight_bits": lanes * (high * bits
                                                                       + low * LOW_BITS)}


def episodes(config: BitsliceConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The `Stimulus` of a run: all jobs, at full rate."""
    words = json.loads((Path(os.environ[FOLDER]) / "beats.json").read_text())
    yield Episode("jobs of the products", words)


class Timed(CycleModel):
    """The block's cycle model, which notes the cycle of every handshake.

    The bench compares valid and ready with the RTL's before each clock edge, and ends where
    they differ: the times noted are the RTL's.
    """

    def __init__(self, config: BitsliceConfig):
        super().__init__(config)
        self._model = cycles(config)
        self._streams = [port.name for port in config.ports if isinstance(port, Stream)]
        self._file = (Path(os.environ[FOLDER]) / "times.txt").open("w", buffering=1)
        self._now = 0

    def reset(self) -> None:
        self._model.reset()
        self._now = 0

    def outputs(self, inputs: Values) -> dict[str, int]:
        return self._model.outputs(inputs)

    def tick(self, inputs: Values) -> None:
        values = {**inputs, **self._model.outputs(inputs)}
        for name in self._streams:
            if values[f"{name}_valid"] and values[f"{name}_ready"]:
                self._file.write(f"{name} {self._now}\n")
        self._model.tick(inputs)
        self._now += 1

    @property
    def idle(self) -> bool:
        return self._model.idle


def _moved(path: Path) -> dict[str, list[int]]:
    """Cycles of the handshakes, by stream."""
    moved: dict[str, list[int]] = {"cfg": [], "o": []}
    for line in path.read_text().splitlines() if path.exists() else ():
        name, time = line.split()
        moved.setdefault(name, []).append(int(time))
    return moved
