"""Cycles since an event, which is all that most timing rules ask for."""

from __future__ import annotations

from amaranth.hdl import C, Module, Signal, Value


class Elapsed:
    """Counts the cycles since an event, up to the longest time that matters.

    The event itself goes into a register and nowhere else, for it comes late in its cycle: what
    counts begins from there.

    Attributes
    ----------
    recent : Signal
        The event was in the cycle before.
    cycles : Signal
        Cycles since the event, from 2 on; `longest` after reset, and from then on.
    """

    def __init__(self, m: Module, name: str, event: Value, longest: int):
        self._m, self._name = m, name
        longest = max(2, longest)
        self.recent = Signal(name=f"recent_{name}")
        self.cycles = Signal(range(longest + 1), init=longest, name=f"since_{name}")
        m.d.sync += self.recent.eq(event)
        with m.If(self.recent):
            m.d.sync += self.cycles.eq(2)
        with m.Elif(self.cycles != longest):
            m.d.sync += self.cycles.eq(self.cycles + 1)

    def below(self, least: int, why: str = "") -> Value:
        """Whether fewer than `least` cycles have passed: from registers, for comparators would be
        on the way from every rule to every effect of a command."""
        if least == 1:
            return C(0, 1)
        soon = Signal(name=f"soon_{why or self._name}")
        with self._m.If(self.recent):
            self._m.d.sync += soon.eq(least > 2)
        with self._m.Else():
            self._m.d.sync += soon.eq(self.cycles < least - 1)
        return self.recent | soon
