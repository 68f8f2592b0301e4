"""Cycle models of the ternary LUT GEMM core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimlico.hdl.ternary.config import TernaryConfig

from ..model import CycleModel
from .cycles import TernaryCycles
from .serial_cycles import SerialCycles

if TYPE_CHECKING:
    from .compiled import CompiledTernary


def cycles(config: TernaryConfig) -> CycleModel:
    """The cycle model of a configuration."""
    return (SerialCycles if config.serial else TernaryCycles)(config)


def compiled(config: TernaryConfig) -> type[CompiledTernary] | None:
    """The class of the compiled one; there is none of a serial build."""
    if config.serial:
        return None
    # its compiler takes long to load
    from .compiled import CompiledTernary

    return CompiledTernary
