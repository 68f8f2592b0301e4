"""Payloads kept as octets: a sequence of integers that NumPy works on whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Words(Sequence[int]):
    """Non-negative integers of one width.

    Parameters
    ----------
    octets : uint8 array of shape (words, octets)
        Least significant octet first.
    """

    def __init__(self, octets: Array):
        self.octets = octets

    @classmethod
    def of(cls, words: Sequence[int], octets: int) -> Words:
        """The same words, of so many octets each."""
        if isinstance(words, Words):
            return words
        data = b"".join([word.to_bytes(octets, "little") for word in words])
        return cls(np.frombuffer(data, np.uint8).reshape(-1, octets))

    @classmethod
    def joined(cls, parts: Iterable[Words]) -> Words:
        """One after another."""
        return cls(np.concatenate([part.octets for part in parts]))

    def __len__(self) -> int:
        return len(self.octets)

    def __iter__(self) -> Iterator[int]:
        data, step = self.octets.tobytes(), self.octets.shape[1]
        return iter([int.from_bytes(data[at:at + step], "little")
                     for at in range(0, len(data), step)])

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> Words: ...

    def __getitem__(self, index: int | slice) -> int | Words:
        chosen = self.octets[index]
        return Words(chosen) if isinstance(index, slice) else int.from_bytes(
            chosen.tobytes(), "little")

    def bits(self, position: int, count: int = 1) -> Array:
        """`count` bits of every word, up to 8, from a position on."""
        octet, shift = divmod(position, 8)
        low = self.octets[:, octet] >> shift
        if shift + count > 8:
            low = low | self.octets[:, octet + 1] << 8 - shift
        return low & ((1 << count) - 1)

    def flip(self, index: Any, position: int, bits: Any) -> None:
        """Exclusive or of some words with `bits`, up to 8, from a position on."""
        octet, shift = divmod(position, 8)
        wide = np.asarray(bits, np.uint16) << shift
        self.octets[index, octet] ^= (wide & 255).astype(np.uint8)
        if octet + 1 < self.octets.shape[1]:
            self.octets[index, octet + 1] ^= (wide >> 8).astype(np.uint8)
