"""Commands of the PIM channel, and the codes of those that are refused."""

from __future__ import annotations

from enum import IntEnum


class Op(IntEnum):
    """What a command does. Fields that are not named play no part.

    A bank, named by one bit of ``bank_mask``, or banks, by any number of bits but none.
    """

    ACT = 1
    """Open ``row`` of a bank."""
    ACT_GROUP = 2
    """Open ``row`` in all banks of the group that the bank is of."""
    ACT_ALL = 3
    """Open ``row`` in all banks."""
    PRE = 4
    """Close the row of banks."""
    PRE_ALL = 5
    """Close all open rows."""
    RD = 6
    """Read column ``col`` of a bank's open row, onto rdata with ``tag``."""
    WR = 7
    """Write a beat of wdata to column ``col`` of a bank's open row."""
    GB_WR = 8
    """Write a beat of wdata to column ``col`` of vector ``slot`` in the global buffer."""
    ROW_TO_GB = 9
    """Copy ``n`` columns from ``col`` on of a bank's open row to column ``row`` on of vector
    ``slot`` in the global buffer."""
    MAC = 10
    """Multiply ``n`` columns from ``col`` on of the open row of banks by columns from ``row`` on
    of the global buffer, and add each to accumulator ``slot``, or to those from ``slot`` on in
    turn."""
    ACC_WR = 11
    """Set accumulator ``slot`` of banks: to zeros if ``n`` is 0, to a beat of wdata if it is 1."""
    ACC_RD = 12
    """Give accumulator ``slot`` of a bank on result, with ``tag``."""
    REF = 13
    """Refresh: all banks are closed."""
    HEADER = 14
    """Announce ``n`` columns of MAC, which must then have time before the next refresh."""
    PIM_ACT = 15
    """Open ``row`` of banks in their PIM row buffers."""
    PIM_PRE = 16
    """Close the rows in the PIM row buffers of banks."""
    PQ_CONFIG = 17
    """Prepare sums of banks, as many as ``n`` columns have lanes, from those of column ``row`` on:
    set them to zeros if ``slot`` is 0; if it is 1, write them, rounded to elements, to their
    columns of the operand buffers."""
    LUT_BUILD = 18
    """Multiply the centroids in ``n`` columns from ``col`` on of the open row of banks, the
    ``slot``-th of a codebook, by those of column ``row`` of the global buffer; products are set as
    the sums of the centroids' numbers."""
    LUT_SUM = 19
    """Look up indices from ``n`` columns from ``row`` on of the operand buffers in the
    ``slot``-th table in the open row of banks, and add to sums, those of column ``col`` on."""
    BIN_ADD = 20
    """Add elements from column ``col`` on of the open row of banks to the sums that indices from
    ``n`` columns from ``row`` on of the operand buffers name."""
    BIN_MAC = 21
    """MAC by columns from ``row`` on of the banks' operand buffers, not of the global one."""
    ROW_TO_OB = 22
    """Copy ``n`` columns from ``col`` on of the open row of banks to those from ``row`` on of
    their operand buffers."""
    SUMS_TO_ROW = 23
    """Write ``n`` columns of sums, from those of column ``row`` on, to columns from ``col`` on of
    the open row of banks."""


DUAL_ONLY = (Op.PIM_ACT, Op.PIM_PRE)
PQ_ONLY = (Op.PQ_CONFIG, Op.LUT_BUILD, Op.LUT_SUM, Op.BIN_ADD, Op.BIN_MAC, Op.ROW_TO_OB,
           Op.SUMS_TO_ROW)


def known(dual_row_buffer: bool, pq: bool) -> list[Op]:
    """The commands of a configuration."""
    return [op for op in Op if (dual_row_buffer or op not in DUAL_ONLY)
            and (pq or op not in PQ_ONLY)]


OP_BITS = 5
TAG_BITS = 8
CODE_BITS = 5
CYCLE_BITS = 32


class Code(IntEnum):
    """Why a command is refused: the first that applies, in this order."""

    OK = 0
    RESERVED = 1
    INDEX_RANGE = 2
    COL_OVERRUN = 3
    GB_UNWRITTEN = 4
    HEADER_MISMATCH = 5
    NOT_OPEN = 6
    ALREADY_OPEN = 7
    SAME_ROW_BOTH_BUFFERS = 8
    REF_OPEN = 9
    REF_OVERDUE = 10
    BURST_BUSY = 11
    SLOT_BUSY = 12
    TRFC = 13
    TRP = 14
    TRC = 15
    TRRD = 16
    TFAW = 17
    TRCD = 18
    TCCD = 19
    TWTR = 20
    TRAS = 21
    TWR = 22
    TRTP = 23


WAITS = Code.BURST_BUSY
"""From this code on, a command becomes legal by waiting: unless `strict`, it does."""

MEANING = {
    Code.OK: "ok",
    Code.RESERVED: "no such command in this configuration",
    Code.INDEX_RANGE: "bank_mask names no bank, or several where one is meant; or row, slot or n "
                      "is out of range",
    Code.COL_OVERRUN: "columns past the end of the row, the global buffer, the operand buffer, "
                      "the sums or the codebook",
    Code.GB_UNWRITTEN: "columns of the global buffer that were never written, or a write that "
                       "leaves some out: the first time they are written in order",
    Code.HEADER_MISMATCH: "more columns than the header announced, or REF or HEADER before they "
                          "all came",
    Code.NOT_OPEN: "a bank has no open row",
    Code.ALREADY_OPEN: "a bank has an open row",
    Code.SAME_ROW_BOTH_BUFFERS: "the row is open in the bank's other row buffer",
    Code.REF_OPEN: "refresh while a row is open",
    Code.REF_OVERDUE: "activation, or header too long, with the next refresh due",
    Code.BURST_BUSY: "a burst uses the bank, the global buffer or the sums",
    Code.SLOT_BUSY: "columns on their way to the accumulator",
    Code.TRFC: "too soon after REF",
    Code.TRP: "too soon after PRE",
    Code.TRC: "too soon after the bank's last ACT",
    Code.TRRD: "too soon after an activation of another bank",
    Code.TFAW: "a fifth activation in a window of tFAW",
    Code.TRCD: "too soon after ACT for a column",
    Code.TCCD: "too soon after the column before",
    Code.TWTR: "too soon after a write for a read",
    Code.TRAS: "too soon after ACT for PRE",
    Code.TWR: "too soon after a write for PRE",
    Code.TRTP: "too soon after a read for PRE",
}
