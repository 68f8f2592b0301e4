"""Cycle models of the bit-sliced PE array."""

from __future__ import annotations

from pimlico.hdl.bitslice.config import BitsliceConfig

from ..model import CycleModel
from .output_stationary import OutputStationary
from .weight_stationary import WeightStationary


def cycles(config: BitsliceConfig) -> CycleModel:
    """The cycle model of a configuration."""
    return (WeightStationary if config.dataflow == "ws" else OutputStationary)(config)
