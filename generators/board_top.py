"""The top module of a board: a clock, a serial line, and the core that a host reaches over it."""

from __future__ import annotations

import json
from typing import Any

from amaranth.hdl import ClockDomain, DomainRenamer, Elaboratable, Module, Signal
from amaranth.lib import wiring

from pimlico.hdl.bridge.bridge import Bridge
from pimlico.hdl.bridge.config import VERSION, BridgeConfig, fingerprint
from pimlico.hdl.bridge.ends import member
from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Stream

from .block import Block
from .manifest import describe_ports, status_codes
from .verilog import Emitted, TopPort, emit_top

POWER_UP_CYCLES = 16
"""Clock cycles for which the core is held in reset after the device is configured."""

PORTS = [TopPort("clk", "input", 1, None, "clk"),
         TopPort("uart_rx", "input", 1, None, "wire"),
         TopPort("uart_tx", "output", 1, None, "wire")]


def bridge_config(block: Block, config: BlockConfig, divisor: int, gap_log2: int,
                  stall_log2: int) -> BridgeConfig:
    """The bridge of a core; see `BridgeConfig`."""
    return BridgeConfig(config.ports, divisor, gap_log2, stall_log2,
                        fingerprint(block.name, json.dumps(config.model_dump(mode="json")),
                                    config.ports))


def emit_board_top(block: Block, config: BlockConfig, name: str, bridge: BridgeConfig,
                   divide: int = 1) -> Emitted:
    """The Verilog of a core behind the bridge, with the ports ``clk``, ``uart_rx``, ``uart_tx``.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    name : str
        Of the top module, without ``pimlico_``.
    bridge : BridgeConfig
        Its divisor counts divided cycles.
    divide : int
        A power of two by which the clock is divided.

    Raises
    ------
    ToolError
        If Yosys rejects the design.
    """
    top = BoardTop(block.load("component")(config), bridge, divide)
    return emit_top(f"pimlico_{name}", top, top.signals, PORTS)


def board_manifest(block: Block, config: BlockConfig, bridge: BridgeConfig) -> dict[str, Any]:
    """What a host has to know of a core behind the bridge."""
    numbers = {port.name: number for number, port in enumerate(config.ports, 1)}
    return {
        "block": block.name,
        "config": config.model_dump(mode="json"),
        "bridge": {"version": VERSION, "identity": bridge.identity.hex()},
        "ports": [{**entry, "number": numbers[entry["name"]]}
                  for entry in describe_ports(config)],
        "status": {str(code): meaning for code, meaning in status_codes(config).items()},
    }


class BoardTop(Elaboratable):
    """A core, the bridge, and the clock and reset of both."""

    def __init__(self, core: wiring.Component, bridge: BridgeConfig, divide: int):
        self.core, self.bridge, self.divide = core, bridge, divide
        self.clk, self.uart_rx, self.uart_tx = signals = [
            Signal(name=port.name) for port in PORTS]
        self.signals = signals

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = running = ClockDomain(reset_less=True)
        m.domains.core = resettable = ClockDomain()
        clock = self.clk
        if self.divide > 1:
            m.domains.board = board = ClockDomain(reset_less=True)
            m.d.comb += board.clk.eq(self.clk)
            divider = Signal(range(self.divide))
            m.d.board += divider.eq(divider + 1)
            clock = divider[-1]
        m.d.comb += [running.clk.eq(clock), resettable.clk.eq(clock)]

        starting = Signal(range(POWER_UP_CYCLES), init=POWER_UP_CYCLES - 1)
        with m.If(starting != 0):
            m.d.sync += starting.eq(starting - 1)
        m.submodules.core = DomainRenamer("core")(platform.instance(self.core, "core"))
        m.submodules.bridge = bridge = Bridge(self.bridge)
        m.d.comb += [resettable.rst.eq((starting != 0) | bridge.core_reset),
                     bridge.rx.eq(self.uart_rx), self.uart_tx.eq(bridge.tx)]
        for port in self.bridge.ports:
            outside, inside = getattr(self.core, port.name), getattr(bridge, member(port))
            if isinstance(port, Stream):
                forward, back = ((inside, outside) if port.direction == "in"
                                 else (outside, inside))
                m.d.comb += [back.payload.eq(forward.payload),
                             back.valid.eq(forward.valid), forward.ready.eq(back.ready)]
            elif port.direction == "in":
                m.d.comb += outside.eq(inside)
            else:
                m.d.comb += inside.eq(outside)
        return m
