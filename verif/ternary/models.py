"""Cycle models of the ternary LUT GEMM core."""

from __future__ import annotations

from pimlico.hdl.ternary.config import TernaryConfig

from ..model import CycleModel
from .cycles import TernaryCycles
from .serial_cycles import SerialCycles


def cycles(config: TernaryConfig) -> CycleModel:
    """The cycle model of a configuration."""
    return (SerialCycles if config.serial else TernaryCycles)(config)
