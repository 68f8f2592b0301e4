"""A ternary layer from random floats to results that came out of the RTL.

The steps of the demo, each a function, and the stimulus that the bench calls inside the
simulator.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.generators.block import find
from pimlico.generators.pack import Kind, make_gguf, pack
from pimlico.generators.verilog import Emitted
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.runner import Simulator
from pimlico.sim.verify import Progress, verify
from pimlico.verif.bits import unpack
from pimlico.verif.episode import Episode
from pimlico.verif.ternary.formats import activation_beats
from pimlico.verif.ternary.golden import quantize_activations, quantize_weights

Array = npt.NDArray[Any]

JOB = "TERNARY_LAYER_JOB"
"""Environment variable that names the job's folder inside the simulator."""


@dataclass(frozen=True)
class Layer:
    """A weight matrix of `m` rows by `n` columns, and the GGUF type that it is stored in."""

    tensor: str
    kind: Kind
    n: int
    m: int

    @property
    def label(self) -> str:
        return self.tensor.removeprefix("blk.0.").removesuffix(".weight")


@dataclass(frozen=True)
class Job:
    """A layer ready to run: the folder holds ``weights.bin`` and ``x.npy``."""

    layer: Layer
    config: TernaryConfig
    folder: Path
    trits: Array
    x: Array


def make_model(path: Path, layers: Sequence[Layer], rng: np.random.Generator) -> dict[str, Array]:
    """Quantize random matrices as BitNet does, and write them as one GGUF file.

    Returns
    -------
    dict of str to int8 array of shape (m, n)
        The ternary weights by tensor, as they were before they were stored.
    """
    trits, tensors = {}, {}
    for layer in layers:
        weights = rng.normal(0, 0.02, (layer.m, layer.n)).astype(np.float32)
        trits[layer.tensor], scale = quantize_weights(weights)
        tensors[layer.tensor] = trits[layer.tensor] * np.float32(np.float16(1 / scale))
    make_gguf(path, tensors, {layer.tensor: layer.kind for layer in layers})
    return trits


def prepare(model: Path, layer: Layer, config: TernaryConfig, trits: Array,
            rng: np.random.Generator, folder: Path) -> Job:
    """Pack a tensor of a GGUF file for the core, and quantize random activations for it."""
    folder.mkdir()
    pack(model, layer.tensor, config, folder / "weights.bin")
    x, _ = quantize_activations(rng.normal(size=layer.n).astype(np.float32), config.act_bits)
    np.save(folder / "x.npy", x)
    return Job(layer, config, folder, trits, x)


def episodes(config: TernaryConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The `Stimulus` of a job: its first rows, at full rate."""
    folder = Path(os.environ[JOB])
    rows = json.loads((folder / "rows.json").read_text())
    about = json.loads((folder / "weights.bin.json").read_text())
    beats, step = config.job_beats(about["n"], rows), about["beat_bytes"]
    with (folder / "weights.bin").open("rb") as file:
        data = file.read(beats * step)
    words = [int.from_bytes(data[at:at + step], "little") for at in range(0, len(data), step)]
    cfg = config.port("cfg")
    yield Episode(f"{rows} rows", {
        "cfg": [cfg.pack({"n": about["n"], "m": rows, "tag": 0})],
        "a": activation_beats(config, np.load(folder / "x.npy"), rows), "w": words})


def run(job: Job, simulator: Simulator, design: Emitted, rows: int,
        progress: Progress | None = None) -> dict[str, Any]:
    """Run the first `rows` rows of a job through the RTL, and check cycles and results.

    Returns
    -------
    dict
        ``layer``, ``format``, ``simulator``, ``n``, ``m``, ``rows``; ``correct``: whether both
        ``lockstep`` (every output on every cycle as the cycle model says) and ``exact`` (every
        result as plain NumPy has it) hold; ``failure`` (text or None); ``cycles`` from the
        accepted `cfg` beat to the last result, ``formula`` for them, ``busy`` (weight beats a
        cycle), ``comparisons``, ``cycles_per_second``.
    """
    config, n = job.config, job.layer.n
    beats = config.job_beats(n, rows)
    (job.folder / "rows.json").write_text(json.dumps(rows))
    os.environ[JOB] = str(job.folder)
    result = verify(find(config.block), config, simulators=[simulator], seed=0, record=True,
                    cycles=2 * beats + 1000, stimulus=f"{__name__}:episodes", design=design,
                    progress=progress)["simulators"][simulator]
    difference = _difference(_results(config, result["recorded"].get("o", []), rows),
                             _plain(job, rows))
    failure = result["failure"] or difference
    cycles = beats_taken = 0
    if traffic := result["traffic"]:
        cycles = traffic["o"]["last"] - traffic["cfg"]["first"]
        beats_taken = traffic["w"]["beats"]
    return {
        "layer": job.layer.label, "format": config.weight_format, "simulator": simulator,
        "n": n, "m": job.layer.m, "rows": rows,
        "correct": failure is None, "lockstep": result["passed"],
        "exact": difference is None, "failure": failure,
        "cycles": cycles, "formula": beats + config.latency,
        "busy": beats_taken / cycles if cycles > 0 else 0.0,
        "comparisons": result["comparisons"], "cycles_per_second": result["cycles_per_second"],
    }


def _results(config: TernaryConfig, payloads: Sequence[int], rows: int) -> Array:
    return unpack(payloads, config.out_bits, config.keys).ravel()[:rows]


def _difference(measured: Array, expected: Array) -> str | None:
    if measured.size != expected.size:
        return f"{measured.size} results came out instead of {expected.size}"
    wrong = np.flatnonzero(measured != expected)
    if not wrong.size:
        return None
    row = int(wrong[0])
    return f"row {row}: {measured[row]} came out, {expected[row]} is right"


def _plain(job: Job, rows: int) -> Array:
    """The product without any of Pimlico's code."""
    return job.trits[:rows].astype(np.int64) @ job.x.astype(np.int64)
