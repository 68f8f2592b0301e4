"""Each rule of product quantization by itself, in the form of `pim_cases`.

Sums and operand buffers hold anything: SUMS_TO_ROW writes to columns that nothing reads.
"""

from pim_cases import APART, OPEN, PIM_OPEN, SINGLE, TWO, one

from pimlico.hdl.pim.commands import PQ_ONLY, Code, Op
from pimlico.verif.pim.rules import Command

TABLES = {"fmt": "fp16", "lanes": 4, "row_bytes": 256, "rows": 8, "banks": 4, "bank_groups": 2,
          "gb_cols": 8, "acc_slots": 5, "pq": True, "pq_k": 16, "pq_m": 4, "pq_dsub": 2,
          "timing": APART | {"trtp": 10}}
"""16 indices, 2 sums or 2 centroids a column, 16 columns of operands, 4 tables a row."""
TABLES_DUAL = TABLES | {"dual_row_buffer": True, "pq_k": 64, "pq_m": 8, "pq_dsub": 3}
"""8 indices, 2 sums or a centroid a column; a codebook of two rows, a table a row."""
SETTLES = 6


def load(bank, n=1, **fields):
    return one(Op.ROW_TO_OB, bank, n=n, **fields)


def store(bank, n=1, col=16, **fields):
    return one(Op.SUMS_TO_ROW, bank, n=n, col=col, **fields)


def prepare(bank, n=1, **fields):
    return one(Op.PQ_CONFIG, bank, n=n, **fields)


def build(bank, n=1, **fields):
    return one(Op.LUT_BUILD, bank, n=n, **fields)


def look_up(bank, n=1, **fields):
    return one(Op.LUT_SUM, bank, n=n, **fields)


def add(bank, n=1, **fields):
    return one(Op.BIN_ADD, bank, n=n, **fields)


def mac(bank, n=1, **fields):
    return one(Op.BIN_MAC, bank, n=n, **fields)


READS = {"ROW_TO_OB": load, "LUT_BUILD": build, "LUT_SUM": look_up, "BIN_ADD": add,
         "BIN_MAC": mac}
"""Bursts that read a row."""
ROWS = READS | {"SUMS_TO_ROW": store}
ALL = ROWS | {"PQ_CONFIG": prepare}
RUNS = {
    "ROW_TO_OB": (load(0, 4), 109), "LUT_BUILD": (build(0, 2), 109),
    "LUT_SUM": (look_up(0), 145), "BIN_ADD": (add(0), 115), "SUMS_TO_ROW": (store(0, 2), 109),
}
"""Bursts on sums that begin in cycle 100, and the cycle of their last turn.

Two sums or centroids a column in less than tCCD would read columns too soon: their turns are tCCD
apart. Four elements take longer: theirs come every cycle.
"""
LAST = 109
PREPARING = (prepare(0, 2), 107)

