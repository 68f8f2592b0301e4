"""Product quantization from the build of a table to the product of bins, in finite numbers."""

from __future__ import annotations

import numpy as np

from pimlico.hdl.pim.commands import Op
from pimlico.hdl.pim.config import PimConfig

from ..bits import pack
from ..episode import Episode
from .script import Commands


def tables(config: PimConfig, rng: np.random.Generator) -> Episode:
    """Scores by tables and values by bins, with indices that come again and again.

    The row of tables is the last one in use, that of everything else the first.
    """
    made = _Tables(config, rng)
    made.write(made.rows[0])
    made.clear()
    for subspace in range(min(config.pq_m, 4)):
        made.issue(Op.GB_WR, col=subspace)
    made.build()
    made.score()
    made.bin()
    made.results()
    return made.script.episode("tables and bins")


class _Tables(Commands):
    def column(self) -> int:
        """Elements of alike magnitude."""
        config = self.config
        form = config.fmt_format
        raw = self.rng.integers(0, 1 << config.fmt_bits, config.lanes, dtype=np.uint64)
        exponent = self.rng.integers(form.bias - 3, form.bias + 1, config.lanes)
        keep = np.uint64(1 << config.fmt_bits - 1 | (1 << form.fraction_bits) - 1)
        return self._packed(raw & keep | exponent.astype(np.uint64) << np.uint64(
            form.fraction_bits), config.fmt_bits)

    def indices(self) -> int:
        """Few and their neighbours that come in runs, and any."""
        config, rng = self.config, self.rng
        few = rng.integers(0, 1 << config.index_bits, 3)
        runs = np.repeat(few, rng.multinomial(config.column_indices, [1 / 3] * 3))
        runs ^= rng.random(len(runs)) < 0.3
        others = rng.integers(0, 1 << config.index_bits, config.column_indices)
        return pack(np.where(rng.random(config.column_indices) < 0.7, runs, others)
                    .astype(np.uint64)[None], config.index_bits)[0]

    def write(self, row: int) -> None:
        """A codebook or weights in a row of all banks, indices in its last columns."""
        config = self.config
        for bank in range(config.banks):
            self.refresh(200)
            self.issue(Op.ACT, 1 << bank, row=row)
            for col in range(config.cols):
                last = col >= config.cols - config.operand_cols
                self.script.issue(Op.WR, 1 << bank, col=col,
                                  data=self.indices() if last else self.column())
            self.issue(Op.PRE_ALL)

    def build(self) -> None:
        """A table, into the last row."""
        config = self.config
        self._make_room()
        self.open(self.rows[0])
        count = min(config.cols - config.operand_cols, config.codebook_cols)
        self.issue(Op.LUT_BUILD, self.every, n=max(1, count),
                   row=int(self.rng.integers(min(config.pq_m, 4))))
        self.close()
        self._store()

    def _store(self) -> None:
        """All sums into the last row."""
        self._make_room()
        self.issue(Op.ACT_ALL, row=self.rows[-1])
        self.issue(Op.SUMS_TO_ROW, self.every, n=self.config.cols)
        self.issue(Op.PRE_ALL)

    def score(self) -> None:
        """Tokens looked up, and scores written and read."""
        config = self.config
        self._load()
        self.issue(Op.PQ_CONFIG, self.every, n=config.operand_cols)
        groups = min(config.token_groups, config.operand_cols)
        for table in {0, config.row_tables - 1}:
            self._make_room()
            self.open(self.rows[-1])
            self.issue(Op.LUT_SUM, self.every, n=groups, slot=table)
            self.close()
        self._store()
        self._read(self.rows[-1])

    def bin(self) -> None:
        """Weights into bins, and bins by a codebook."""
        config = self.config
        self._load()
        self.issue(Op.PQ_CONFIG, self.every, n=config.operand_cols)
        columns = config.column_indices // config.lanes
        for _ in range(2):
            self._make_room()
            self.open(self.rows[0])
            self.issue(Op.BIN_ADD, self.every,
                       n=max(1, min(config.operand_cols, config.cols // columns // 2)))
            self.close()
        self._store()
        self._read(self.rows[-1])
        self.issue(Op.PQ_CONFIG, self.every, n=config.operand_cols, slot=1)
        self.open(self.rows[0])
        for slot in self.mac_slots:
            self.issue(Op.BIN_MAC, self.every, n=min(config.operand_cols, config.cols), slot=slot)
        self.close()

    def _load(self) -> None:
        """Indices into the operand buffers."""
        config = self.config
        self.refresh(200)
        self.issue(Op.ACT_ALL, row=self.rows[0])
        self.issue(Op.ROW_TO_OB, self.every, col=config.cols - config.operand_cols,
                   n=config.operand_cols)
        self.issue(Op.PRE_ALL)

    def _make_room(self) -> None:
        """Refresh, if the longest burst would not end before that is due."""
        self.refresh(self.config.longest_burst + 100)

    def _read(self, row: int) -> None:
        for bank in range(self.config.banks):
            self.refresh(200)
            self.issue(Op.ACT, 1 << bank, row=row)
            for col in range(self.config.cols):
                self.issue(Op.RD, 1 << bank, col=col)
            self.issue(Op.PRE_ALL)
