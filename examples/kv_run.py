"""The passes of a model through the KV history buffer: the stimulus, the run and its checks.

Everything that a run is checked against is counted here from the masks, apart from the buffer's
own golden model.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from kv_model import Decoder, Shape, Trace, Visit

from pimlico.generators.block import find
from pimlico.generators.verilog import Emitted
from pimlico.hdl.kv.config import QUANT_BITS, KvConfig
from pimlico.sim.runner import Simulator
from pimlico.sim.verify import Progress, verify
from pimlico.verif.bits import unpack
from pimlico.verif.episode import Episode
from pimlico.verif.kv.golden import Layer
from pimlico.verif.kv.quant import quantize, restore
from pimlico.verif.kv.stimulus import Script

Array = npt.NDArray[Any]

PASSES = "KV_HISTORY_PASSES"
"""Environment variable that names the file of the passes' beats inside the simulator."""


@dataclass(frozen=True)
class Case:
    """A model's sizes, how many tokens it skips, and where its buffer runs."""

    keep: float
    prompt: int
    steps: int
    layers: int = 8
    quant: str = "none"
    simulator: Simulator = "verilator"


def generate(case: Case, seed: int) -> Trace:
    """The model's passes; it computes with held rows as the buffer restores them."""
    rng = np.random.default_rng(seed)
    prompt = rng.integers(0, Shape.vocab, case.prompt).tolist()
    model = Decoder(Shape(layers=case.layers), rng)
    bits = QUANT_BITS[case.quant]
    return model.generate(prompt, case.steps, case.keep,
                          partial(_restored, bits=bits) if bits else np.copy)


def _restored(rows: Array, bits: int) -> Array:
    return restore(*quantize(rows, bits), bits)


