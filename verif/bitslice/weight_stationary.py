"""Cycle model of the weight-stationary array."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pimlico.hdl.bitslice.config import BAD_FRAME, PRELOAD

from ..bits import Array, pack, unpack
from ..model import Values
from .array import ArrayCycles
from .golden import Job, activations, matmul, positions_of, weights


class Settled(NamedTuple):
    """What a cycle does: weights issued, their last of a tile; activations issued, for the last
    digit of weights, and the last of a tile; the weights loaded come into use."""

    load: bool
    loads_last: bool
    go: bool
    done: bool
    tile_last: bool
    swap: bool


class WeightStationary(ArrayCycles):
    """Weights of a tile load while the activations of the one before pass."""

    def reset(self) -> None:
        self._names = (*self._jobs.operands, *(("d",) if self.config.preload else ()))
        self.held: dict[str, int | None] = dict.fromkeys(self._names)
        super().reset()

    def _begin(self, job: Job | None) -> None:
        super()._begin(job)
        self.unloaded = self.tiles = job.tiles if job else 0
        self.coming: list[tuple[int, int]] = []
        self.weights: Array = np.zeros((0, 0), np.int64)
        self.passing = False
        self.row = self.step = 0
        self.steps = len(positions_of(self.config, job)) if job and self.config.timed else 1
        reads = self._jobs.reads(job) if job else ()
        self.weight_reads = [name for name in reads if name != "a"]
        self.beat_reads = ["a"] + (["d"] if job and job.start == PRELOAD else [])

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
        out = self._shared_outputs()
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
        self._shared_tick(out, inputs, event)

    def _judge(self, payload: int) -> int:
        job, code = self._jobs.judge(payload)
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
