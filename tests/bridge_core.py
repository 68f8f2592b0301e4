"""A core with every kind of port, for the bridge: what it does in Amaranth and in Python."""

from functools import cache
from pathlib import Path
from typing import ClassVar

from amaranth.hdl import Module

from pimlico.generators.block import Block
from pimlico.generators.board_top import bridge_config, emit_board_top
from pimlico.hdl.common.component import BlockComponent
from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Field, Stream, Wire
from pimlico.sim.serial_pins import SimulatedSerial

DIVISOR, DIVIDE, GAP_LOG2, STALL_LOG2 = 5, 2, 10, 8
GAP = 1 << GAP_LOG2


class JoinConfig(BlockConfig):
    """``o`` is ``a + b + reset`` for a beat of each; ``data`` counts them, ``tx`` is ``load``.

    The names are such as the bridge has for things of its own.
    """

    block: ClassVar[str] = "join"

    @property
    def ports(self):
        return (Stream("a", "in", (Field("x", 10, 2, signed=True),)),
                Stream("o", "out", (Field("sum", 22), Field("last", 1))),
                Stream("b", "in", (Field("y", 3), Field("last", 1))),
                Wire("reset", "in", 12), Wire("data", "out", 20), Wire("load", "in", 1),
                Wire("tx", "out", 1))


class Join(BlockComponent):
    def elaborate(self, platform):
        m = Module()
        go = self.a.valid & self.b.valid & (~self.o.valid | self.o.ready)
        m.d.comb += [self.a.ready.eq(go), self.b.ready.eq(go), self.tx.eq(self.load)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(go):
            total = (self.a.payload + self.b.payload[:3] + self.reset)[:22]
            m.d.sync += [self.o.payload.eq(total | self.b.payload[3] << 22), self.o.valid.eq(1),
                         self.data.eq(self.data + 1)]
        return m


class JoinCore:
    """`Join` for the golden bridge."""

    def __init__(self):
        self.flag = 0
        self.reset()

    def reset(self):
        self.held, self.count = None, 0

    def settle(self, offers, wires):
        self.flag = wires["load"]
        if self.held is None and "a" in offers and "b" in offers:
            a, b = offers.pop("a"), offers.pop("b")
            self.held = (a + (b & 7) + wires["reset"]) % (1 << 22) | b >> 3 << 22
            self.count = (self.count + 1) % (1 << 20)

    def some(self, stream):
        return self.held is not None

    def take(self, stream):
        held, self.held = self.held, None
        return held

    def wire(self, name):
        return {"data": self.count, "tx": self.flag}[name]


BLOCK = Block("join", "", JoinConfig, "bridge_core:Join", "", "", Path())


@cache
def bridge(divisor=DIVISOR):
    return bridge_config(BLOCK, JoinConfig(), divisor, GAP_LOG2, STALL_LOG2)


@cache
def design(divisor=DIVISOR, divide=DIVIDE):
    return emit_board_top(BLOCK, JoinConfig(), "join", bridge(divisor), divide)


def board(seed, divisor=DIVISOR, divide=DIVIDE):
    """The simulated board, whose reads wait for twice the gap."""
    return SimulatedSerial(design(divisor, divide), divisor * divide,
                           timeout_cycles=2 * GAP * divide + 40 * divisor * divide, seed=seed)