def episodes(config: KvConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The `Stimulus` of a run: all passes, at full rate."""
    passes = json.loads(Path(os.environ[PASSES]).read_text())
    yield Episode("passes of the model", passes["beats"], after=passes["after"])


def job(config: KvConfig, visit: Visit) -> Layer:
    """What the buffer is given for a layer: the mask, the burst and the new token's row."""
    executed = visit.executed[:visit.cached]
    burst = visit.rows[:visit.cached][executed].reshape(-1, config.beat_elems)
    if not visit.decode:
        return Layer(0, visit.layer, executed, burst)
    own = bool(visit.executed[-1])
    return Layer(0, visit.layer, executed, burst, visit.rows[-1] * own, own)


def run(case: Case, trace: Trace, config: KvConfig, design: Emitted,
        progress: Progress | None = None) -> dict[str, Any]:
    """Send a model's passes through the RTL, and check every value and counter.

    Returns
    -------
    dict
        The fields of `case`, those of `count`, and: ``correct``, whether ``lockstep`` (every
        output on every cycle as the cycle model says) and ``exact`` (rows and counters as the
        NumPy model has them) hold, and the time; ``failure`` (text or None); ``cycles`` from the
        first start to the last done, ``formula`` for them without ``waits`` for rows that the last
        pass left to be quantized; ``busy`` (beats of rows a cycle); ``offchip_bytes`` as the
        RTL counted them, ``traffic`` (of the bytes of all rows of all layers); ``worst_error`` of
        a held element, in its least significant bit; ``comparisons``, ``cycles_per_second``.
    """
    visits = trace.visits
    formula = sum(config.pass_cycles(len(visit.executed)) + 1 for visit in visits) - 1
    script = Script(config)
    for visit in visits:
        script.run(job(config, visit))
    with tempfile.NamedTemporaryFile("w", prefix="pimlico-kv-", suffix=".json") as file:
        json.dump({"beats": script.beats, "after": script.after}, file)
        file.flush()
        os.environ[PASSES] = file.name
        result = verify(find(config.block), config, simulators=[case.simulator], seed=0,
                        record=True, cycles=2 * formula + 1000,
                        stimulus=f"{__name__}:episodes", design=design,
                        progress=progress)["simulators"][case.simulator]
    recorded, traffic = result["recorded"], result["traffic"]
    difference = (_wrong_row(config, visits, recorded.get("kv", []))
                  or _wrong_counter(config, visits, recorded.get("done", [])))
    cycles = traffic["done"]["last"] - traffic["start"]["first"] if traffic else 0
    waits = cycles - formula
    settle = config.settle_cycles if config.quant_bits else 0
    timely = 0 <= waits <= settle * (len(visits) - 1)
    failure = result["failure"] or difference or (
        None if timely else f"{cycles} cycles instead of {formula}")
    counted = count(config, visits)
    done = config.port("done")
    offchip_bytes = sum(done.unpack(word)["offchip_bytes"] for word in recorded.get("done", []))
    return vars(case) | counted | {
        "correct": failure is None, "lockstep": result["passed"], "exact": difference is None,
        "failure": failure, "cycles": cycles, "formula": formula, "waits": waits,
        "busy": traffic["kv"]["beats"] / cycles if cycles > 0 else 0.0,
        "offchip_bytes": offchip_bytes, "traffic": offchip_bytes / counted["dense_bytes"],
        "worst_error": _worst_error(visits), "comparisons": result["comparisons"],
        "cycles_per_second": result["cycles_per_second"],
    }


def count(config: KvConfig, visits: Sequence[Visit]) -> dict[str, Any]:
    """What the masks say of memory, on chip and off.

    Off chip every layer has a region of its own, and in it the rows of the tokens that it
    executed, in the order in which they were written.

    Returns
    -------
    dict
        ``passes``; ``kept``, the fraction of token-layers executed; ``saved``, that of the
        rows of all layers that need no place off chip; ``dense_bytes`` to stream all rows of
        all layers; ``fresh_rows``, ``held_rows``; ``irregular_reads``, rows of a burst that do not
        lie right behind the row before; ``gathers``, rows that would have to be read from the
        region of another layer if there were no buffer.
    """
    region = config.tokens * config.row_bytes
    written: dict[tuple[int, int], int] = {}
    filled = [0] * (1 + max(visit.layer for visit in visits))
    dense = fresh = irregular = gathers = 0
    latest: dict[int, int] = {}
    for visit in visits:
        for token in np.flatnonzero(visit.executed).tolist():
            latest[token] = visit.layer
            if (visit.layer, token) not in written:
                written[visit.layer, token] = visit.layer * region + filled[visit.layer]
                filled[visit.layer] += config.row_bytes
        read = [written[visit.layer, token]
                for token in np.flatnonzero(visit.executed[:visit.cached]).tolist()]
        irregular += int(np.count_nonzero(np.diff(read) != config.row_bytes))
        gathers += sum(written[latest[token], token] // region != visit.layer
                       for token in range(len(visit.executed)))
        dense += visit.cached * config.row_bytes
        fresh += len(read)
    tokens, layers = len(visits[-1].executed), len(filled)
    return {
        "passes": len(visits), "kept": len(written) / (tokens * layers),
        "saved": 1 - sum(filled) / (tokens * layers * config.row_bytes),
        "dense_bytes": dense, "fresh_rows": fresh,
        "held_rows": sum(int((~visit.executed).sum()) for visit in visits),
        "irregular_reads": irregular, "gathers": gathers,
    }


def _wrong_row(config: KvConfig, visits: Sequence[Visit], payloads: Sequence[int]) -> str | None:
    """The first element or flag of ``kv`` that is not as the model computed with it."""
    beats = sum(len(visit.executed) for visit in visits) * config.beats
    if len(payloads) != beats:
        return f"{len(payloads)} beats of rows came out instead of {beats}"
    values = unpack(payloads, config.elem_width, config.beat_elems)
    flags = np.array([word >> config.beat_bits for word in payloads])
    at = 0
    for number, visit in enumerate(visits):
        end = at + len(visit.executed) * config.beats
        where = f"pass {number}, layer {visit.layer}, token"
        rows = values[at:end].reshape(visit.rows.shape)
        if (wrong := np.argwhere(rows != visit.rows)).size:
            token, element = wrong[0].tolist()
            return (f"{where} {token}, element {element}: {rows[token, element]} came out, "
                    f"{visit.rows[token, element]} is right")
        if (flipped := np.flatnonzero(flags[at:end] != _flags(config, visit))).size:
            return f"{where} {flipped[0] // config.beats}: flags are wrong"
        at = end
    return None


def _flags(config: KvConfig, visit: Visit) -> Array:
    """By beat: fresh, no hole, K in the first half of a row and V in the second, and the last."""
    half = config.beats // 2
    part = np.tile(np.repeat([1, 2], half), len(visit.executed))
    flags = np.repeat(visit.executed, config.beats) | part << 2
    flags[-1] |= 1 << 4
    return flags


def _wrong_counter(config: KvConfig, visits: Sequence[Visit], payloads: Sequence[int]) \
        -> str | None:
    """The first ``done`` that is not as the masks say."""
    if len(payloads) != len(visits):
        return f"{len(payloads)} layers were done instead of {len(visits)}"
    for number, (visit, word) in enumerate(zip(visits, payloads, strict=True)):
        fresh = int(visit.executed[:visit.cached].sum())
        right = {"sequence": 0, "layer": visit.layer, "code": 0, "fresh_rows": fresh,
                 "held_rows": int((~visit.executed).sum()),
                 "offchip_bytes": fresh * config.row_bytes + (visit.cached + 7) // 8}
        for name, value in config.port("done").unpack(word).items():
            if value != right[name]:
                return f"pass {number}: {name} is {value} instead of {right[name]}"
    return None


def _worst_error(visits: Sequence[Visit]) -> int:
    """Most by which an element of a held row differs from the token's own of its last layer."""
    worst, own = 0, np.zeros(0)
    for visit in visits:
        if visit.layer == 0:
            own = visit.rows.copy()
        own[visit.executed] = visit.rows[visit.executed]
        worst = max(worst, int(np.abs(own - visit.rows).max()))
    return worst
