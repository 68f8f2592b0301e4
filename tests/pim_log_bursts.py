"""Bursts as the log of the PIM banks takes them: their turns, and what is beyond their reach.

Sums, indices, centroids and elements are counted one by one here, where the rules compare columns.
"""

from __future__ import annotations

from pimlico.hdl.pim.commands import Code, Op

ON_SUMS = (Op.PQ_CONFIG, Op.LUT_BUILD, Op.LUT_SUM, Op.BIN_ADD, Op.ROW_TO_OB, Op.SUMS_TO_ROW)
QUANTIZED = (*ON_SUMS, Op.BIN_MAC)
MACS = (Op.MAC, Op.BIN_MAC)
BURSTS = (Op.MAC, Op.ROW_TO_GB, *QUANTIZED)
MULTIPLIED_ROW = (*MACS, Op.LUT_BUILD, Op.LUT_SUM, Op.BIN_ADD)
"""Bursts over the row that MAC uses."""
WRITES = (Op.WR, Op.SUMS_TO_ROW)


def _sums(config):
    """Numbers in the accumulators' format that fill a row."""
    return 8 * config.row_bytes // config.acc_bits


def _indices(config):
    """Indices of a column: 4, 8 or 16 bits each, but no more of them than there are sums."""
    width = next(bits for bits in (4, 8, 16) if 1 << bits >= config.pq_k)
    return min(config.column_bits // width, _sums(config))


def _centroids(config):
    """Centroids of a column, each in lanes of which there is a power of two."""
    return config.lanes // next(lanes for lanes in (1, 2, 4, 8, 16) if lanes >= config.pq_dsub)


READS_A_TURN = (Op.MAC, Op.BIN_MAC, Op.ROW_TO_GB, Op.ROW_TO_OB, Op.LUT_SUM)


def turns(config, command):
    """The cycles of a burst's turns, from that of its command on."""
    op = command.op
    column = {Op.SUMS_TO_ROW: config.column_bits // config.acc_bits, Op.PQ_CONFIG: config.lanes,
              Op.LUT_BUILD: _centroids(config) if op == Op.LUT_BUILD else 0,
              Op.LUT_SUM: _indices(config) if op == Op.LUT_SUM else 0,
              Op.BIN_ADD: _indices(config) if op == Op.BIN_ADD else 0}.get(op, 1)
    tccd = config.timing.tccd_mac
    gap = config.acc_latency if op == Op.BIN_ADD else 1
    accesses = gap * {Op.BIN_ADD: config.lanes, Op.PQ_CONFIG: tccd}.get(op, column)
    if accesses < tccd or op in READS_A_TURN:
        gap = tccd  # or columns would come sooner
    return range(0, command.n * column * gap, gap)


def settles(config, command):
    """Cycles after the last turn in which the burst still runs."""
    if command.op in ON_SUMS:
        return config.pq_settles
    return 2 * (command.op == Op.ROW_TO_GB)


def out_of_range(config, command):
    """Codes of a burst with a field that is never legal."""
    op, slot = command.op, command.slot
    if command.n == 0 or (op in QUANTIZED and not command.bank_mask) \
            or (op == Op.PQ_CONFIG and slot not in (0, 1)) \
            or (op == Op.LUT_SUM and (slot + 1) * config.pq_k > _sums(config)) \
            or (op in MACS and (slot % config.rotation
                                or slot + config.rotation > config.acc_slots)):
        yield Code.INDEX_RANGE
    if any(_overruns(config, command)):
        yield Code.COL_OVERRUN


def _overruns(config, command):
    op, row, col, n = command.op, command.row, command.col, command.n
    if op in (Op.MAC, Op.ROW_TO_GB):
        yield row + n > config.gb_cols
    if op in (Op.BIN_MAC, Op.ROW_TO_OB, Op.PQ_CONFIG, Op.LUT_SUM, Op.BIN_ADD):
        yield (row + n) * config.lanes > _sums(config)
    if op == Op.BIN_ADD:
        elements = col * config.lanes + n * _indices(config)
        yield elements > config.cols * config.lanes
    elif op not in (Op.PQ_CONFIG, Op.LUT_SUM):
        yield col + n > config.cols
    if op == Op.LUT_SUM:
        yield (col + n) * _indices(config) > _sums(config)
    if op == Op.SUMS_TO_ROW:
        yield (row + n) * (config.column_bits // config.acc_bits) > _sums(config)
    if op == Op.LUT_BUILD:
        yield row >= config.pq_m
        last = command.slot * config.cols + col + n - 1
        yield last * _centroids(config) >= config.pq_k
