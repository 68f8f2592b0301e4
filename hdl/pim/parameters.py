"""What can be set of a PIM channel."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from pimlico.hdl.common.config import BlockConfig

from .timing import Timing

MOST_PRODUCTS = 1 << 17
"""So many products of int8 can be too many for an int32."""

FMT_BITS = {"int8": 8, "bf16": 16, "fp16": 16}


def _default_arith(data: dict[str, Any]) -> str:
    return "exact" if data.get("fmt") == "int8" else "aligned"


def _default_acc(data: dict[str, Any]) -> str:
    return "int32" if data.get("fmt") == "int8" else "fp32"


def _default_columns(data: dict[str, Any]) -> int:
    """As many as int32 accumulators hold for sure, up to 4096."""
    lanes = 1 if data.get("arith") == "lane_mac" else data.get("lanes", 16)
    return min(4096, (MOST_PRODUCTS - 1) // lanes) if data.get("fmt") == "int8" else 4096


class PimParameters(BlockConfig):
    """The fields of `config.PimConfig`."""

    block: ClassVar[str] = "pim-channel"

    fmt: Annotated[Literal["int8", "bf16", "fp16"], Field(
        description="format of matrix and vector elements")] = "bf16"
    lanes: Annotated[int, Field(
        ge=4, le=32, description="number of elements of a column, a power of two")] = 16
    row_bytes: Annotated[int, Field(
        ge=256, le=2048, description="size of a row, in bytes, a power of two")] = 1024
    rows: Annotated[int, Field(
        ge=2, le=65536, description="number of rows of a bank, a power of two")] = 64
    banks: Annotated[int, Field(
        ge=1, le=16, description="number of banks, a power of two")] = 4
    bank_groups: Annotated[int, Field(
        ge=1, le=16, description="number of bank groups, a power of two up to banks")] = 1
    gb_cols: Annotated[int, Field(
        ge=1, le=512, description="columns of the global buffer, a power of two")] = 32
    reuse: Annotated[int, Field(
        ge=1, le=8, description="number of vectors that a column of the matrix is multiplied "
                                "by")] = 1
    arith: Annotated[Literal["exact", "ieee_tree", "aligned", "lane_mac"], Field(
        description="sum of a column's products: of integers, exactly; in a tree that rounds at "
                    "each node; aligned to the largest exponent and rounded once; or none, an "
                    "accumulator a lane",
        default_factory=_default_arith)]
    align_bits: Annotated[int, Field(
        ge=12, le=28, description="bits kept of an aligned product")] = 24
    acc: Annotated[Literal["fp32", "fmt", "int32"], Field(
        description="format of the accumulators; fmt is that of the elements",
        default_factory=_default_acc)]
    acc_slots: Annotated[int, Field(
        ge=1, le=8, description="number of accumulators of a bank for each vector")] = 4
    acc_latency: Annotated[int, Field(
        ge=1, le=4, description="cycles of an addition to an accumulator")] = 1
    mac_columns: Annotated[int, Field(
        ge=1, le=65536, description="most columns that are added to an accumulator between "
                                    "ACC_WR",
        default_factory=_default_columns)]
    allow_lossy: Annotated[bool, Field(
        description="permission for accumulators in bf16, which lose small addends")] = False
    subnormals: Annotated[Literal["keep", "flush"], Field(
        description="what floating operations do with subnormal operands and results: keep "
                    "them, or take them for zeros of their sign")] = "keep"
    dual_row_buffer: Annotated[bool, Field(
        description="a row buffer of its own for MAC, beside the ordinary one")] = False
    strict: Annotated[bool, Field(
        description="refuse commands that come too soon; else they wait")] = True
    timing: Annotated[Timing, Field(
        description="timing rules, in cycles: hbm2_samsung, hbm2_neupims, gddr6_aim, hbm3_attacc "
                    "or a record", validate_default=True)] = "hbm2_neupims"  # type: ignore[assignment]

    @property
    def floating(self) -> bool:
        """Whether elements are floating point."""
        return self.fmt != "int8"

    @property
    def fmt_bits(self) -> int:
        return FMT_BITS[self.fmt]

    @property
    def column_bits(self) -> int:
        return self.lanes * self.fmt_bits

    @property
    def cols(self) -> int:
        """Columns of a row."""
        return 8 * self.row_bytes // self.column_bits

    @property
    def acc_bits(self) -> int:
        """Bits of an accumulator."""
        return self.fmt_bits if self.acc == "fmt" else 32

    @property
    def acc_lanes(self) -> int:
        """Accumulators of a slot for a vector."""
        return self.lanes if self.arith == "lane_mac" else 1

    @property
    def slot_bits(self) -> int:
        """Bits of all accumulators of a slot."""
        return self.reuse * self.acc_lanes * self.acc_bits

    @property
    def rotation(self) -> int:
        """Accumulators that the columns of a burst are added to in turn, so that each addition
        ends before the next one to the same."""
        return -(-self.acc_latency // self.timing.tccd_mac)
