"""Cycle model of the weight-stationary array."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pimlico.hdl.bitslice.config import BAD_FRAME, PRELOAD, BitsliceConfig

from ..bits import Array, pack, unpack
from ..model import CycleModel, Values
from .golden import Job, activations, matmul, positions_of, weights
from .job import JUDGING, Jobs
from .queue import Queue


class Settled(NamedTuple):
    """What a cycle does: weights issued, their last of a tile; activations issued, for the last
    digit of weights, and the last of a tile; the weights loaded come into use."""

    load: bool
    loads_last: bool
    go: bool
    done: bool
    tile_last: bool
    swap: bool


class WeightStationary(CycleModel):
    """Weights of a tile load while the activations of the one before pass."""

    config: BitsliceConfig

    def __init__(self, config: BitsliceConfig):
        super().__init__(config)
        self._jobs = Jobs(config)
        self._last_bit = config.port("a").offset("last")
        self._names = (*self._jobs.operands, *(("d",) if config.preload else ()))
        self.reset()

    def reset(self) -> None:
        self.time = 0
        self.held: dict[str, int | None] = dict.fromkeys(self._names)
        self.queue = Queue()
        self.settled = 0
        self.status = 0
        self.asked: list[int] = []
        self._begin(None)

    def _begin(self, job: Job | None) -> None:
        self.job = job
        self.unloaded = self.tiles = job.tiles if job else 0
        self.coming: list[tuple[int, int]] = []
        self.weights: Array = np.zeros((0, 0), np.int64)
        self.passing = False
        self.row = self.step = 0
        self.steps = len(positions_of(self.config, job)) if job and self.config.timed else 1
        reads = self._jobs.reads(job) if job else ()
        self.weight_reads = [name for name in reads if name != "a"]
        self.beat_reads = ["a"] + (["d"] if job and job.start == PRELOAD else [])

    @property
    def idle(self) -> bool:
        return (self.job is None and not self.asked and self.time >= self.settled
                and self.queue.promised == 0)

    def _settle(self) -> Settled:
        job, config = self.job, self.config
        if job is None:
            return Settled(False, False, False, False, False, False)
        loaded = len(self.coming) == config.rows
        go = (self.passing and all(self.held[name] is not None for name in self.beat_reads)
              and self.queue.promised < config.fifo_depth)
        done = go and self.step == self.steps - 1
        last = done and self.row == job.length - 1
        swap = loaded and (not self.passing or last)
        load = (self.unloaded > 0 and (not loaded or swap)
                and all(self.held[name] is not None for name in self.weight_reads))
        row = 0 if swap else len(self.coming)
        return Settled(load, load and row == config.rows - 1, go, done, last, swap)

    def outputs(self, inputs: Values) -> dict[str, int]:
        job, now = self.job, self._settle()
        out = {"cfg_ready": int(job is None and not self.asked and self.time >= self.settled),
               "status": self.status}
        for name in self._names:
            if name in ("a", "d"):
                wanted = (job is not None and name in self.beat_reads
                          and not (now.tile_last and self.tiles == 1))
                takes = now.done
            else:
                wanted = (name in self.weight_reads and self.unloaded > 0
                          and not (now.loads_last and self.unloaded == 1))
                takes = now.load
            out[f"{name}_ready"] = int(wanted and (self.held[name] is None or takes))
        head = self.queue.head
        out["o_valid"] = int(head is not None)
        if head is not None:
            out["o_payload"] = head
        return out

    def tick(self, inputs: Values) -> None:
        out, now, event = self.outputs(inputs), self._settle(), 0
        if now.done:
            event = self._pass(now.tile_last)
        if now.go:
            self.step = 0 if now.done else self.step + 1
        if now.swap:
            self._swap()
        if now.load:
            self.coming.append((self.held["w"] or 0, self.held.get("w_low") or 0))
            self.held |= dict.fromkeys(self.weight_reads)
            self.unloaded -= now.loads_last
        ends = now.tile_last and self.tiles == 1
        if now.tile_last:
            self.tiles -= 1
        if ends:
            self._begin(None)
            self.settled = self.time + self.config.drain_delay + 1
        for name in self._names:
            if out[f"{name}_ready"] and inputs[f"{name}_valid"]:
                self.held[name] = inputs[f"{name}_payload"]
        if len(self.asked) == JUDGING:
            event = self._judge() or event
        elif self.asked:
            self.asked.append(self.asked[-1])
        if out["cfg_ready"] and inputs["cfg_valid"]:
            self.asked = [inputs["cfg_payload"]]
        if self.status == 0 or inputs["status_clear"]:
            self.status = event
        self.queue.tick(self.time, bool(out["o_valid"] and inputs["o_ready"]))
        self.time += 1

    def _judge(self) -> int:
        """What becomes of the job that was asked for; its code."""
        job, code = self._jobs.judge(self.asked.pop())
        self.asked = []
        if code == 0:
            self._begin(job)
        return code

    def _swap(self) -> None:
        assert self.job is not None
        high, low = zip(*self.coming, strict=True)
        tile = weights(self.config, self.job, high, low)
        self.weights = tile.reshape(-1, tile.shape[-1])
        self.coming, self.passing, self.row = [], True, 0

    def _pass(self, last: bool) -> int:
        """Activations meet the weights in use."""
        config, job = self.config, self.job
        assert job is not None
        a = self.held["a"] or 0
        row = activations(config, job, [a]).reshape(1, -1)
        products = config.products_of(job.mode.w, job.nest)
        lanes = np.zeros((config.cols, config.products), np.int64)
        results = matmul(row, self.weights, job.a_zero, job.w_zero, job.nest)
        lanes[:, :products] = results.reshape(-1, products)
        lanes = lanes.reshape(1, -1)
        if job.start == PRELOAD:
            lanes = lanes + unpack([self.held["d"] or 0], config.d_width, config.results)
        o = config.port("o")
        ends = last and self.tiles == 1
        payload = (pack(lanes, config.result_width)[0] | self.row << o.offset("row")
                   | int(ends) << o.offset("last"))
        self.queue.promise(self.time + config.drain_delay, [payload])
        self.held |= dict.fromkeys(self.beat_reads)
        self.passing = self.passing and not last
        self.row += 1
        return 0 if a >> self._last_bit & 1 == last else BAD_FRAME
