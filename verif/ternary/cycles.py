"""Cycle model of the ternary LUT GEMM core."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import BAD_CODE, BAD_FRAME, BLOCK, KEY_BITS, TernaryConfig

from ..bits import pack, unpack
from ..model import CycleModel, Values
from .formats import activation_order, decode_beats
from .tile import results

Array = npt.NDArray[Any]


class Job(NamedTuple):
    """An accepted `cfg` beat and what follows from it."""

    n: int
    m: int
    tag: int
    scale: dict[str, Array]
    tile_beats: int
    tiles: int


class Beat(NamedTuple):
    """An activation beat in the pipeline, with its weights from the fetch on."""

    job: Job
    first: bool
    last: bool
    tile: int
    a: int
    w: int = 0


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


class TernaryCycles(CycleModel):
    """Table, fetch and reduce, pipeline, accumulate: a token a beat moves through the stages.

    Results are computed by `golden` for a whole row tile in the cycle that completes it.
    """

    config: TernaryConfig

    def __init__(self, config: TernaryConfig):
        super().__init__(config)
        a, cfg, o = config.port("a"), config.port("cfg"), config.port("o")
        self._cfg = cfg
        self._first_bit, self._last_bit = a.offset("first"), a.offset("last")
        self._keep_at, self._tag_at, self._last_at = (
            o.offset("keep"), o.offset("tag"), o.offset("last"))
        self._rescales = config.out != "raw"
        self._codes = CodeCheck(config)
        self.reset()

    def reset(self) -> None:
        self.job: Job | None = None
        self.beat = self.tile = 0
        self.table: Beat | None = None
        self.decoded: int | None = None
        self.stages: list[Beat | None] = [None] * (self.config.pipeline + 1)
        self.held: list[Beat] = []
        self.addend: int | None = None
        self.acc: int | None = None
        self.scaled: int | None = None
        self.result: int | None = None
        self.status = 0

    @property
    def idle(self) -> bool:
        return (self.job is None and self.table is None and not any(self.stages)
                and self.acc is None and self.scaled is None and self.result is None)

    def outputs(self, inputs: Values) -> dict[str, int]:
        return self._settle(inputs).outputs

    def _settle(self, inputs: Values) -> Settled:
        config = self.config
        o_ready = inputs["o_ready"]
        if self._rescales:
            result = self.result is None or bool(o_ready)
            scale = self.scaled is None or result
            offered = self.result
            acc_leaves = scale
        else:
            result = scale = False
            offered = self.acc
            acc_leaves = bool(o_ready)
        out: dict[str, int] = {"o_valid": int(offered is not None), "status": self.status}
        if offered is not None:
            out["o_payload"] = offered

        acc_free = self.acc is None or acc_leaves
        last_stage = self.stages[-1]
        step = last_stage is not None and acc_free
        if config.addend:
            wants = step and last_stage is not None and last_stage.first
            out["addend_ready"] = int(wants)
            if wants and not inputs["addend_valid"]:
                step = False
        advance = last_stage is None or step
        take_keys = self.table is not None and advance
        if config.decode_stage:
            fetch = take_keys and self.decoded is not None
            w_ready = self.decoded is None or take_keys
        else:
            fetch = take_keys and bool(inputs["w_valid"])
            w_ready = take_keys
        a_ready = self.job is not None and (self.table is None or fetch)
        take_a = a_ready and bool(inputs["a_valid"])
        job = self.job
        finish = (take_a and job is not None and self.beat == job.tile_beats - 1
                  and self.tile == job.tiles - 1)
        cfg_ready = job is None or finish
        out |= {"w_ready": int(w_ready), "a_ready": int(a_ready), "cfg_ready": int(cfg_ready)}
        return Settled(step, advance, take_keys, fetch, w_ready and bool(inputs["w_valid"]), take_a,
                       cfg_ready and bool(inputs["cfg_valid"]), scale, result, out)

    def tick(self, inputs: Values) -> None:
        now = self._settle(inputs)
        event = 0
        acc = self.acc
        if self._rescales:
            if now.result:
                self.result = self.scaled
            if now.scale:
                self.scaled, acc = acc, None
        elif inputs["o_ready"]:
            acc = None
        if now.step:
            beat = self.stages[-1]
            assert beat is not None
            if beat.first:
                self.held = []
                self.addend = inputs["addend_payload"] if self.config.addend else None
            self.held.append(beat)
            acc = self._result(beat) if beat.last else None
        self.acc = acc

        take_w = now.take_w
        if now.advance:
            arriving = None
            if now.fetch:
                assert self.table is not None
                w = inputs["w_payload"] if self.decoded is None else self.decoded
                arriving = self.table._replace(w=w)
            self.stages = [arriving, *self.stages[:-1]]
        if take_w and (self.status == 0 or inputs["status_clear"]) and self._codes.bad(
                inputs["w_payload"]):
            event = BAD_CODE
        if self.config.decode_stage:
            if take_w:
                self.decoded = inputs["w_payload"]
            elif now.take_keys:
                self.decoded = None
        if now.fetch:
            self.table = None
        if now.take_a:
            event = self._take_activations(inputs["a_payload"]) or event
        if now.take_cfg:
            event = self._take_job(inputs["cfg_payload"]) or event
        if self.status == 0 or inputs["status_clear"]:
            self.status = event

    def _take_activations(self, payload: int) -> int:
        job = self.job
        assert job is not None
        first, last = self.beat == 0, self.beat == job.tile_beats - 1
        self.table = Beat(job, first, last, self.tile, payload)
        if last:
            self.beat = 0
            self.tile += 1
            if self.tile == job.tiles:
                self.job = None
        else:
            self.beat += 1
        framed = (payload >> self._first_bit & 1, payload >> self._last_bit & 1) == (first, last)
        return 0 if framed else BAD_FRAME

    def _take_job(self, payload: int) -> int:
        config = self.config
        cfg = self._cfg.unpack(payload)
        n, m = cfg["n"], cfg["m"]
        code = (1 if n == 0 else 2 if n > config.n_max else 3 if m == 0
                else 4 if m > config.m_max else 5 if config.block_format and n % BLOCK else 0)
        if code == 0:
            scale = {field.name: np.atleast_1d(cfg[field.name]) for field in config.scale_fields}
            self.job = Job(n, m, cfg["tag"], scale, config.tile_beats(n), -(-m // config.keys))
            self.beat = self.tile = 0
        return code

    def _result(self, last: Beat) -> int:
        """The payload of the row tile whose beats were held."""
        config, job = self.config, last.job
        x = unpack([beat.a for beat in self.held], config.act_bits,
                   config.batch * config.columns, signed=not config.floating)
        x = x.reshape(len(self.held), config.batch, config.columns)
        order = activation_order(config, job.n).reshape(-1, 1, config.columns)
        x = np.where(order < 0, 0, x)
        trits = decode_beats(config, [beat.w for beat in self.held])[0]
        addend = None
        if self.addend is not None:
            addend = unpack([self.addend], config.addend_width, config.batch * config.keys,
                            signed=not config.floating).reshape(config.batch, config.keys)
        lanes = results(config, trits, x, addend, job.scale).reshape(1, -1)
        job_last = last.tile == job.tiles - 1
        rows = job.m - last.tile * config.keys if job_last else config.keys
        return (pack(lanes, config.out_bits)[0] | ((1 << rows) - 1) << self._keep_at
                | job.tag << self._tag_at | job_last << self._last_at)


class CodeCheck:
    """Whether a weight beat holds a code for no weight, in a few wide integer operations."""

    def __init__(self, config: TernaryConfig):
        symbol, self.bits, self.limit = {
            "keys": (KEY_BITS[config.mu], KEY_BITS[config.mu] - 1, config.entries),
            "base3x5": (8, 8, 242),
            "tq1_0": (8, 8, 255),
        }.get(config.weight_format, (2, 2, 2))
        total = config.keys * config.weight_bits
        self.ones = sum(1 << position for position in range(0, total, symbol))

    def bad(self, word: int) -> bool:
        above, equal = 0, self.ones
        for bit in reversed(range(self.bits)):
            ones = word >> bit & self.ones
            if self.limit >> bit & 1:
                equal &= ones
            else:
                above |= equal & ones
                equal &= ~ones
        return above != 0
