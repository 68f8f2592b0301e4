"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import BitsliceConfig

Stage = tuple[str, str, int, tuple[str, ...]]


def stages(config: BitsliceConfig) -> list[Stage]:
    """Every pipeline stage from the operands to the results: title, detail, registers at its
    end, and the streams that enter or leave there."""
    weights = ("w", "w_low") if config.nested else ("w",)
    return [("operands", f"{config.rows} × {config.beat_k} and {config.cols} × {config.beat_k}", 1,
             ("a", *weights))]
