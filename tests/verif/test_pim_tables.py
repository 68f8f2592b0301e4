"""Product quantization in the golden model against numpy's own floats, element by element."""

import ml_dtypes
import numpy as np
import pytest
from pim_configs import FAST, SHORT
from pim_play import Played

from pimlico.hdl.pim.commands import Code, Op
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.bits import pack, unpack
from pimlico.verif.pim.script import Script

SELDOM = {"trefi": 65535}
BASE = {"row_bytes": 256, "rows": 16, "banks": 2, "pq": True, "pq_k": 16, "pq_m": 3, "pq_dsub": 3,
        "gb_cols": 4, "timing": SHORT | SELDOM}
CASES = {
    "fp16": BASE | {"fmt": "fp16", "lanes": 4, "arith": "ieee_tree"},
    "bf16": BASE | {"lanes": 8, "arith": "ieee_tree", "dual_row_buffer": True, "pq_k": 64},
    "bf16 aligned": BASE | {"lanes": 4, "align_bits": 28, "pq_k": 32, "pq_dsub": 2},
    "fp16 in fp16": BASE | {"fmt": "fp16", "lanes": 4, "arith": "ieee_tree", "acc": "fmt",
                            "pq_k": 128, "pq_dsub": 1, "timing": FAST | SELDOM},
    "bf16 in bf16": BASE | {"lanes": 8, "arith": "ieee_tree", "acc": "fmt", "allow_lossy": True,
                            "pq_dsub": 5, "banks": 1},
    "more centroids a column than there are": BASE | {
        "lanes": 32, "row_bytes": 2048, "arith": "ieee_tree", "pq_dsub": 1, "banks": 1},
}
FLOATS = {"fp16": np.float16, "bf16": ml_dtypes.bfloat16, "fp32": np.float32}


