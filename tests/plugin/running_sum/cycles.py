"""The running sum, cycle by cycle."""

from pimlico.verif.model import CycleModel, Values

from .config import RunningSumConfig


class RunningSumCycles(CycleModel):
    """What `RunningSum` does at its ports."""

    def __init__(self, config: RunningSumConfig):
        super().__init__(config)
        self.mask = (1 << config.width) - 1
        self.reset()

    def reset(self) -> None:
        self.valid = self.total = self.count = 0
        self.last = 1

    def outputs(self, inputs: Values) -> dict[str, int]:
        return {
            "i_ready": int(not self.valid or inputs["o_ready"]),
            "o_valid": self.valid,
            "o_payload": self.total | self.last << self.config.width,
            "count": self.count,
        }

    def tick(self, inputs: Values) -> None:
        if self.valid and not inputs["o_ready"]:
            return
        self.valid = inputs["i_valid"]
        if self.valid:
            value = inputs["i_payload"] & self.mask
            base = 0 if self.last else self.total
            self.total = (base - value if inputs["negate"] else base + value) & self.mask
            self.last = inputs["i_payload"] >> self.config.width
            self.count = (self.count + 1) % 16

    @property
    def idle(self) -> bool:
        return not self.valid
