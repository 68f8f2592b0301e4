"""Where the bytes of frames become beats of a core's ports, and beats bytes."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from pimlico.hdl.common.ports import Port, Stream

from .config import BRIDGE, BridgeConfig


def member(port: Port) -> str:
    """What a port of the core is called here, apart from the names of anything else."""
    return f"port_{port.name}"


def core_signature(ports: tuple[Port, ...]) -> dict[str, wiring.Member]:
    """The ports of a core, each called as `member` says, seen from the side that drives it."""
    members = {}
    for port in ports:
        flow = Out if port.direction == "in" else In
        shape = stream.Signature(port.width) if isinstance(port, Stream) else port.width
        members[member(port)] = flow(shape)
    return members


class Offers(wiring.Component):
    """A beat for each port that the core takes, filled byte by byte and offered until taken.

    While ``load``, ``data`` is the next byte of a beat of port ``number``, the lowest first;
    ``last`` marks the last one. A stream has room when ``room``, and its bytes are not to come
    before. A wire always has room and changes as a whole; the beat of the bridge's own port
    gives ``reset`` for a cycle, at which every offer is withdrawn.

    Parameters
    ----------
    config : BridgeConfig
    """

    def __init__(self, config: BridgeConfig):
        self.config = config
        taken = tuple(port for port in config.ports if port.direction == "in")
        super().__init__({"number": In(range(len(config.ports) + 1)), "load": In(1), "last": In(1),
                          "data": In(8), "room": Out(1), "reset": Out(1),
                          **core_signature(taken)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.room.eq(1)
        m.d.sync += self.reset.eq(self.load & (self.number == BRIDGE))
        for number, port in enumerate(self.config.ports, 1):
            if port.direction == "out":
                continue
            mine = Signal(name=f"load_{port.name}")
            m.d.comb += mine.eq(self.load & (self.number == number))
            count = self.config.write_bytes(number)
            store = Signal(8 * count, name=f"{port.name}_bytes")
            filled = Cat(store[8:], self.data)
            target = getattr(self, member(port))
            if isinstance(port, Stream):
                with m.If(mine):
                    m.d.sync += store.eq(filled)
                m.d.comb += target.payload.eq(store)
                with m.If(target.ready):
                    m.d.sync += target.valid.eq(0)
                with m.If(mine & self.last):
                    m.d.sync += target.valid.eq(1)
                with m.If(self.reset):
                    m.d.sync += target.valid.eq(0)
                with m.If(self.number == number):
                    m.d.comb += self.room.eq(~target.valid)
            else:
                with m.If(mine):
                    m.d.sync += store.eq(filled)
                with m.If(mine & self.last):
                    m.d.sync += target.eq(filled)
        return m


class Takes(wiring.Component):
    """The bytes of the beats that the core gives, one at a time.

    ``data`` is byte ``at``, the lowest being 0, of port ``number``. A stream holds its beat while
    it is read, and ``take`` takes it; ``some`` says that there is one. A wire of more than a byte
    is held by ``hold``. Port 0 gives the identity of the bridge.

    Parameters
    ----------
    config : BridgeConfig
    """

    def __init__(self, config: BridgeConfig):
        self.config = config
        given = tuple(port for port in config.ports if port.direction == "out")
        most = max(config.read_bytes(number) for number in config.numbers if config.gives(number))
        super().__init__({"number": In(range(len(config.ports) + 1)), "at": In(range(most)),
                          "take": In(1), "hold": In(1), "data": Out(8), "some": Out(1),
                          **core_signature(given)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.some.eq(1)
        with m.Switch(self.number):
            with m.Case(BRIDGE):
                identity = Const(int.from_bytes(self.config.identity, "little"),
                                 8 * len(self.config.identity))
                m.d.comb += self.data.eq(_byte(identity, self.at))
            for number, port in enumerate(self.config.ports, 1):
                if port.direction == "in":
                    continue
                source = getattr(self, member(port))
                with m.Case(number):
                    if isinstance(port, Stream):
                        m.d.comb += [self.data.eq(_byte(source.payload, self.at)),
                                     self.some.eq(source.valid), source.ready.eq(self.take)]
                    elif port.width <= 8:
                        m.d.comb += self.data.eq(source)
                    else:
                        held = Signal(port.width, name=f"{port.name}_held")
                        with m.If(~self.hold):
                            m.d.sync += held.eq(source)
                        m.d.comb += self.data.eq(_byte(held, self.at))
        return m


def _byte(value, at):
    """Byte `at` of a value."""
    places = range(0, len(value), 8)
    return Array(value[place:place + 8] for place in places)[at[:bits_for(len(places) - 1)]]