class Job:
    """Commands for all banks, each as soon as it is legal, and what their replies must be."""

    def __init__(self, case, seed):
        self.config = PimConfig(**CASES[case])
        self.rng = np.random.default_rng(seed)
        self.script = Script(self.config)
        self.every = (1 << self.config.banks) - 1
        self.element = FLOATS[self.config.fmt_format.name]
        self.sum = FLOATS[self.config.acc_format.name]
        self.counts = {"products": 0, "additions": 0, "columns": 0}
        self.reads, self.results = [], []

    def issue(self, op, banks=None, **fields):
        banks = self.every if banks is None else banks
        assert self.script.issue(op, banks, **fields) == Code.OK

    def count(self, *, products=0, additions=0, columns=0):
        """What all banks do."""
        for name, more in (("products", products), ("additions", additions),
                           ("columns", columns)):
            self.counts[name] += more * self.config.banks

    def ordinary(self, opened, op, **fields):
        self.issue(Op.ACT_ALL, row=opened)
        self.issue(op, **fields)
        self.issue(Op.PRE_ALL)

    def pim(self, opened, op, **fields):
        dual = self.config.dual_row_buffer
        self.issue(Op.PIM_ACT if dual else Op.ACT_ALL, row=opened)
        self.issue(op, **fields)
        self.issue(Op.PIM_PRE if dual else Op.PRE_ALL)

    def write(self, row, lanes, width=None, first=0):
        """Numbers of shape (banks, n), from a column on."""
        width = width or self.config.fmt_bits
        self.issue(Op.ACT_ALL, row=row)
        for bank, numbers in enumerate(np.asarray(lanes).astype(np.uint64)):
            size = self.config.column_bits // width
            for i, word in enumerate(pack(numbers.reshape(-1, size), width)):
                self.issue(Op.WR, 1 << bank, col=first + i, data=word)
        self.issue(Op.PRE_ALL)
        self.count(columns=len(lanes[0]) * width // self.config.column_bits)

    def expect_row(self, row, sums, first=0):
        """Sums of shape (banks, n) in a row, from a column on."""
        config = self.config
        self.issue(Op.ACT_ALL, row=row)
        for bank, numbers in enumerate(sums):
            words = pack(codes(numbers).reshape(-1, config.column_sums), config.acc_bits)
            for col, word in enumerate(words):
                self.issue(Op.RD, 1 << bank, col=first + col)
                self.reads.append(word)
        self.issue(Op.PRE_ALL)
        self.count(columns=len(words))

    def check(self):
        config, last = self.config, {}
        played = Played(config, self.script.episode("tables"),
                        watch=lambda model, ports: last.update(ports))
        assert played.refusals == []
        found = [beat["data"] for beat in played.fields("rdata")]
        assert [unpacked(config, word) for word in found] == [
            unpacked(config, word) for word in self.reads]
        assert [beat["data"] for beat in played.fields("result")] == [
            int(codes(value)) for value in self.results]
        assert {name: last[name] for name in self.counts} == self.counts

    # the arithmetic, in numpy's floats

    def elements(self, *shape):
        """About one, of either sign, with zeros among them."""
        plain = self.rng.uniform(1, 2, shape) * 2.0 ** self.rng.integers(-3, 3, shape)
        plain *= self.rng.choice([1, -1, 1, -1, 1, 0], shape)
        return plain.astype(self.element)

    def dot(self, column, vector):
        """The sum of a column's products, as `arith` has it."""
        if self.config.arith == "aligned":  # no bit is cut off here
            exact = column.astype(np.float64) @ vector.astype(np.float64)
            return self.sum(exact + 0.0)
        terms = [self.sum(np.float32(x) * np.float32(y))
                 for x, y in zip(column, vector, strict=True)]
        while len(terms) > 1:
            terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=True)]
        return terms[0]

    def indices(self, count):
        """Of shape (banks, count): any, then the same one many times, then two in turn."""
        k, rng = self.config.pq_k, self.rng
        found = rng.integers(0, k, (self.config.banks, count))
        found[:, count // 4:count // 2] = rng.integers(0, k)
        found[:, count // 2:3 * count // 4:2] = rng.integers(0, k)
        found[:, count // 2 + 1:3 * count // 4:2] = rng.integers(0, k)
        return found

    def load(self, row, indices):
        """Write indices to a row, with anything in the bits above them, and load them."""
        config = self.config
        above = self.rng.integers(0, 1 << config.index_bits, indices.shape) // config.pq_k
        self.write(row, indices + above * config.pq_k, config.index_bits)
        n = indices.shape[1] // config.column_indices
        self.ordinary(row, Op.ROW_TO_OB, n=n)
        self.count(columns=n)
        return n


def codes(numbers):
    numbers = np.asarray(numbers)
    return numbers.view(f"u{numbers.dtype.itemsize}").astype(np.uint64)


def unpacked(config, word):
    return unpack([word], config.acc_bits, config.column_sums, False)[0].tolist()


def built(job, books, queries):
    """Tables of all subspaces, each in a place of a row from 8 on, from codebooks in rows 0 on.

    `books` has shape (banks, pq_m, pq_k, pq_dsub); tables (pq_m, banks, pq_k).
    """
    config, tables = job.config, []
    rows = config.codebook_rows
    size, a_column = config.segment, config.column_centroids
    width = config.codebook_cols * config.lanes
    for s in range(config.pq_m):
        vector = np.zeros((a_column, size), job.element)
        vector[:, :config.pq_dsub] = queries[s]
        vector = vector.reshape(-1)
        job.issue(Op.GB_WR, 0, col=s, data=pack(codes(vector)[None], config.fmt_bits)[0])
        padded = np.zeros((config.banks, width // size, size), job.element)
        padded[:, :config.pq_k, :config.pq_dsub] = books[:, s]
        # the rest of the last column is multiplied too: here zeros
        columns = codes(padded).reshape(config.banks, rows, width // rows)
        for part in range(rows):
            job.write(s * rows + part, columns[:, part])
            job.pim(s * rows + part, Op.LUT_BUILD, row=s, slot=part,
                    n=config.codebook_cols // rows)
        job.count(products=config.codebook_cols * a_column * config.pq_dsub,
                  columns=config.codebook_cols)
        n = config.pq_k // config.column_sums
        first = s % config.row_tables * n
        job.ordinary(8 + s, Op.SUMS_TO_ROW, col=first, n=n)
        job.count(columns=n)
        table = np.empty((config.banks, config.pq_k), job.sum)
        for bank, number in np.ndindex(table.shape):
            column = np.zeros(config.lanes, job.element)
            lane = number % a_column * size
            column[lane:lane + config.pq_dsub] = books[bank, s, number]
            table[bank, number] = job.dot(column, vector)
        job.expect_row(8 + s, table, first)
        tables.append(table)
    return tables


@pytest.mark.parametrize("case", CASES)
def test_scores_are_sums_of_table_entries(case, seed):
    """Tables are built, written and read; then every token's entries are added, in order."""
    job = Job(case, seed)
    config = job.config
    books = job.elements(config.banks, config.pq_m, config.pq_k, config.pq_dsub)
    tables = built(job, books, job.elements(config.pq_m, config.pq_dsub))
    job.issue(Op.PQ_CONFIG, n=config.operand_cols)
    tokens = config.row_sums
    scores = np.zeros((config.banks, tokens), job.sum)
    for s, table in enumerate(tables):
        indices = job.indices(tokens)
        n = job.load(14, indices)
        for group in range(n):
            job.pim(8 + s, Op.LUT_SUM, row=group, col=group, n=1, slot=s % config.row_tables)
        job.count(additions=tokens, columns=tokens)
        for bank, token in np.ndindex(scores.shape):
            scores[bank, token] += table[bank, indices[bank, token]]
    job.ordinary(15, Op.SUMS_TO_ROW, n=config.cols)
    job.count(columns=config.cols)
    job.expect_row(15, scores)
    job.check()


@pytest.mark.parametrize("case", CASES)
def test_bins_are_added_to_in_order_and_rounded_once(case, seed):
    """Two rounds of weights into bins; bins read, rounded and multiplied by lanes of ones."""
    job = Job(case, seed)
    config = job.config
    job.issue(Op.PQ_CONFIG, n=config.operand_cols)
    bins = np.zeros((config.banks, config.row_sums), job.sum)
    tokens = min(config.row_sums, config.cols * config.lanes)
    for _ in range(2):
        indices, weights = job.indices(tokens), job.elements(config.banks, tokens)
        n = job.load(3, indices)
        job.write(4, codes(weights))
        job.pim(4, Op.BIN_ADD, n=n)
        job.count(additions=tokens, columns=tokens // config.lanes)
        for bank, token in np.ndindex(weights.shape):
            bins[bank, indices[bank, token]] += job.sum(weights[bank, token])
    job.ordinary(5, Op.SUMS_TO_ROW, n=config.cols)
    job.count(columns=config.cols)
    job.expect_row(5, bins)
    job.issue(Op.PQ_CONFIG, slot=1, n=config.operand_cols)
    multiplied(job, bins.astype(job.element))
    job.check()


def multiplied(job, operands, columns=6):
    """Columns of the operand buffers, each by lanes of one 1 each; then all, by any columns."""
    config = job.config
    lanes = np.tile(np.eye(config.lanes, dtype=job.element).reshape(-1), (config.banks, 1))
    job.write(6, codes(lanes))
    operands = operands.reshape(config.banks, config.operand_cols, config.lanes)
    for at in range(min(columns, config.operand_cols)):
        for lane in range(config.lanes):
            product(job, 6, lane, at, operands[:, at:at + 1], lanes)
    numbers = np.tile(job.elements(config.cols * config.lanes), (config.banks, 1))
    if config.arith != "aligned":  # else bits of products are cut off
        job.write(7, codes(numbers))
        product(job, 7, 0, 0, operands, numbers)


def product(job, row, col, at, operands, numbers):
    """Columns of the operand buffers from `at` on by those of a row from `col` on."""
    config, n = job.config, operands.shape[1]
    job.issue(Op.ACC_WR, slot=1)
    job.pim(row, Op.BIN_MAC, row=at, col=col, slot=1, n=n)
    job.count(products=n * config.lanes, columns=n)
    for bank in range(config.banks):
        job.issue(Op.ACC_RD, 1 << bank, slot=1)
        total = job.sum(0)
        columns = numbers[bank].reshape(-1, config.lanes)[col:]
        for operand, column in zip(operands[bank], columns[:n], strict=True):
            total = total + job.dot(column, operand)
        job.results.append(total)


@pytest.mark.parametrize("case", CASES)
def test_sums_are_rounded_to_nearest_even(case, seed):
    """Sums with the bits of halves and near halves of elements, put there by lookups."""
    job = Job(case, seed)
    config = job.config
    kept = config.acc_format.fraction_bits - config.fmt_format.fraction_bits
    whole = codes(job.elements(config.banks, config.pq_k).astype(job.sum))
    if kept:
        half = 1 << kept - 1
        whole += job.rng.choice([half, half - 1, half + 1, 0, 1, 2 * half - 1],
                                whole.shape).astype(np.uint64)
    numbers = whole.astype(f"u{config.acc_bits // 8}").view(job.sum)
    job.write(2, whole, config.acc_bits)
    tokens = config.row_sums
    indices = np.tile(np.arange(tokens) % config.pq_k, (config.banks, 1))
    n = job.load(3, indices)
    job.issue(Op.PQ_CONFIG, n=config.operand_cols)
    job.pim(2, Op.LUT_SUM, n=n)
    job.count(additions=tokens, columns=tokens)
    found = np.take_along_axis(numbers, indices, 1) + job.sum(0)
    job.issue(Op.PQ_CONFIG, slot=1, n=config.operand_cols)
    multiplied(job, found.astype(job.element), columns=config.operand_cols)
    job.check()
