"""Keys that crowd one page or one place of the index: long lists of items that wait."""

from __future__ import annotations

import numpy as np

from pimlico.hdl.omap.config import DEL, GET, PUT, OmapConfig

from ..episode import Episode
from .collisions import colliding
from .session import Session


def value_of(config: OmapConfig, rng: np.random.Generator) -> int:
    """A random value of full width."""
    octets = rng.bytes(config.value_width // 8 + 1)
    return int.from_bytes(octets, "little") & (1 << config.value_width) - 1


def keys_of(config: OmapConfig, rng: np.random.Generator, count: int) -> list[int]:
    """Different keys of full width, fewer if there are no more."""
    count = min(count, 1 << config.key_width)
    keys: set[int] = set()
    while len(keys) < count:
        keys.add(int.from_bytes(rng.bytes(16), "little") & (1 << config.key_width) - 1)
    return sorted(keys)


class Crowded(Session):
    """Draws send most keys to the first page of either half: full pages, and long lists."""

    crowds = False

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.crowds = True  # from here on; secrets are drawn evenly

    def _draw_bits(self) -> int:
        bits = super()._draw_bits()
        if self.crowds and self.rng.random() < 0.9:
            bits &= (1 << 2 * self.config.half_bits) - 1
            self.beats["random"][-1] = bits
        return bits


def waiting_behind(session: Session) -> list[int]:
    """Keys that wait behind more items than an operation merges."""
    map_, merges = session.map, session.config.merges
    return [key for records in map_.records for record in records
            for key, _ in map_.waiting.walk(record.head)[merges:]]


def long_lists(config: OmapConfig, rng: np.random.Generator) -> Episode:
    """Keys that wait deep in their lists, and pages without a free slot; what is deleted from
    there leaves room for others."""
    session = Crowded(config, rng)
    keys = keys_of(config, rng, config.capacity)
    for key in keys + [int(key) for key in rng.choice(keys, 50)]:
        session.run(int(rng.choice([PUT, GET], p=[0.7, 0.3])), key, value_of(config, rng))
    for _ in range(8):
        gone: list[int] = []
        while (behind := waiting_behind(session)) and len(gone) < 3:
            gone.append(behind[-1])
            session.run(DEL, behind[-1])
        for op, chosen in ((PUT, gone), (GET, keys)):
            for key in chosen:
                session.run(op, key, value_of(config, rng))
    for key in keys:
        session.run(DEL, key)
    return session.episode("long lists")


def one_page(config: OmapConfig, rng: np.random.Generator) -> Episode:
    """Keys that come and go in one page, half of the time with the index nearly full."""
    session = Crowded(config, rng, drain=True)
    keys = keys_of(config, rng, config.capacity + 1)
    if rng.random() < 0.5:
        same = colliding(config, session.map.index, config.index_ways + config.index_stash)
        keys = [*{*keys[len(same):], *(key ^ keys[0] for key in same)}]
    for key in keys:
        session.run(PUT, key, value_of(config, rng))
    for key in rng.choice(np.array(keys, object), 4 * len(keys)):
        session.run(int(rng.choice([GET, PUT, DEL], p=[0.4, 0.4, 0.2])), int(key),
                    value_of(config, rng))
    return session.episode("keys of one page")
