"""Results on their way to the queue, as properties count them."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import C, Mux, Signal, Value
from amaranth.lib.data import View

from pimlico.hdl.common.properties import Harness

from .job import job_layout


def account(h: Harness) -> tuple[Value, Value]:
    """How many results are on their way, and whether one comes to the queue in this cycle.

    Requires what makes the number right: tiles leave one after another, as far apart as their
    rows need.
    """
    if h.config.dataflow == "ws":
        flags = _line(h, "leaves", h.config.drain_delay)
        return total(flags), flags[-1]
    return _tiles(h)


def held_job(h: Harness) -> View:
    """The job that is asked for, or runs."""
    return View(job_layout(h.config), h.dut.inside("sequencer.desk.job"))


def total(bits: Sequence[Value]) -> Value:
    """How many bits are 1."""
    out: Value = C(0, 1)
    for bit in bits:
        out = out + bit
    return out


def _line(h: Harness, name: str, length: int) -> list[Value]:
    """A delay line's first bits: what it was fed 1, 2, ... cycles ago."""
    return [h.dut.inside(f"{name}_ago_{age}")[0] for age in range(1, length + 1)]


def _tiles(h: Harness) -> tuple[Value, Value]:
    config, inside = h.config, h.dut.inside
    bands, stages = config.bands, config.sum_stages
    arrives = config.drain_delay - stages
    flags = _line(h, "leaves", arrives)
    adding = _line(h, "start.valid", stages)
    row, more, spacing = inside("row"), inside("more"), inside("sequencer.spacing")
    # a tile whose rows arrive is as old as its first row
    ages = flags + [more & (row == age) for age in range(1, bands)]
    h.require(more == (row != 0), "rows of a tile arrive one after another")
    h.require(row < bands, "a tile has as many rows as a band")
    for age, flag in enumerate(ages, 1):
        for later in range(age + 1, min(age + bands, len(ages) + 1)):
            h.require(~(flag & ages[later - 1]), "tiles keep apart by the rows of a band")
        if age < bands:
            h.require(~flag | (spacing == bands - age), "the sequencer counts the rows that left")
    young = ages[:bands - 1]
    if young:
        h.require((spacing == 0) | total(young).any(), "and stops at their last")
    else:
        h.require(spacing == 0, "a single row keeps nothing waiting")
    coming = Signal(range(config.fifo_depth * 4), name="coming")
    arriving = Mux(more, bands - row, 0)
    h.m.d.comb += coming.eq(total(flags) * bands + arriving + total(adding))
    return coming, adding[-1]
