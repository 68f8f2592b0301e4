"""Parameters of the running sum."""

from typing import Annotated, ClassVar

from pydantic import Field

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Field as Slice
from pimlico.hdl.common.ports import Port, Stream, Wire


class RunningSumConfig(BlockConfig):
    """Sums modulo ``2**width`` of the values since the last packet ended."""

    block: ClassVar[str] = "running-sum"

    width: Annotated[int, Field(ge=1, le=32, description="bits of a value and of a sum")] = 8

    @property
    def latency(self) -> int:
        return 1

    @property
    def ports(self) -> tuple[Port, ...]:
        last = Slice("last", 1, doc="last value of the packet")
        return (
            Stream("i", "in", (Slice("value", self.width, doc="to add"), last)),
            Stream("o", "out", (Slice("sum", self.width, doc="of the packet so far"), last)),
            Wire("negate", "in", 1, "subtract the value instead"),
            Wire("count", "out", 4, "values taken since reset, modulo 16"),
        )
