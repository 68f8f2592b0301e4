"""Where keys, values, scores and weights lie in the rows of the banks.

A bank has up to ``row_sums`` sums, so its tokens come in tiles of so many. Rows are of one kind:
codebooks, tables, indices, scores or weights, and each kind comes in blocks of a few columns
that do not go over the end of a row. All banks have the same layout, and the same codebooks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.config import PimConfig

from .attention import Coded

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Blocks:
    """Blocks of columns in rows, as many whole ones a row as fit.

    Attributes
    ----------
    first : int
        First row.
    count : int
        Number of blocks.
    columns : int
        Columns of a block.
    per_row : int
        Blocks of a row.
    """

    first: int
    count: int
    columns: int
    per_row: int

    @property
    def end(self) -> int:
        """The first row after them."""
        return self.first + -(-self.count // self.per_row)

    def place(self, block: int) -> tuple[int, int]:
        """Row and column that a block begins at."""
        row, number = divmod(block, self.per_row)
        return self.first + row, number * self.columns


@dataclass(frozen=True)
class Layout:
    """Rows for the scores of tokens, and, another time, for their values.

    Attributes
    ----------
    config : PimConfig
        With ``pq``.
    tokens : int

    Raises
    ------
    ConfigError
        If there is no product quantization, no token, or not as many rows as they need.
    """

    config: PimConfig
    tokens: int

    def __post_init__(self) -> None:
        if not self.config.pq:
            raise ConfigError("pq", False, "be true for attention over quantized keys", "set pq")
        if self.tokens < 1:
            raise ConfigError("tokens", self.tokens, "be at least 1")
        if self.need > self.config.rows:
            raise ConfigError("rows", self.config.rows, f"be at least {self.need}, for "
                              f"{self.tokens} tokens in {self.config.banks} banks",
                              "raise rows or banks")

    @property
    def need(self) -> int:
        """Rows that are used of a bank."""
        return max(self.scores.end, self.weights.end)

    @property
    def bank_tokens(self) -> int:
        """Tokens of a bank, at most."""
        return -(-self.tokens // self.config.banks)

    @property
    def tiles(self) -> int:
        """Tiles of a bank's tokens."""
        return -(-self.bank_tokens // self.config.row_sums)

    def groups(self, tile: int) -> int:
        """Columns of indices that the tokens of a tile take."""
        left = self.bank_tokens - tile * self.config.row_sums
        return -(-min(left, self.config.row_sums) // self.config.column_indices)

    @property
    def weight_columns(self) -> int:
        """Columns of weights beside a column of indices."""
        return self.config.column_indices // self.config.lanes

    # keys, and what comes of them

    @cached_property
    def books(self) -> Blocks:
        """Codebooks of the keys: a block a row, ``codebook_rows`` for each subspace."""
        config = self.config
        return Blocks(0, config.pq_m * config.codebook_rows,
                      min(config.cols, config.codebook_cols), 1)

    @cached_property
    def tables(self) -> Blocks:
        """A table for each subspace."""
        columns = max(1, self.config.pq_k // self.config.column_sums)
        return Blocks(self.books.end, self.config.pq_m, columns, self.config.cols // columns)

    def table(self, space: int) -> tuple[int, int]:
        """Row and number there of a subspace's table."""
        row, col = self.tables.place(space)
        return row, col * self.config.column_sums // self.config.pq_k

    @cached_property
    def key_indices(self) -> Blocks:
        """Indices of the keys: for each tile, all subspaces."""
        return self._indices(self.tables.end)

    @cached_property
    def scores(self) -> Blocks:
        """A row of scores for each tile."""
        return Blocks(self.key_indices.end, self.tiles, self.config.cols, 1)

    # values, and their weights

    @cached_property
    def value_books(self) -> Blocks:
        """Codebooks of the values, transposed: for each element of a vector, all centroids."""
        columns = max(1, self.config.pq_k // self.config.lanes)
        return Blocks(0, self.config.head_dim, columns, self.config.cols // columns)

    @cached_property
    def value_indices(self) -> Blocks:
        """Indices of the values: for each subspace, all tiles."""
        return self._indices(self.value_books.end)

    @cached_property
    def weights(self) -> Blocks:
        """Weights of the tokens, a block for each tile."""
        columns = self.config.operand_cols
        return Blocks(self.value_indices.end, self.tiles, columns, self.config.cols // columns)

    def _indices(self, first: int) -> Blocks:
        groups = self.config.token_groups
        return Blocks(first, self.tiles * self.config.pq_m, groups, self.config.cols // groups)

    # contents: uint8 arrays of shape (banks, blocks, columns, octets)

    def books_of(self, keys: Coded) -> Array:
        """Columns of the codebooks of keys, in the blocks of `books`."""
        config = self.config
        book = np.zeros((config.pq_m, config.codebook_cols * config.column_centroids,
                         config.segment), np.uint64)
        book[:, :config.pq_k, :config.pq_dsub] = keys.centroids
        return self._everywhere(book, self.books)

    def value_books_of(self, values: Coded) -> Array:
        """Columns of the codebooks of values, in the blocks of `value_books`."""
        config, blocks = self.config, self.value_books
        book = np.zeros((config.head_dim, blocks.columns * config.lanes), np.uint64)
        book[:, :config.pq_k] = values.centroids.transpose(0, 2, 1).reshape(config.head_dim, -1)
        return self._everywhere(book, blocks)

    def key_indices_of(self, keys: Coded) -> Array:
        """Columns of indices, in the blocks of `key_indices`."""
        return self._packed(self._split(keys.indices).transpose(0, 1, 3, 2), self.key_indices)

    def value_indices_of(self, values: Coded) -> Array:
        """Columns of indices, in the blocks of `value_indices`."""
        return self._packed(self._split(values.indices).transpose(0, 3, 1, 2),
                            self.value_indices)

    def weights_of(self, weights: npt.ArrayLike) -> Array:
        """Columns of weights, codes of shape (tokens,), in the blocks of `weights`."""
        codes = self._split(np.asarray(weights)[:, None])[..., 0]
        return self._octets(codes, self.weights)

    def _split(self, each: Array) -> Array:
        """What is of each token, of shape (banks, tiles, row_sums, ...); zeros at the end."""
        config = self.config
        whole = np.zeros((self.tiles * config.row_sums * config.banks, *each.shape[1:]),
                         np.uint64)
        whole[:self.tokens] = each
        return np.moveaxis(whole.reshape(self.tiles, config.row_sums, config.banks,
                                         *each.shape[1:]), 2, 0)

    def _packed(self, indices: Array, blocks: Blocks) -> Array:
        width = self.config.index_bits
        if width < 8:
            pairs = indices.reshape(*indices.shape[:-1], -1, 2)
            raw = (pairs[..., 0] | pairs[..., 1] << np.uint64(4)).astype(np.uint8)
        else:
            raw = np.ascontiguousarray(indices.astype(f"<u{width // 8}")).view(np.uint8)
        return raw.reshape(self.config.banks, blocks.count, blocks.columns, -1)

    def _octets(self, codes: Array, blocks: Blocks) -> Array:
        """Of elements, of shape (banks, ...)."""
        raw = np.ascontiguousarray(codes.astype(f"<u{self.config.fmt_bits // 8}")).view(np.uint8)
        return raw.reshape(len(codes), blocks.count, blocks.columns, -1)

    def _everywhere(self, codes: Array, blocks: Blocks) -> Array:
        """The same in all banks."""
        one = self._octets(codes[None], blocks)
        return np.broadcast_to(one, (self.config.banks, *one.shape[1:]))
