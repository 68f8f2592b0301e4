"""How long rows are open, and what the accumulators of a line take, in cycles."""

from __future__ import annotations

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.config import PimConfig

SPARE = 8
"""Cycles kept before a refresh is due."""


def open_cycles(config: PimConfig, n: int) -> int:
    """Cycles that a row is open for `n` columns."""
    t = config.timing
    return max(t.trcd_mac + (n - 1) * t.tccd_mac + t.trtp, t.tras)


def visit_cycles(config: PimConfig, n: int) -> int:
    """Cycles from the opening of a row for `n` columns to that of the next one.

    With one row buffer or two: a MAC's row is always in the same buffer.
    """
    t = config.timing
    faw = 0 if t.faw_exempt or config.banks < 4 else t.tfaw
    return max(open_cycles(config, n) + t.trp, t.trc, faw)


def turnover(config: PimConfig) -> int:
    """Cycles from the last column of a line to the first one that goes to its accumulators.

    They are read in each bank, and cleared.
    """
    return config.column_latency + (config.banks + 1) * config.rotation


def longest(config: PimConfig) -> int:
    """Columns that can be multiplied between two refreshes, up to all of a row.

    Raises
    ------
    ConfigError
        If there is no time for one.
    """
    t = config.timing
    rest = t.trefi - t.trfc - 2 * SPARE - turnover(config) - t.trp
    if rest < open_cycles(config, 1):
        raise ConfigError("timing.trefi", t.trefi, "leave time for a row between refreshes",
                          f"{t.trefi - rest + open_cycles(config, 1)} is enough")
    return min(config.cols, 1 + (rest - open_cycles(config, 1)) // t.tccd_mac)