WAITING = {
    **{f"tRCD of {name}": (TABLES, [OPEN], burst(0), Code.TRCD, 13)
       for name, burst in READS.items()},
    "tRCD of SUMS_TO_ROW": (TABLES, [OPEN], store(0), Code.TRCD, 9),
    "tRCD of ROW_TO_OB in two banks": (
        TABLES, TWO, Command(Op.ROW_TO_OB, 3, n=1), Code.TRCD, 10 + 13),
    **{f"tRCD of {name} from a buffer of its own": (
        TABLES_DUAL, [PIM_OPEN], burst(0), Code.TRCD, 13)
       for name, burst in READS.items() if burst is not load},
    **{f"tCCD of RD and {name}": (
        TABLES, [OPEN, (100, one(Op.RD, 0))], burst(0), Code.TCCD, 104)
       for name, burst in ROWS.items()},
    "tCCD of bursts in a bank, to LUT_SUM": (
        TABLES, [OPEN, (100, mac(0, 4))], look_up(0), Code.TCCD, LAST + 4),
    **{f"tCCD of BIN_MAC and {name}": (
        TABLES_DUAL, [PIM_OPEN, (60, OPEN[1]), (100, mac(0, 4))], burst(0), Code.TCCD, LAST + 3)
       for name, burst in ALL.items()},
    "tCCD of MAC and PQ_CONFIG": (
        TABLES, [OPEN, (100, one(Op.MAC, 0, n=4))], prepare(0), Code.TCCD, LAST + 3),
    **{f"tWTR of {name}": (TABLES, [OPEN, (100, one(Op.WR, 0))], burst(0), Code.TWTR, 108)
       for name, burst in READS.items()},
    **{f"tWTR of SUMS_TO_ROW and {name}": (
        TABLES, [OPEN, (100, store(0, 2))], burst(0), Code.TWTR, LAST + 8)
       for name, burst in READS.items()},
    "tWTR of SUMS_TO_ROW and RD": (
        TABLES, [OPEN, (100, store(0, 2))], one(Op.RD, 0, col=9), Code.TWTR, LAST + 8),
    "tWR of SUMS_TO_ROW": (
        TABLES, [OPEN, (100, store(0, 2))], one(Op.PRE, 0), Code.TWR, LAST + 17),
    "tWR of SUMS_TO_ROW, of all": (
        TABLES_DUAL, [OPEN, (100, store(0, 2))], Command(Op.PRE_ALL), Code.TWR, LAST + 17),
    **{f"tRTP of {name}": (
        TABLES, [OPEN, (100, burst)], one(Op.PRE, 0), Code.TRTP, last + 10)
       for name, (burst, last) in RUNS.items() if name != "SUMS_TO_ROW"},
    "tRTP of BIN_MAC": (TABLES, [OPEN, (100, mac(0, 4))], one(Op.PRE, 0), Code.TRTP, LAST + 10),
    "tRTP of LUT_SUM and PIM_PRE": (
        TABLES_DUAL, [PIM_OPEN, (100, look_up(0, 2))], one(Op.PIM_PRE, 0), Code.TRTP, 145 + 10),
    **{f"burst after {name}": (
        TABLES, [OPEN, (100, burst)], one(Op.PQ_CONFIG, 2, n=1), Code.BURST_BUSY,
        last + SETTLES + 1) for name, (burst, last) in (RUNS | {"PQ_CONFIG": PREPARING}).items()},
    **{f"{name} after PQ_CONFIG": (
        TABLES, [OPEN, (100, PREPARING[0])], burst(0), Code.BURST_BUSY, 107 + SETTLES + 1)
       for name, burst in ALL.items()},
    **{f"global buffer after {name}": (
        TABLES, [OPEN, (100, burst)], Command(Op.GB_WR), Code.BURST_BUSY, last + SETTLES + 1)
       for name, (burst, last) in (RUNS | {"PQ_CONFIG": PREPARING}).items()},
    "global buffer in BIN_MAC": (
        TABLES, [OPEN, (100, mac(0, 4))], Command(Op.GB_WR), Code.BURST_BUSY, LAST + 1),
    **{f"bank in {name}": (
        TABLES, [OPEN, (100, burst)], one(Op.WR, 0), Code.BURST_BUSY, last + SETTLES + 1)
       for name, (burst, last) in RUNS.items()},
    "bank in ROW_TO_OB, beside a buffer of its own": (
        TABLES_DUAL, [OPEN, (100, load(0, 4))], one(Op.RD, 0), Code.BURST_BUSY,
        LAST + SETTLES + 1),
    "accumulator read after BIN_MAC": (
        TABLES, [OPEN, (100, mac(0, 4, slot=4))], one(Op.ACC_RD, 3, slot=4), Code.SLOT_BUSY,
        LAST + 11),
    "accumulator set after BIN_MAC": (
        TABLES, [OPEN, (100, mac(0, 4, slot=4))], one(Op.ACC_WR, 3, slot=4), Code.SLOT_BUSY,
        LAST + 11),
}

