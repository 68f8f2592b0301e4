"""How long rows are open, and what the accumulators of a line take, in cycles."""

from __future__ import annotations

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.config import PimConfig

SPARE = 8
"""Cycles kept before a refresh is due."""


def open_cycles(config: PimConfig, n: int, bursts: int = 1) -> int:
    """Cycles that a row is open for `n` columns, in so many bursts."""
    t = config.timing
    pauses = 0 if config.dual_row_buffer else (bursts - 1) * max(0, t.tccd_l - t.tccd_mac)
    return max(t.trcd_mac + (n - 1) * t.tccd_mac + pauses + t.trtp, t.tras)


def visit_cycles(config: PimConfig, n: int, bursts: int = 1) -> int:
    """Cycles from the opening of a row, for `n` columns in so many bursts, to the next opening.

    With one row buffer or two: a MAC's row is always in the same buffer.
    """
    t = config.timing
    faw = 0 if t.faw_exempt or config.banks < 4 else t.tfaw
    return max(open_cycles(config, n, bursts) + t.trp, t.trc, faw)


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
        If there is no time for one, or to write one.
    """
    t = config.timing
    around = t.trfc + t.trp + 2 * SPARE
    written = max(t.trcd_wr + t.tccd_l + t.twr, t.tras)
    least = around + max(turnover(config) + open_cycles(config, 1), written)
    if t.trefi < least:
        raise ConfigError("timing.trefi", t.trefi, f"be at least {least}, to open a row, write or "
                          "multiply a column, and read its sum")
    rest = t.trefi - around - turnover(config) - open_cycles(config, 1)
    return min(config.cols, 1 + rest // t.tccd_mac)
