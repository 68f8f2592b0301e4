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
        self._m, self._name, self._event = m, name, event
        self.cycles = Signal(range(longest + 1), init=longest, name=f"since_{name}")
        with m.If(event):
            m.d.sync += self.cycles.eq(1)
        with m.Elif(self.cycles != longest):
            m.d.sync += self.cycles.eq(self.cycles + 1)

    def below(self, least: int, why: str = "") -> Signal:
        """Whether fewer than `least` cycles have passed, in a register of its own: comparators
        would be on the way from every rule to every effect of a command."""
        soon = Signal(name=f"soon_{why or self._name}")
        with self._m.If(self._event):
            self._m.d.sync += soon.eq(least > 1)
        with self._m.Else():
            self._m.d.sync += soon.eq(self.cycles < least - 1)
        return soon
