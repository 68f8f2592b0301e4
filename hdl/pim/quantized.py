"""Product quantization: its parameters, and the numbers that come of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from pimlico.hdl.common.config import ConfigError

from .parameters import PimParameters

PARTS = ("pq_m", "pq_k", "pq_dsub")


def _default_head(data: dict[str, Any]) -> int:
    return int(data.get("pq_m", 1) * data.get("pq_dsub", 1))


class Quantized(PimParameters):
    """Tables of partial products, and bins of weights, in place of most products.

    Source: AQPIM, arXiv 2604.18137. A vector of ``head_dim`` elements is cut into ``pq_m``
    subvectors, and each stands as the number of the nearest of ``pq_k`` centroids.
    """

    pq: Annotated[bool, Field(
        description="commands for product quantization: tables, lookups, bins")] = False
    pq_m: Annotated[int, Field(
        ge=1, le=64, description="number of subspaces that a vector is cut into")] = 32
    pq_k: Annotated[int, Field(
        ge=16, le=1024, description="number of centroids of a subspace, a power of two")] = 256
    pq_dsub: Annotated[int, Field(
        ge=1, le=16, description="elements of a vector in a subspace")] = 4
    head_dim: Annotated[int, Field(
        ge=1, le=1024, description="elements of a vector: pq_m * pq_dsub",
        default_factory=_default_head)]

    @property
    def row_sums(self) -> int:
        """Sums that a row holds, and a bank: scores, bins, or a table on its way to a row."""
        return 8 * self.row_bytes // self.acc_bits

    @property
    def column_sums(self) -> int:
        """Sums that a column holds."""
        return self.column_bits // self.acc_bits

    @property
    def operand_cols(self) -> int:
        """Columns of a bank's operand buffer: as many elements as sums."""
        return self.row_sums // self.lanes

    @property
    def index_bits(self) -> int:
        """Bits that an index takes of a column: 4, 8 or 16, and so many that the bank has a sum
        for each index of a column."""
        least = 1 << ((self.pq_k - 1).bit_length() - 1).bit_length()
        return max(least, self.column_bits // self.row_sums)

    @property
    def column_indices(self) -> int:
        """Indices that a column holds."""
        return self.column_bits // self.index_bits

    @property
    def segment(self) -> int:
        """Lanes that a centroid takes of a column: ``pq_dsub``, up to a power of two."""
        return 1 << (self.pq_dsub - 1).bit_length()

    @property
    def column_centroids(self) -> int:
        """Centroids that a column of a codebook holds."""
        return self.lanes // self.segment

    @property
    def codebook_cols(self) -> int:
        """Columns of a codebook."""
        return max(1, self.pq_k // self.column_centroids)

    @property
    def codebook_rows(self) -> int:
        """Rows of a codebook."""
        return -(-self.codebook_cols // self.cols)

    @property
    def row_tables(self) -> int:
        """Tables that a row holds."""
        return self.row_sums // self.pq_k

    @property
    def token_groups(self) -> int:
        """Columns of indices that a bank has sums for."""
        return self.row_sums // self.column_indices

    def check_quantization(self) -> None:
        """Refuse what does not go together."""
        if not self.pq:
            for name in (*PARTS, "head_dim"):
                field = type(self).model_fields[name]
                value, default = getattr(self, name), field.default
                if name == "head_dim":
                    default = self.pq_m * self.pq_dsub
                if value != default:
                    raise ConfigError(name, value, "be left alone without pq", "set pq")
            return
        if not self.floating:
            raise ConfigError("pq", True, f"be false for fmt = {self.fmt}: bins of int32 are no "
                              "operands of int8", "set fmt to bf16 or fp16")
        if self.arith == "lane_mac":
            raise ConfigError("pq", True, "be false for arith = lane_mac: an entry of a table is "
                              "the sum of a column", "set arith to aligned or ieee_tree")
        if self.reuse != 1:
            raise ConfigError("reuse", self.reuse, "be 1 with pq: a table is of one vector",
                              "give each bank a vector of its own")
        if self.head_dim != self.pq_m * self.pq_dsub:
            raise ConfigError("head_dim", self.head_dim,
                              f"be pq_m * pq_dsub = {self.pq_m * self.pq_dsub}")
        if self.pq_k > self.row_sums:
            raise ConfigError("pq_k", self.pq_k, f"be at most {self.row_sums}: a table of as many "
                              f"sums of {self.acc_bits} bits must fit a row",
                              "set it to that, or raise row_bytes")
        if self.segment > self.lanes:
            raise ConfigError("pq_dsub", self.pq_dsub, f"be at most lanes = {self.lanes}: a "
                              "centroid must fit a column", "raise lanes or pq_m")
        if self.pq_m > self.gb_cols:
            raise ConfigError("pq_m", self.pq_m, f"be at most gb_cols = {self.gb_cols}: each "
                              "subspace has a column of the global buffer", "raise gb_cols")

    def turn_gap(self, kind: str) -> int:
        """Cycles from one turn of a burst on sums to the next: tCCD if each reads a column, else as
        few as an addition to a bin takes, or one, as long as columns are tCCD apart."""
        tccd = self.timing.tccd_mac
        gap, turns = {"prepare": (1, tccd), "store": (1, self.column_sums),
                      "build": (1, self.column_centroids),
                      "bin": (self.acc_latency, self.lanes)}.get(kind, (tccd, 1))
        return gap if gap * turns >= tccd else tccd

    @property
    def longest_burst(self) -> int:
        """Most cycles from the first turn of a burst to its last, and tCCD."""
        tccd = self.timing.tccd_mac
        if not self.pq:
            return self.cols * tccd
        elements = self.column_indices // self.lanes
        return max(
            self.operand_cols * self.lanes,
            self.cols * max(tccd, self.column_sums * self.turn_gap("store")),
            min(self.cols, self.codebook_cols) * self.column_centroids * self.turn_gap("build"),
            min(self.operand_cols, self.token_groups) * self.column_indices * tccd,
            min(self.operand_cols, self.cols // elements) * self.column_indices
            * self.turn_gap("bin")) + tccd
