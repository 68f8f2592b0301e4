"""Cycle models of the bit-sliced PE array."""

from __future__ import annotations

from pimlico.hdl.bitslice.config import BitsliceConfig

from ..model import CycleModel
from .output_stationary import OutputStationary


def cycles(config: BitsliceConfig) -> CycleModel:
    """The cycle model of a configuration."""
    return OutputStationary(config)