OPEN_BOTH = [PIM_OPEN, (60, OPEN[1])]
WRONG = {
    **{f"{op.name} without tables": (
        SINGLE, [OPEN], Command(op, 1, n=1), Code.RESERVED, None) for op in PQ_ONLY},
    "op past the last of tables": (
        TABLES, [], Command(Op.SUMS_TO_ROW + 1, 1, n=1), Code.RESERVED, prepare(0)),
    "PIM_ACT with tables and one row buffer": (
        TABLES, [], one(Op.PIM_ACT, 0), Code.RESERVED, prepare(0)),
    **{f"no bank for {name}": (
        TABLES, [OPEN], burst(0)._replace(bank_mask=0), Code.INDEX_RANGE, burst(0))
       for name, burst in ALL.items()},
    **{f"no column for {name}": (TABLES, [OPEN], burst(0, 0), Code.INDEX_RANGE, burst(0))
       for name, burst in ALL.items()},
    "what is prepared": (
        TABLES, [], prepare(0, slot=2), Code.INDEX_RANGE, prepare(0, slot=1)),
    "table of a row": (
        TABLES, [OPEN], look_up(0, slot=4), Code.INDEX_RANGE, look_up(0, slot=3)),
    "table of a row that holds one": (
        TABLES_DUAL, [PIM_OPEN], look_up(0, slot=1), Code.INDEX_RANGE, look_up(0)),
    "accumulator of BIN_MAC": (
        TABLES, [OPEN], mac(0, slot=5), Code.INDEX_RANGE, mac(0, slot=4)),
    **{f"column of the row for {name}": (
        TABLES, [OPEN], burst(0, 2, col=31), Code.COL_OVERRUN, burst(0, 2, col=30))
       for name, burst in {"ROW_TO_OB": load, "SUMS_TO_ROW": store, "BIN_MAC": mac}.items()},
    **{f"column of the operand buffer for {name}": (
        TABLES, [OPEN], burst(0, 2, row=15), Code.COL_OVERRUN, burst(0, 2, row=14))
       for name, burst in ALL.items() if burst not in (build, store)},
    "column of sums": (
        TABLES, [OPEN], store(0, 2, row=31), Code.COL_OVERRUN, store(0, 2, row=30)),
    "sums of tokens": (
        TABLES, [OPEN], look_up(0, 2, col=3), Code.COL_OVERRUN, look_up(0, 2, col=2)),
    "sums of tokens, of fewer a column": (
        TABLES_DUAL, [PIM_OPEN], look_up(0, 2, col=7), Code.COL_OVERRUN, look_up(0, 2, col=6)),
    "column of elements": (
        TABLES, [OPEN], add(0, 2, col=25), Code.COL_OVERRUN, add(0, 2, col=24)),
    "column of elements, of two for one of indices": (
        TABLES_DUAL, [PIM_OPEN], add(0, 2, col=29), Code.COL_OVERRUN, add(0, 2, col=28)),
    "column of a codebook": (
        TABLES, [OPEN], build(0, 2, col=7), Code.COL_OVERRUN, build(0, 2, col=6)),
    "row of a codebook": (
        TABLES, [OPEN], build(0, slot=1), Code.COL_OVERRUN, build(0)),
    "third row of a codebook": (
        TABLES_DUAL, [PIM_OPEN], build(0, slot=2), Code.COL_OVERRUN, build(0, col=31, slot=1)),
    "subspace": (TABLES, [OPEN], build(0, row=4), Code.COL_OVERRUN, build(0, row=3)),
    "subvector never written": (
        TABLES_DUAL, [PIM_OPEN], build(0, row=6), Code.GB_UNWRITTEN, build(0, row=5)),
    "more than announced, BIN_MAC": (
        TABLES_DUAL, [PIM_OPEN, (10, Command(Op.HEADER, n=3)), (100, one(Op.MAC, 0, n=1))],
        mac(0, 3), Code.HEADER_MISMATCH, mac(0, 2)),
    "more than BIN_MAC has left of what was announced": (
        TABLES_DUAL, [PIM_OPEN, (10, Command(Op.HEADER, n=3)), (100, mac(0, 1))],
        one(Op.MAC, 0, n=3), Code.HEADER_MISMATCH, one(Op.MAC, 0, n=2)),
    "lookups are not announced": (
        TABLES, [OPEN, (10, Command(Op.HEADER, n=3))], one(Op.MAC, 0, n=4),
        Code.HEADER_MISMATCH, look_up(0, 4)),
    **{f"closed for {name}": (TABLES, [OPEN], burst(1), Code.NOT_OPEN, burst(0))
       for name, burst in ROWS.items()},
    "one of two closed for SUMS_TO_ROW": (
        TABLES, [OPEN], Command(Op.SUMS_TO_ROW, 3, n=1), Code.NOT_OPEN, Command(
            Op.PQ_CONFIG, 3, n=1)),
    **{f"closed in the PIM buffer for {name}": (
        TABLES_DUAL, [OPEN], burst(0), Code.NOT_OPEN, None)
       for name, burst in READS.items() if burst is not load},
    **{f"closed in the ordinary buffer for {name}": (
        TABLES_DUAL, [PIM_OPEN], burst(0), Code.NOT_OPEN, None)
       for name, burst in {"ROW_TO_OB": load, "SUMS_TO_ROW": store}.items()},
}

BESIDE = {
    "a bank while its sums are prepared": (
        TABLES, [OPEN, (100, prepare(0, 4))], [one(Op.RD, 0), one(Op.WR, 0), one(Op.PRE, 0)]),
    "other banks beside lookups": (
        TABLES, [*TWO, (100, look_up(0))],
        [one(Op.RD, 1), one(Op.WR, 1), one(Op.PRE, 1), one(Op.ACT, 2)]),
    "other banks beside SUMS_TO_ROW": (
        TABLES, [*TWO, (100, store(0, 4))], [one(Op.RD, 1), one(Op.WR, 1), one(Op.PRE, 1)]),
    "the ordinary row beside lookups": (
        TABLES_DUAL, [*OPEN_BOTH, (100, look_up(0, 2))],
        [one(Op.RD, 0), one(Op.WR, 0), one(Op.PRE, 0), one(Op.PIM_ACT, 1, 3)]),
    "the PIM row beside SUMS_TO_ROW": (
        TABLES_DUAL, [*OPEN_BOTH, (100, store(0, 4))], [one(Op.PIM_PRE, 0), one(Op.ACT, 1)]),
    "accumulators beside lookups": (
        TABLES, [OPEN, (100, look_up(0))], [one(Op.ACC_RD, 0), one(Op.ACC_WR, 0)]),
}
"""What is legal in every cycle of the burst that comes last."""
