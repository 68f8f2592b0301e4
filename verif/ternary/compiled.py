"""The ternary core's cycles in machine code: the control of `cycles`, with all results known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import TernaryConfig

from ..compiled_drive import ON, compiled, ended, put, show, take
from ..compiled_recording import CompiledModel, Rows, Span
from ..episode import Episode
from ..episode_arrays import Arrays, Bench, payload_rows
from ..rows import octets
from ..words import Words
from . import control
from .control import Pins, Shape, State, Taken
from .cycles import shape
from .job import Job, JobPort
from .row_tiles import Stretch, result_payloads

Array = npt.NDArray[Any]

_settle, _tick, _idle = compiled(control.settle), compiled(control.tick), compiled(control.idle)

CFG, A, W, ADDEND = range(4)


class Plan(NamedTuple):
    """What the beats of an episode say, in order.

    Attributes
    ----------
    jobs : ndarray of int64, shape (beats of `cfg`, 3)
        Status code, and of an accepted job its beats a row tile and its row tiles.
    marks : ndarray of uint8, shape (beats of `a`,)
        ``first`` and ``last``.
    bad_code : ndarray of bool, shape (beats of `w`,)
        Whether there is a code for no weight.
    results : ndarray of uint8, shape (beats of `o`, octets)
        As rows take them.
    """

    jobs: Array
    marks: Array
    bad_code: Array
    results: Array


class CompiledTernary(CompiledModel):
    """`TernaryCycles` in machine code."""

    config: TernaryConfig

    def __init__(self, config: TernaryConfig, arrays: Arrays):
        super().__init__(config, arrays)
        self._shape = shape(config)
        self._cfg = JobPort(config)
        self._a_octets, self._w_octets = (octets(config.port(name).width) for name in "aw")
        self._first_bit = config.port("a").offset("first")

    def reset(self) -> State:
        return State()

    def idle(self, state: State) -> bool:
        return control.idle(state)

    def plan(self, episodes: Sequence[Episode]) -> list[Plan]:
        stretches, read = [], []
        for episode in episodes:
            beats = episode.beats
            read.append([self._cfg.read(payload) for payload in beats.get("cfg", [])])
            stretches.append(Stretch(
                [job for _, job in read[-1] if job is not None],
                Words.of(beats.get("a", []), self._a_octets),
                Words.of(beats.get("w", []), self._w_octets),
                beats.get("addend", []) if self.config.addend else None))
        results, bad_codes = result_payloads(self.config, stretches)
        bad = np.split(bad_codes, list(accumulate(len(stretch.w) for stretch in stretches))[:-1])
        o, size = self.config.port("o"), self.arrays.places[-1].size
        rows = np.split(payload_rows(o, [word for of in results for word in of], size),
                        list(accumulate(map(len, results)))[:-1])
        return [self._plan(*one) for one in zip(read, stretches, bad, rows, strict=True)]

    def _plan(self, read: list[tuple[int, Job | None]], stretch: Stretch, bad: Array,
              results: Array) -> Plan:
        sizes = [(code, job.tile_beats, job.tiles) if job else (code, 0, 0) for code, job in read]
        return Plan(np.array(sizes, np.int64).reshape(-1, 3), stretch.a.bits(self._first_bit, 2),
                    bad, results)

    def run(self, bench: Bench, rng: np.random.Generator, plan: Plan, state: State, rows: Rows,
            span: Span) -> tuple[State, int, int]:
        state, end, now = _run(bench, rng, plan, self._shape, state, rows, span)
        return State(*state), end, now


@compiled
def _run(bench: Bench, rng: np.random.Generator, plan: Plan, shape: Shape, state: State,
         rows: Rows, span: Span) -> tuple[State, int, int]:
    streams, carried, still = bench.streams, bench.carried, bench.still
    inputs, outputs = bench.inputs, bench.outputs
    o = len(streams) - 1
    for row in range(span.begin, span.end):
        put(bench, o, rng)
        addend = streams[ADDEND].offered if shape.addend else 0
        pins = Pins(streams[CFG].offered, streams[A].offered, streams[W].offered, addend,
                    int(inputs[streams[o].ready]))
        now = _settle(state, pins, shape)
        outputs[streams[CFG].ready] = now.cfg_ready
        outputs[streams[A].ready] = now.a_ready
        outputs[streams[W].ready] = now.w_ready
        if shape.addend:
            outputs[streams[ADDEND].ready] = now.addend_ready
        outputs[bench.shown[0]] = state.status
        show(streams, outputs, o, now.o_valid, plan.results)
        for octet in range(len(inputs)):
            rows.inputs[row, octet] = inputs[octet]
        for octet in range(len(outputs)):
            rows.expected[row, octet] = outputs[octet]
        rows.compared[row] = 1

        cycle = span.cycle + row - span.begin
        refusal = tile_beats = tiles = marks = bad_code = 0
        if now.take_cfg:
            job = streams[CFG].taken
            refusal, tile_beats, tiles = plan.jobs[job, 0], plan.jobs[job, 1], plan.jobs[job, 2]
            take(streams, carried, still, CFG, cycle)
        if now.take_a:
            marks = int(plan.marks[streams[A].taken])
            take(streams, carried, still, A, cycle)
        if now.take_w:
            bad_code = int(plan.bad_code[streams[W].taken])
            take(streams, carried, still, W, cycle)
        if now.addend_ready and addend:
            take(streams, carried, still, ADDEND, cycle)
        if now.o_valid and pins.o:
            take(streams, carried, still, o, cycle)
        clear = int(inputs[bench.wires[0].at])
        state = _tick(state, now, clear, Taken(refusal, tile_beats, tiles, marks, bad_code), shape)
        went = ended(streams, still, _idle(state), span.patience)
        if went != ON:
            return state, row + 1, went
    return state, span.end, ON
