"""Pages as the host sees them: slots to beats and back."""

from __future__ import annotations

from collections.abc import Sequence

from pimlico.hdl.omap.config import OmapConfig

Item = tuple[int, int]
"""Key and value."""


def slots_to_beats(config: OmapConfig, slots: Sequence[Item | None]) -> list[int]:
    """Plain beats of a page; empty slots, padding and the place of a tag are zeros."""
    words = [0 if item is None else item[0] | item[1] << config.key_width for item in slots]
    mask = (1 << config.beat_width) - 1
    if config.parts > 1:
        beats = [word >> part * config.beat_width & mask
                 for word in words for part in range(config.parts)]
    else:
        rows = [words[at:at + config.lanes] for at in range(0, len(words), config.lanes)]
        beats = [sum(word << lane * config.tuple_width for lane, word in enumerate(row))
                 for row in rows]
    return beats + [0] * (config.beats - len(beats))


def beats_to_slots(config: OmapConfig, beats: Sequence[int]) -> list[Item]:
    """What stands in every slot, used or not."""
    words = []
    for slot in range(config.slots):
        if config.parts > 1:
            at = slot * config.parts
            word = sum(beats[at + part] << part * config.beat_width
                       for part in range(config.parts))
        else:
            word = beats[slot // config.lanes] >> slot % config.lanes * config.tuple_width
        words.append(word & (1 << config.tuple_width) - 1)
    mask = (1 << config.key_width) - 1
    return [(word & mask, word >> config.key_width) for word in words]
