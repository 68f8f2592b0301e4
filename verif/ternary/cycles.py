"""Cycle model of the ternary LUT GEMM core."""

from __future__ import annotations

from collections import deque

from pimlico.hdl.ternary.config import TernaryConfig

from ..model import CycleModel, Values
from .control import FIRST, LAST, Pins, Settled, Shape, State, Taken, idle, partial, settle, tick
from .job import CodeCheck, Job, JobPort, ResultPort


def shape(config: TernaryConfig) -> Shape:
    """What the handshakes of a configuration depend on."""
    return Shape(int(config.out != "raw"), int(config.addend), int(config.decode_stage),
                 config.pipeline + 1)


class TernaryCycles(CycleModel):
    """Table, fetch and reduce, pipeline, accumulate: a token a beat moves through the stages.

    Beats wait in the order in which they came; results are computed by `golden` for a whole row
    tile in the cycle that completes it.
    """

    config: TernaryConfig

    def __init__(self, config: TernaryConfig):
        super().__init__(config)
        self._shape = shape(config)
        self._first_bit = config.port("a").offset("first")
        self._codes = CodeCheck(config)
        self._cfg, self._o = JobPort(config), ResultPort(config)
        self.reset()

    def reset(self) -> None:
        self.state = State()
        self.jobs: deque[Job] = deque()
        self.tile = 0
        self.a: list[int] = []
        self.w: list[int] = []
        self.addend: int | None = None
        self.results: deque[int] = deque()

    @property
    def status(self) -> int:
        return self.state.status

    @property
    def idle(self) -> bool:
        return idle(self.state)

    def outputs(self, inputs: Values) -> dict[str, int]:
        now = self._settle(inputs)
        out = {"o_valid": int(now.o_valid), "status": self.state.status,
               "w_ready": int(now.w_ready), "a_ready": int(now.a_ready),
               "cfg_ready": int(now.cfg_ready)}
        if now.o_valid:
            out["o_payload"] = self.results[0]
        if self.config.addend:
            out["addend_ready"] = int(now.addend_ready)
        return out

    def _settle(self, inputs: Values) -> Settled:
        addend = inputs["addend_valid"] if self.config.addend else 0
        return settle(self.state, Pins(inputs["cfg_valid"], inputs["a_valid"], inputs["w_valid"],
                                       addend, inputs["o_ready"]), self._shape)

    def tick(self, inputs: Values) -> None:
        now, state, clear = self._settle(inputs), self.state, inputs["status_clear"]
        if now.o_valid and inputs["o_ready"]:
            self.results.popleft()
        if now.step:
            token = partial(state, self._shape)
            if token & FIRST and self.config.addend:
                self.addend = inputs["addend_payload"]
            if token & LAST:
                self._complete()
        refusal = tile_beats = tiles = marks = 0
        bad_code = False
        if now.take_w:
            w = inputs["w_payload"]
            self.w.append(w)
            bad_code = (state.status == 0 or bool(clear)) and self._codes.bad(w)
        if now.take_a:
            self.a.append(inputs["a_payload"])
            marks = inputs["a_payload"] >> self._first_bit
        if now.take_cfg:
            refusal, job = self._cfg.read(inputs["cfg_payload"])
            if job is not None:
                self.jobs.append(job)
                tile_beats, tiles = job.tile_beats, job.tiles
        self.state = tick(state, now, clear, Taken(refusal, tile_beats, tiles, marks, bad_code),
                          self._shape)

    def _complete(self) -> None:
        """The oldest beats make up a row tile."""
        job = self.jobs[0]
        count = job.tile_beats
        self.results.append(self._o.payload(job, self.tile, self.a[:count], self.w[:count],
                                            self.addend))
        del self.a[:count], self.w[:count]
        self.tile += 1
        if self.tile == job.tiles:
            self.tile = 0
            self.jobs.popleft()
