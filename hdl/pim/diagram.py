"""The datapath as the datasheet draws it."""

from __future__ import annotations

from .config import PimConfig

Stage = tuple[str, str, int, tuple[str, ...]]


def stages(config: PimConfig) -> list[Stage]:
    """The stages from a command to the column that it reads: title, detail, registers at its
    end, and the streams that enter or leave there."""
    banks = f"{config.banks} banks of " if config.banks > 1 else ""
    buffers = "two row buffers" if config.dual_row_buffer else "one row buffer"
    kind = "refused" if config.strict else "held back"
    mac = (f"{config.lanes} × {config.fmt}, {config.arith}, {config.reuse} × {config.acc_slots} "
           f"accumulators of {config.acc_bits} bits, {config.dot_latency + config.acc_latency} "
           "cycles")
    tables = (f"; operand buffers of {config.operand_cols} columns, {config.row_sums} sums a bank"
              if config.pq else "")
    return [
        ("decode", "fields, banks, ranges", 1, ("cmd",)),
        ("check", f"state and counters of {buffers} a bank; what comes too soon is {kind}", 1,
         ("wdata", "status")),
        ("access", f"{banks}{config.rows} × {config.cols} columns of {config.column_bits} bits; "
                   f"global buffer of {config.gb_cols} columns", 1, ()),
        ("operands", f"a column, and one of each vector{tables}", 1, ()),
        ("MAC units", mac, 0, ("result",)),
        ("replies", "columns read", 1, ("rdata",)),
    ]
