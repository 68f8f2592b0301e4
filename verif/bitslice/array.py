"""What the cycle models of either dataflow share: jobs taken and judged, results queued."""

from __future__ import annotations

from abc import abstractmethod

from pimlico.hdl.bitslice.config import BitsliceConfig

from ..model import CycleModel, Values
from .golden import Job
from .job import JUDGING, Jobs
from .queue import Queue


class ArrayCycles(CycleModel):
    """A cycle model that takes a job when nothing of the one before is on its way."""

    config: BitsliceConfig

    def __init__(self, config: BitsliceConfig):
        super().__init__(config)
        self._jobs = Jobs(config)
        self._last_bit = config.port("a").offset("last")
        self.reset()

    def reset(self) -> None:
        self.time = 0
        self.queue = Queue()
        self.settled = 0
        self.status = 0
        self.asked: tuple[int, int] | None = None  # a cfg beat, and when it is judged
        self._begin(None)

    @abstractmethod
    def _begin(self, job: Job | None) -> None:
        """Start `job`, or be without one."""
        self.job = job

    @abstractmethod
    def _judge(self, payload: int) -> int:
        """What becomes of a job that was asked for; its code."""

    @property
    def idle(self) -> bool:
        return self._takes_job and self.queue.promised == 0

    @property
    def _takes_job(self) -> bool:
        return self.job is None and self.asked is None and self.time >= self.settled

    def _shared_outputs(self) -> dict[str, int]:
        out = {"cfg_ready": int(self._takes_job), "status": self.status}
        head = self.queue.head
        out["o_valid"] = int(head is not None)
        if head is not None:
            out["o_payload"] = head
        return out

    def _shared_tick(self, out: Values, inputs: Values, event: int) -> None:
        """The end of a cycle in which operands raised the code `event`, 0 for none."""
        if self.asked is not None and self.asked[1] == self.time:
            payload, self.asked = self.asked[0], None
            event = self._judge(payload) or event
        if out["cfg_ready"] and inputs["cfg_valid"]:
            self.asked = inputs["cfg_payload"], self.time + JUDGING
        if self.status == 0 or inputs["status_clear"]:
            self.status = event
        self.queue.tick(self.time, bool(out["o_valid"] and inputs["o_ready"]))
        self.time += 1
