"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import KvConfig

Stage = tuple[str, str, int, tuple[str, ...]]


def stages(config: KvConfig) -> list[Stage]:
    """Every pipeline stage from the streamed rows to the output: title, detail, registers at
    its end, and the streams that enter or leave there."""
    banks = f"{config.banks} banks of " if config.banks > 1 else ""
    sources = ("fresh", *(("append",) if config.append else ()))
    memory = f"{banks}{config.bank_words} words of {config.beat_bits} bits, one port"
    if config.quant_bits:
        memory += f", rows as {config.quant}"
    output = "restore" if config.quant_bits else "select" if config.bypass else "hold"
    return [
        ("walk", f"{config.beats} beats a row: streamed, held or a hole", 0, (*sources, "mask")),
        ("memory", memory, 1, ()),
        (output, f"{config.beat_elems} × {config.elem_width} bits, zeros for a hole", 1,
         ("kv",)),
    ]
