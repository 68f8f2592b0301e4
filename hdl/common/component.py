"""The component of a block: its ports are those that the configuration lists."""

from __future__ import annotations

from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .config import BlockConfig
from .ports import Stream


class BlockComponent(wiring.Component):
    """A component with the ports of its configuration: streams of packed payloads, and wires.

    Parameters
    ----------
    config : BlockConfig
    """

    def __init__(self, config: BlockConfig):
        self.config = config
        members = {}
        for port in config.ports:
            flow = In if port.direction == "in" else Out
            shape = stream.Signature(port.width) if isinstance(port, Stream) else port.width
            members[port.name] = flow(shape)
        super().__init__(members)


def fields(port: Stream, payload: Value) -> dict[str, Value]:
    """The fields of a payload by name."""
    return {field.name: payload[port.offset(field.name):port.offset(field.name) + field.bits]
            for field in port.fields}
