"""Bursts on sums, whose columns take several turns each."""

from __future__ import annotations

from typing import Any, NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from .config import PimConfig
from .decode import ON_SUMS


def column_turns(config: PimConfig) -> dict[str, int]:
    """Turns that a column takes, of the kinds of bursts on sums."""
    return {"load": 1, "store": config.column_sums, "prepare": config.lanes,
            "build": config.column_centroids, "lookup": config.column_indices,
            "bin": config.column_indices}


def longest_column(config: PimConfig) -> int:
    """Most turns that a column takes."""
    return max(column_turns(config).values())


class TurnsOnSums(NamedTuple):
    """What a burst on sums makes of the sequencer of bursts."""

    kinds: dict[str, Signal]
    """Of the burst that was begun last."""
    turn: Value
    """It is the turn of a burst on sums."""
    running: Value
    """The burst that was begun last is one."""
    ends: Value
    """Its column has no more turns."""
    wait: Value
    """Cycles between this turn and the next."""
    next_col: Value
    next_gb_col: Value
    """The next turn is of another column."""


def turns_on_sums(m: Module, burst: Any, comes: Value, left: Value) -> TurnsOnSums:
    """Adds turns of bursts on sums to a `burst.Burst`.

    Parameters
    ----------
    m : Module
        Of `burst`.
    burst : burst.Burst
    comes : Value
        The burst that runs has a turn in this cycle.
    left : Value
        Its columns to come, this one counted; 0 if none runs.
    """
    config, command, turn, start = burst.config, burst.command, burst.turn, burst.start
    kinds = {kind: Signal(name=f"is_{kind}") for kind in (*ON_SUMS, "bin_mac")}
    for kind, running in kinds.items():
        with m.If(start):
            m.d.sync += running.eq(command[kind])
        m.d.comb += turn[kind].eq((start & command[kind]) | (comes & running))
    sub = Signal.like(turn.sub, name="turn_of_column")
    ends, turns = Signal(name="column_ends"), Signal(name="turn_on_sums")
    running = Signal(name="is_on_sums")
    last = Cat(turn[kind] & (sub == count - 1)
               for kind, count in column_turns(config).items()).any()
    m.d.comb += [turn.sub.eq(sub), turns.eq(Cat(turn[kind] for kind in ON_SUMS).any()),
                 running.eq(Cat(kinds[kind] for kind in ON_SUMS).any()),
                 ends.eq(~turns | last)]
    with m.If(start | comes):
        m.d.sync += sub.eq(Mux(ends, 0, sub + 1))
    # after its last turn, a burst keeps others tCCD away
    goes_on = ~ends | (Mux(left != 0, left, command.n) != 1)
    tccd = config.timing.tccd_mac
    wait: Value = Const(tccd - 1)
    for kind in column_turns(config):
        if config.turn_gap(kind) != tccd:
            wait = Mux(turn[kind] & (goes_on | turn.prepare), config.turn_gap(kind) - 1, wait)
    elements_end = (sub & (config.lanes - 1)) == config.lanes - 1
    return TurnsOnSums(kinds, turns, running, ends, wait, Mux(turn.bin, elements_end, ends),
                       ends & ~turn.build)
