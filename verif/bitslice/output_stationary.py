"""Cycle model of the output-stationary array."""

from __future__ import annotations

from pimlico.hdl.bitslice.config import BAD_FRAME, KEEP, PRELOAD, BitsliceConfig

from ..bits import Array, pack, unpack
from ..model import Values
from .array import ArrayCycles
from .golden import Job, activations, matmul, steps, weights


class OutputStationary(ArrayCycles):
    """Beats are held until their digits are issued; a tile's results follow at a fixed time.

    Results are computed by `golden` for a whole tile, or group, in the cycle that issues its
    last digits.
    """

    def __init__(self, config: BitsliceConfig):
        self._skips = config.arch == "skip"
        super().__init__(config)

    def reset(self) -> None:
        self.held: dict[str, int | None] = dict.fromkeys(("a", "w", "w_low"))
        self.spaced = 0
        self.kept: Array | None = None
        self.kept_k = 0
        self.issued = self.skipped = 0
        super().reset()

    def _begin(self, job: Job | None) -> None:
        super()._begin(job)
        self.reads = self._jobs.reads(job) if job else ()
        self.beat = self.tile = 0
        self.loaded: list[int] = []
        self.beats: list[tuple[int, int, int]] = []
        self.plan: list[int] | None = None
        self.left_out = 0

    def _final_beat(self) -> tuple[bool, bool, bool]:
        """Whether the beat held is the last of a group, of its tile, of the job."""
        job = self.job
        assert job is not None
        done = (self.beat + 1) * self.config.beat_k
        tile = done == job.length
        group = tile or (bool(job.group_len) and done % job.group_len == 0)
        return group, tile, tile and self.tile == job.tiles - 1

    def _settle(self) -> tuple[bool, bool]:
        """Whether a step of a beat's digits is issued, and whether it is the last."""
        if self.job is None or any(self.held[name] is None for name in self.reads):
            return False, False
        if self.plan is None:
            self.plan = self._plan()
        final = len(self.plan) == 1
        if final and self._final_beat()[0]:
            loading = self.job.start == PRELOAD and len(self.loaded) < self.config.bands
            if (loading or self.time < self.spaced
                    or self.queue.promised > self.config.fifo_depth - self.config.bands):
                return False, False
        return True, final

    def _plan(self) -> list[int]:
        """For each cycle of the beat held, the digits issued to the columns."""
        if not self.config.timed:
            return [0]
        config, job = self.config, self.job
        assert job is not None
        plan = []
        for cycles, counts in steps(config, job, self.held["w"] or 0, self.held["w_low"] or 0):
            plan += [sum(count > cycle for count in counts) for cycle in range(cycles)]
        if self._skips:
            digits = config.cols * config.group * self._jobs.positions(job)
            self.left_out = digits - sum(plan)
        return plan

    def outputs(self, inputs: Values) -> dict[str, int]:
        config, job = self.config, self.job
        _, final = self._settle()
        ends = final and self._final_beat()[2]
        out = self._shared_outputs()
        for name in self._jobs.operands:
            takes = job is not None and name in self.reads and not ends
            out[f"{name}_ready"] = int(takes and (self.held[name] is None or final))
        if config.preload:
            out["d_ready"] = int(job is not None and job.start == PRELOAD
                                 and len(self.loaded) < config.bands)
        if self._skips:
            out |= {"issued": self.issued, "skipped": self.skipped}
        return out

    def tick(self, inputs: Values) -> None:
        out = self.outputs(inputs)
        step, final = self._settle()
        taken = [name for name in self._jobs.operands
                 if out[f"{name}_ready"] and inputs[f"{name}_valid"]]
        event = 0
        if step:
            assert self.plan is not None
            self.issued = (self.issued + self.plan.pop(0)) & 0xFFFF_FFFF
        if final:
            event = self._finish_beat()
        for name in taken:
            self.held[name] = inputs[f"{name}_payload"]
        if out.get("d_ready") and inputs["d_valid"]:
            self.loaded.append(inputs["d_payload"])
        self._shared_tick(out, inputs, event)

    def _judge(self, payload: int) -> int:
        job, code = self._jobs.judge(payload, self.kept_k)
        if code == 0:
            self._begin(job)
            self.issued = self.skipped = 0
            self.kept_k = job.length + (self.kept_k if job.start == KEEP else 0)
        return code

    def _finish_beat(self) -> int:
        job, config = self.job, self.config
        assert job is not None
        group, tile, end = self._final_beat()
        words = (self.held["a"] or 0, self.held["w"] or 0, self.held.get("w_low") or 0)
        self.beats.append(words)
        self.skipped = (self.skipped + self.left_out) & 0xFFFF_FFFF
        self.plan = None
        self.held = dict.fromkeys(self.held)
        framed = words[0] >> self._last_bit & 1 == tile
        if group:
            self.queue.promise(self.time + config.drain_delay, self._results(job, not tile, end))
            self.spaced = self.time + config.bands
            self.beats = []
        self.beat += 1
        if tile:
            self.beat = 0
            self.tile += 1
        if end:
            self._begin(None)
            self.settled = self.time + config.drain_delay + config.bands
        return 0 if framed else BAD_FRAME

    def _results(self, job: Job, partial: bool, end: bool) -> list[int]:
        config = self.config
        a, high, low = zip(*self.beats, strict=True)
        w = weights(config, job, high, low)
        tile = matmul(activations(config, job, a), w.reshape(-1, w.shape[-1]),
                      job.a_zero, job.w_zero, job.nest)
        lanes = self._jobs.lanes(tile, job)
        if job.start == KEEP:
            assert self.kept is not None
            lanes = lanes + self.kept
        elif job.start == PRELOAD:
            lanes = lanes + unpack(self.loaded, config.d_width, config.results)
        self.kept = lanes
        half = 1 << config.result_width - 1
        assert (-half <= lanes).all() and (lanes < half).all(), "a result overflows"
        o = config.port("o")
        row, partial_at, last = (o.offset(name) for name in ("row", "partial", "last"))
        return [word | number << row | int(partial) << partial_at
                | int(end and number == config.bands - 1) << last
                for number, word in enumerate(pack(lanes, config.result_width))]
