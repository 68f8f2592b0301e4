"""A core behind the bridge in Verilator, for a host that has no board."""

from __future__ import annotations

from typing import Any

from pimlico.generators.block import Block
from pimlico.generators.board_top import board_manifest, bridge_config, emit_board_top
from pimlico.hdl.common.config import BlockConfig
from pimlico.sim.serial_pins import SimulatedSerial
from pimlico.sim.verify import Progress

from .board import Host

DIVISOR = 4
"""Clock cycles of a bit: as few as there may be, for speed."""

GAP_LOG2, STALL_LOG2 = 11, 9


def simulated_line(block: Block, config: BlockConfig, *, seed: int = 1,
                   progress: Progress | None = None) -> tuple[SimulatedSerial, dict[str, Any]]:
    """The line of a simulated board, and the manifest of what it carries.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    seed : int
        Of what memories hold that nothing has written.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    ConfigError
        If the core cannot be driven over a UART.
    ToolError
        If a tool is missing or fails.
    """
    bridge = bridge_config(block, config, DIVISOR, GAP_LOG2, STALL_LOG2)
    design = emit_board_top(block, config, f"{block.name.replace('-', '_')}_simulated", bridge)
    line = SimulatedSerial(design, DIVISOR, timeout_cycles=2 << GAP_LOG2, seed=seed,
                           progress=progress)
    return line, board_manifest(block, config, bridge)


def simulated(block: Block, config: BlockConfig, *, seed: int = 1, patience: int = 200,
              progress: Progress | None = None) -> Host:
    """A host whose core runs in Verilator; every bit goes over the pins of the UART.

    Parameters and errors as of `simulated_line`, and `patience` as of `Host`.
    """
    line, manifest = simulated_line(block, config, seed=seed, progress=progress)
    return Host(line, manifest, patience)
