"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import AsconConfig

Stage = tuple[str, str, int, tuple[str, ...]]


def stages(config: AsconConfig) -> list[Stage]:
    """From the packets to the result: title, detail, registers at its end, and the streams that
    enter or leave there."""
    rounds = f"{config.rounds_per_cycle} round{'s' if config.rounds_per_cycle > 1 else ''} a cycle"
    beats = f"{config.block_beats} beats of {config.beat_bits} bits to" \
        if config.block_beats > 1 else f"a beat of {config.beat_bits} bits is"
    tag = ("tag",) if config.decrypts else ()
    return [
        ("intake", f"{beats} a padded block", 0, ("ad", "text")),
        ("sponge", f"320 bits, {rounds}, 12 or 8 a block", 1, ("cmd", *tag, "done")),
        ("outlet", "the bytes that are text, the others 0", 0, ("result",)),
    ]
