"""The PE that a configuration asks for."""

from __future__ import annotations

from amaranth.lib.wiring import Component

from .config import BitsliceConfig
from .multiplier import MultiplierPe, PassingMultiplier
from .packed import PackedPe
from .pe import Pe, PeWs
from .shape import PeShape


def make_pe(config: BitsliceConfig, shape: PeShape) -> Component:
    """An output-stationary PE."""
    if config.packing:
        return PackedPe(shape, config.packing, config.multiplier_bits)
    if config.multiplier_bits:
        return MultiplierPe(shape, config.multiplier_bits)
    return Pe(shape)


def make_passing_pe(config: BitsliceConfig, shape: PeShape) -> Component:
    """A weight-stationary PE."""
    if config.packing:
        return PackedPe(shape, config.packing, config.multiplier_bits, passing=True)
    if config.multiplier_bits:
        return PassingMultiplier(shape, config.multiplier_bits)
    return PeWs(shape)


def part_of(config: BitsliceConfig, shape: PeShape) -> str:
    """A name for what holds such a PE."""
    if config.packing:
        return f"packed_{config.packing.count}x{config.multiplier_bits}_{shape.part}"
    if config.multiplier_bits:
        return f"multiplier_{config.multiplier_bits}_{shape.part}"
    return shape.part
