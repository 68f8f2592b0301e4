"""The linear generator that tests may use in place of entropy."""

from __future__ import annotations

_BITS = 128
_TAPS = (127, 125, 100, 98)


class LinearGenerator:
    """Draws of `width` bits from a shift register of 128 bits that starts at 1."""

    def __init__(self, width: int):
        self._width = width
        self._state = 1

    @property
    def next(self) -> int:
        """What `draw` gives."""
        return self._state & (1 << self._width) - 1

    def draw(self) -> int:
        """The next draw."""
        state = self._state
        for _ in range(self._width):
            fed = sum(state >> tap & 1 for tap in _TAPS) & 1
            state = (state << 1 | fed) & (1 << _BITS) - 1
        drawn, self._state = self.next, state
        return drawn
