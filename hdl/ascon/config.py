"""Parameters of Ascon-AEAD128 blocks, and every number derived from them."""

from __future__ import annotations

from dataclasses import dataclass

LONG, SHORT = 12, 8
"""Rounds of the permutation at the ends of a message, and between its blocks."""

BLOCK_BITS = TAG_BITS = 128
BEAT_WIDTHS = (32, 64, 128, 256, 512)
ROUNDS_PER_CYCLE = (1, 2, 4)
FIELD_BITS = 64
"""Most bits of a page's address, and of its version."""

_LEAST_TEXT = 32


@dataclass(frozen=True)
class PageShape:
    """Sizes of the pages of a page cipher, and how fast they go.

    Parameters
    ----------
    beat_width : int
        Bits of a beat: 32, 64, 128, 256 or 512.
    beats : int
        Of a page: the tag of 128 bits, and 32 bits of text or more.
    address_bits, version_bits : int
        1 to 64 each.
    rounds_per_cycle : int
        1, 2 or 4.

    Raises
    ------
    ValueError
        That names the parameter, its value and what is legal.
    """

    beat_width: int
    beats: int
    address_bits: int
    version_bits: int
    rounds_per_cycle: int

    def __post_init__(self) -> None:
        if self.beat_width not in BEAT_WIDTHS:
            raise ValueError(f"beat_width must be one of {BEAT_WIDTHS}, not {self.beat_width}")
        least = -(-(TAG_BITS + _LEAST_TEXT) // self.beat_width)
        if self.beats < least:
            raise ValueError(f"beats must be at least {least} of {self.beat_width} bits, "
                             f"not {self.beats}")
        for name in ("address_bits", "version_bits"):
            if not 1 <= getattr(self, name) <= FIELD_BITS:
                raise ValueError(f"{name} must be 1 to {FIELD_BITS}, not {getattr(self, name)}")
        if self.rounds_per_cycle not in ROUNDS_PER_CYCLE:
            raise ValueError(f"rounds_per_cycle must be one of {ROUNDS_PER_CYCLE}, "
                             f"not {self.rounds_per_cycle}")

    @property
    def text_bits(self) -> int:
        """Bits of a page before the tag."""
        return self.beat_width * self.beats - TAG_BITS

    @property
    def blocks(self) -> int:
        """Whole blocks of text."""
        return self.text_bits // BLOCK_BITS

    @property
    def tail(self) -> int:
        """Bits of text after the whole blocks."""
        return self.text_bits % BLOCK_BITS

    @property
    def interval(self) -> int:
        """Cycles from page to page, never stalled.

        Between blocks the rounds set the pace, or with beats of 32 and 64 bits, of which a
        block takes several, and one cycle more to give them out, those.
        """
        long, short = LONG // self.rounds_per_cycle, SHORT // self.rounds_per_cycle
        ends = 1 + 2 * long + 2 * short
        if not self.blocks:
            return ends
        beats = BLOCK_BITS // self.beat_width
        if beats < 2:
            return ends + self.blocks * short
        return (ends + (self.blocks - 1) * max(short, beats + 1)
                + max(short, beats + (self.tail > 0)))
