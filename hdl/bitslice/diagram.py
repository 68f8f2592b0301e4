"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import BitsliceConfig

Stage = tuple[str, str, int, tuple[str, ...]]


def stages(config: BitsliceConfig) -> list[Stage]:
    """Every pipeline stage from the operands to the results: title, detail, registers at its
    end, and the streams that enter or leave there."""
    weights = ("w", "w_low") if config.nested else ("w",)
    sums = config.sum_stages
    out: list[Stage] = [
        ("operands", f"{config.rows} and {config.cols} × {config.beat_k} elements", 1,
         ("a", *weights)),
        ("encode", _encoding(config), 1, ()),
        ("PEs", f"{config.rows} × {config.columns}, {config.arch}, "
                f"{'weights' if config.dataflow == 'ws' else 'outputs'} stay",
         config.rows + config.pipeline if config.dataflow == "ws" else 1 + config.pipeline, ()),
    ]
    if config.dataflow == "os":
        out.append(("bus", f"{config.drain_adders} a column", 1, ()))
    out.append(("resolve", "carries, reference", config.drain_stages - config.merge_stages, ()))
    if config.merge_stages:
        out.append(("merge", f"{config.slices} slices", sums, ()))
    if config.zero_points:
        out.append(("zero points", "of weights", sums, ()))
    if config.starts:
        out.append(("start", "values to go on from", sums, ("d",) if config.preload else ()))
    out.append(("queue", f"{config.fifo_depth} beats", 1, ("o",)))
    return out


def _encoding(config: BitsliceConfig) -> str:
    if config.packing:
        return f"{config.packing.count} weights side by side"
    if config.multiplier_bits:
        return "none"
    digits = "one digit a cycle" if config.timed else "all digits"
    return f"{config.encoding}, {digits}"
