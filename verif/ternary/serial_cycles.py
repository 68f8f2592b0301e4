"""Cycle model of the ternary LUT GEMM core with a serial build."""

from __future__ import annotations

from typing import NamedTuple

from pimlico.hdl.ternary.config import BAD_CODE, BAD_FRAME, TernaryConfig

from ..model import CycleModel, Values
from .job import CodeCheck, Job, JobPort, ResultPort


class Tables(NamedTuple):
    """The tables of a column tile, being built or complete."""

    job: Job
    first: bool
    last: bool
    a: int


class Beat(NamedTuple):
    """A weight beat in the pipeline, with the activations of its tables."""

    job: Job
    first: bool
    last: bool
    tile: int
    a: int
    w: int


class Settled(NamedTuple):
    """What the handshakes of a cycle settle to."""

    step: bool
    advance: bool
    take_keys: bool
    fetch: bool
    take_w: bool
    take_a: bool
    take_cfg: bool
    scale: bool
    result: bool
    outputs: dict[str, int]


class SerialCycles(CycleModel):
    """Build, fetch and reduce, pipeline, accumulate: a token a weight beat moves through.

    A job's beats are kept row tile by row tile; results are computed by `golden` for a row
    tile in the cycle that completes it.
    """

    config: TernaryConfig

    def __init__(self, config: TernaryConfig):
        super().__init__(config)
        self._first_bit = config.port("a").offset("first")
        self._rescales = config.out != "raw"
        self._codes = CodeCheck(config)
        self._cfg, self._o = JobPort(config), ResultPort(config)
        self.reset()

    def reset(self) -> None:
        self.job: Job | None = None
        self.beat = 0
        self.decoded: int | None = None
        self.stages: list[Beat | None] = [None] * (self.config.pipeline + 1)
        self.acc: int | None = None
        self.scaled: int | None = None
        self.result: int | None = None
        self.status = 0
        self.complete: list[Tables] = []
        self.building: Tables | None = None
        self.built = 0
        self.row = 0
        self.settling = False
        self.sums: dict[int, list[Beat]] = {}
        self.addends: dict[int, int] = {}

    @property
    def idle(self) -> bool:
        return (self.job is None and not self.complete and self.building is None
                and not any(self.stages) and self.acc is None and self.scaled is None
                and self.result is None)

    def outputs(self, inputs: Values) -> dict[str, int]:
        return self._settle(inputs).outputs

    def _settle(self, inputs: Values) -> Settled:
        config = self.config
        o_ready = bool(inputs["o_ready"])
        result = scale = False
        offered, acc_leaves = self.acc, o_ready
        if self._rescales:
            result = self.result is None or o_ready
            scale = self.scaled is None or result
            offered, acc_leaves = self.result, scale
        out: dict[str, int] = {"o_valid": int(offered is not None), "status": self.status}
        if offered is not None:
            out["o_payload"] = offered

        partial = self.stages[-1]
        step = partial is not None and (not partial.last or self.acc is None or acc_leaves)
        if config.addend:
            wants = step and partial is not None and partial.first
            out["addend_ready"] = int(wants)
            step = step and (not wants or bool(inputs["addend_valid"]))
        advance = partial is None or step

        take_keys = bool(self.complete) and advance and not self.settling
        if config.decode_stage:
            fetch = take_keys and self.decoded is not None
            w_ready = self.decoded is None or take_keys
        else:
            fetch = take_keys and bool(inputs["w_valid"])
            w_ready = take_keys
        leave = fetch and self.row == self.complete[0].job.tiles - 1

        job = self.job
        ends = self.building is not None and self.built == config.build_cycles - 1
        copies = len(self.complete) + (self.building is not None)
        a_ready = (job is not None and (self.building is None or ends)
                   and (copies < 2 or leave))
        take_a = a_ready and bool(inputs["a_valid"])
        finish = take_a and job is not None and self.beat == job.tile_beats - 1
        cfg_ready = job is None or finish
        out |= {"w_ready": int(w_ready), "a_ready": int(a_ready), "cfg_ready": int(cfg_ready)}
        return Settled(
            step, advance, take_keys, fetch, w_ready and bool(inputs["w_valid"]), take_a,
            cfg_ready and bool(inputs["cfg_valid"]), scale, result, out)

    def tick(self, inputs: Values) -> None:
        now = self._settle(inputs)
        event = 0
        if self._rescales:
            if now.result:
                self.result = self.scaled
            if now.scale:
                self.scaled, self.acc = self.acc, None
        elif inputs["o_ready"]:
            self.acc = None
        if now.step:
            self._accumulate(inputs)

        if now.advance:
            arriving = self._fetch(inputs) if now.fetch else None
            self.settling = (arriving is not None and arriving.job.tiles == 1
                             and not arriving.last)
            self.stages = [arriving, *self.stages[:-1]]
        unmarked = self.status == 0 or bool(inputs["status_clear"])
        if now.take_w and unmarked and self._codes.bad(inputs["w_payload"]):
            event = BAD_CODE
        if self.config.decode_stage:
            if now.take_w:
                self.decoded = inputs["w_payload"]
            elif now.take_keys:
                self.decoded = None

        if self.building is not None:
            self.built += 1
            if self.built == self.config.build_cycles:
                self.complete.append(self.building)
                self.building = None
        if now.take_a:
            event = self._build(inputs["a_payload"]) or event
        if now.take_cfg:
            code, job = self._cfg.read(inputs["cfg_payload"])
            event = code or event
            if job is not None:
                self.job, self.beat = job, 0
        if unmarked:
            self.status = event

    def _fetch(self, inputs: Values) -> Beat:
        """The beat of the next row tile, which leaves the tables."""
        tables = self.complete[0]
        w = inputs["w_payload"] if self.decoded is None else self.decoded
        beat = Beat(tables.job, tables.first, tables.last, self.row, tables.a, w)
        self.row += 1
        if self.row == tables.job.tiles:
            self.row = 0
            self.complete.pop(0)
        return beat

    def _accumulate(self, inputs: Values) -> None:
        beat = self.stages[-1]
        assert beat is not None
        if beat.first:
            self.sums[beat.tile] = []
            if self.config.addend:
                self.addends[beat.tile] = inputs["addend_payload"]
        self.sums[beat.tile].append(beat)
        if beat.last:
            held = self.sums.pop(beat.tile)
            self.acc = self._o.payload(beat.job, beat.tile, [one.a for one in held],
                                       [one.w for one in held],
                                       self.addends.pop(beat.tile, None))

    def _build(self, payload: int) -> int:
        job = self.job
        assert job is not None
        first, last = self.beat == 0, self.beat == job.tile_beats - 1
        self.building, self.built = Tables(job, first, last, payload), 0
        self.beat += 1
        if last:
            self.job = None
        return 0 if payload >> self._first_bit == first | last << 1 else BAD_FRAME
