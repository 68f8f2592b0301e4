"""The results of the bit-sliced array that wait, and those on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class Queue:
    """First in, first out; each result has its time.

    Attributes
    ----------
    promised : int
        Results that wait or will.
    """

    def __init__(self) -> None:
        self._coming: deque[tuple[int, int]] = deque()
        self._waiting: deque[int] = deque()
        self.promised = 0

    def promise(self, time: int, payloads: Iterable[int]) -> None:
        """Results that will be queued from the cycle `time` on, one a cycle."""
        for number, payload in enumerate(payloads):
            self._coming.append((time + number, payload))
            self.promised += 1

    @property
    def head(self) -> int | None:
        return self._waiting[0] if self._waiting else None

    def tick(self, time: int, taken: bool) -> None:
        if taken:
            self._waiting.popleft()
            self.promised -= 1
        if self._coming and self._coming[0][0] == time:
            self._waiting.append(self._coming.popleft()[1])
