"""The PIM channel and the single PIM bank, and every number derived from their parameters."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pimlico.hdl.common.float.config import FORMATS, FloatFormat
from pimlico.hdl.common.ports import Field as Slice
from pimlico.hdl.common.ports import Port, Stream, Wire

from .commands import CODE_BITS, CYCLE_BITS, OP_BITS, TAG_BITS
from .legal import Legal

COUNT_BITS = 32
COUNTS = {
    "products": "products of elements, all banks, since reset",
    "additions": "sums that lookups and bins were added to, all banks, since reset",
    "columns": "columns read from the arrays and written to them, since reset",
}
"""What is counted where there is product quantization, modulo 2^32."""

ACCESS = 3
"""Cycles from a command to the operands of its column: the registers that the memories are
accessed from, their read registers, and the operands."""


def _bits(numbers: int) -> int:
    """Bits of one of so many numbers, one at least: Verilog has no ports of none."""
    return max(1, (numbers - 1).bit_length())


class PimConfig(Legal):
    """Banks that multiply their open rows by a vector, on one command bus.

    A row is open in a row buffer; MAC multiplies its columns, one every tCCD, by those of the
    global buffer in all banks at once. Commands keep to the timing rules of a DRAM device, or are
    refused. Sources: PIM-GPT, arXiv 2310.09385; NeuPIMs (dual row buffers); Samsung HBM-PIM and
    SK hynix AiM (commands); Duplex (a column for several vectors).
    """

    @property
    def fmt_format(self) -> FloatFormat:
        """Format of the elements, where they are floating."""
        return FORMATS[self.fmt]

    @property
    def acc_format(self) -> FloatFormat:
        """Format of the accumulators, where they are floating."""
        return FORMATS[self.fmt if self.acc == "fmt" else self.acc]

    @property
    def group_banks(self) -> int:
        """Banks of a bank group."""
        return self.banks // self.bank_groups

    @property
    def tree_levels(self) -> int:
        return (self.lanes - 1).bit_length()

    @property
    def dot_latency(self) -> int:
        """Cycles from the operands to the sum of their products."""
        if self.arith == "exact":
            return 1 + -(-self.tree_levels // 2)
        if self.arith == "aligned":
            return 8
        levels = self.tree_levels if self.arith == "ieee_tree" else 0
        return 2 * levels + (2 if self.floating else 1)

    @property
    def column_latency(self) -> int:
        """Cycles from a column's turn until ACC_RD may ask for what it was added to."""
        return ACCESS - 1 + self.dot_latency + self.acc_latency

    @property
    def latency(self) -> int:
        """Cycles from a RD on cmd to its rdata."""
        return 5

    @property
    def result_latency(self) -> int:
        """Cycles from an ACC_RD on cmd to its result."""
        return 3

    @property
    def pq_settles(self) -> int:
        """Cycles from the last turn of a burst on sums until another burst may find what it has
        done: its sums, its products, and the columns gathered of sums, which are written last."""
        return max(6, self.acc_latency, self.dot_latency - 2)

    @property
    def interval(self) -> int:
        """Cycles between two columns of a burst."""
        return self.timing.tccd_mac

    def row_cycles(self, n: int) -> int:
        """Cycles that a row with a burst of `n` columns takes of a bank with one row buffer."""
        t = self.timing
        busy = t.trcd_mac + (n - 1) * t.tccd_mac + t.trtp
        return max(max(busy, t.tras) + t.trp, t.trc)

    @property
    def wdata_bits(self) -> int:
        """Bits of a beat of wdata: a column, or all accumulators of a slot."""
        return max(self.column_bits, self.slot_bits)

    @property
    def row_field(self) -> int:
        """Bits of ``row``, which also numbers columns of the buffers and of sums."""
        sums = (self.operand_cols, self.cols) if self.pq else ()
        return max(map(_bits, (self.rows, self.gb_cols, *sums)))

    @property
    def col_field(self) -> int:
        """Bits of ``col``, which also numbers columns of the global buffer, and of indices."""
        groups = (self.token_groups,) if self.pq else ()
        return max(map(_bits, (self.cols, self.gb_cols, *groups)))

    @property
    def slot_field(self) -> int:
        """Bits of ``slot``, which also numbers vectors, tables and rows of a codebook."""
        tables = (self.codebook_rows, self.row_tables) if self.pq else ()
        return max(map(_bits, (self.acc_slots, self.reuse, *tables)))

    @property
    def n_field(self) -> int:
        """Bits of ``n``."""
        return self.cols.bit_length()

    @property
    def bank_field(self) -> int:
        return _bits(self.banks)

    @property
    def facts(self) -> dict[str, str]:
        full = self.row_cycles(self.cols)
        tables = {
            "table": f"{self.pq_k} sums of {self.acc_bits} bits, {self.row_tables} a row",
            "codebook": f"{self.codebook_cols} columns for each of {self.pq_m} subspaces, "
                        f"{self.column_centroids} centroids a column",
            "indices": f"{self.index_bits} bits, {self.column_indices} a column",
            "tokens at a time": f"{self.row_sums} a bank",
        } if self.pq else {}
        return {
            "columns a row": f"{self.cols} of {self.column_bits} bits",
            "cycles a row": f"{full} with a burst of all columns and one row buffer",
            "accumulators taken in turn": str(self.rotation),
            "array": f"{self.banks * self.rows * self.row_bytes // 1024} KiB",
            **tables,
        }

    @property
    def ports(self) -> tuple[Port, ...]:
        column = Slice("data", self.column_bits, doc=f"{self.lanes} lanes of {self.fmt}")
        tag = Slice("tag", TAG_BITS, doc="as in the command")
        bank = Slice("bank", self.bank_field, doc="number of the bank")
        slot = Slice("slot", self.slot_field, doc="accumulator, vector or table")
        op = Slice("op", OP_BITS, doc="command")
        return (
            Stream("cmd", "in", (
                op, Slice("bank_mask", self.banks, doc="a bit a bank"),
                Slice("row", self.row_field, doc="row, or column of a buffer"),
                Slice("col", self.col_field, doc="column"), slot,
                Slice("n", self.n_field, doc="number of columns"), tag),
                "commands, one a cycle at most"),
            Stream("wdata", "in", (Slice("data", self.wdata_bits,
                                         doc="a column, or the accumulators of a slot"),),
                   "what WR, GB_WR and ACC_WR write; a beat goes with the command"),
            Stream("rdata", "out", (column, bank, tag), "columns that RD asked for"),
            Stream("result", "out", (
                Slice("data", self.acc_bits, self.reuse * self.acc_lanes, not self.floating,
                      "vector by vector, lane by lane"),
                slot, bank, tag,
                Slice("flags", 2, doc="bit 0: a NaN among them; bit 1: an infinity; 0 for int32")),
                "accumulators that ACC_RD asked for"),
            Stream("status", "out", (
                Slice("code", CODE_BITS, doc="why"), op, bank,
                Slice("cycle", CYCLE_BITS, doc="cycle since reset in which it was refused"), tag),
                "a beat for each refused command, with the first bank at fault"),
            Wire("busy", "out", 1, "a burst runs, or columns are on their way to accumulators"),
            *(Wire(name, "out", COUNT_BITS, doc) for name, doc in COUNTS.items() if self.pq),
        )


class PimBankConfig(PimConfig):
    """A single bank that multiplies its open row by a vector.

    Sources and rules as of `PimConfig`, the channel of several.
    """

    block: ClassVar[str] = "pim-bank"

    banks: Annotated[Literal[1], Field(description="one bank")] = 1  # type: ignore[assignment]
    bank_groups: Annotated[Literal[1], Field(  # type: ignore[assignment]
        description="one bank group")] = 1
