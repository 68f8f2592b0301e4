"""Several products in one multiplier of a DSP block: how many fit, and how they are parted."""

from __future__ import annotations

from dataclasses import dataclass

DSP = {"dsp48e2": (27, 18), "ecp5": (18, 18), "ice40": (16, 16)}
"""Bits of the two signed operands of each block's multiplier."""

MOST_OVERLAP = 4
"""Most bits in which neighbouring products may overlap: each costs gates outside of the block."""


@dataclass(frozen=True)
class Packing:
    """Weights side by side in one operand: ``sum(w[i] << spacing * i)``.

    ``overlap`` bits of a product lie on the lowest of the next, and are found by computing
    those apart (SkipOPU, arXiv 2603.14785, does so with four).
    """

    count: int
    spacing: int
    overlap: int
    width: int

    @property
    def lines(self) -> int:
        """Lines that bring a lane's weights to a PE: the operand, and the low bits of each weight
        but the first that products overlap on."""
        return self.width + (self.count - 1) * self.overlap


def pack_weights(dsp: str, a_bits: int, w_bits: int, cols: int) -> Packing:
    """The most weights of `w_bits` bits that one block multiplies by an activation, exactly.

    Parameters
    ----------
    dsp : str
        One of `DSP`.
    a_bits, w_bits : int
        Bits of the signed operands.
    cols : int
        A multiple of the weights that share a block; 0 does for any.
    """
    wide, narrow = DSP[dsp]
    product = a_bits + w_bits
    best = Packing(1, product, 0, w_bits)
    if a_bits > narrow or w_bits > wide:
        return best
    for count in range(2, wide):
        # one bit above the uppermost weight, for what is borrowed when all are negative
        spacing = min(product, (wide - w_bits - 1) // (count - 1))
        # nor may a product reach over the whole of the next one's own bits
        if product - spacing > min(MOST_OVERLAP, spacing):
            break
        if cols % count:
            continue
        best = Packing(count, spacing, product - spacing, spacing * (count - 1) + w_bits + 1)
    return best
