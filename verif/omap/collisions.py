"""Keys that the hash of an index cannot tell apart."""

from __future__ import annotations

from itertools import product

from pimlico.hdl.omap.config import OmapConfig

from .index import Index


def colliding(config: OmapConfig, index: Index, count: int) -> list[int]:
    """Up to `count` keys with the same address in every way: those of the sums 0."""
    basis: dict[int, tuple[int, int]] = {}
    kernel = []
    for bit in range(config.key_width):
        key = 1 << bit
        first, second = index.sums(key)
        image = first | second << config.hash_bits
        while image and image.bit_length() in basis:
            other, source = basis[image.bit_length()]
            image, key = image ^ other, key ^ source
        if image:
            basis[image.bit_length()] = image, key
        else:
            kernel.append(key)
    keys = set()
    for chosen in product((0, 1), repeat=min(len(kernel), count.bit_length())):
        total = 0
        for use, key in zip(chosen, kernel, strict=False):
            total ^= key * use
        keys.add(total)
    return sorted(keys)[:count]
