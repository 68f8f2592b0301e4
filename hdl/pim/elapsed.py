"""Cycles since an event, which is all that most timing rules ask for."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value


class Elapsed:
    """Counts the cycles since an event, up to the longest time that matters.

    Attributes
    ----------
    cycles : Signal
        1 in the cycle after the event; `longest` after reset, and from then on.
    """

    def __init__(self, m: Module, name: str, event: Value, longest: int):
        self.cycles = Signal(range(longest + 1), init=longest, name=f"since_{name}")
        with m.If(event):
            m.d.sync += self.cycles.eq(1)
        with m.Elif(self.cycles != longest):
            m.d.sync += self.cycles.eq(self.cycles + 1)

    def below(self, least: int) -> Value:
        """Whether fewer than `least` cycles have passed."""
        return self.cycles < least
