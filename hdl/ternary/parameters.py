"""What can be set of the ternary LUT GEMM core."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from pimlico.hdl.common.config import BlockConfig

ACT_BITS = {"int4": 4, "int8": 8, "int16": 16, "fp16": 16, "bf16": 16}
FLOATING = ("fp16", "bf16")


def exact_width(act_bits: int, n_max: int, addend: bool) -> int:
    """Bits of the narrowest signed accumulator that no input can overflow.

    The extreme is ``n_max`` products of the most negative activation with -1, which is
    positive and needs a bit more than ``act_bits + ceil(log2(n_max))`` when `n_max` is a power
    of two. An addend as wide as the dot product takes one bit more.
    """
    return (n_max << act_bits - 1).bit_length() + 1 + addend


def _floating(data: dict[str, Any]) -> bool:
    return data.get("act", "int8") in FLOATING


def _default_build(data: dict[str, Any]) -> str:
    return "serial" if data.get("table") == "lutram" else "parallel"


def _default_mu(data: dict[str, Any]) -> int:
    if data.get("table") == "none":
        return 1
    return 3 if _floating(data) or data.get("table") == "lutram" else 2


def _default_format(data: dict[str, Any]) -> str | None:
    return "fp32" if _floating(data) else None


def _default_acc(data: dict[str, Any]) -> int:
    if _floating(data):
        return 32 if data.get("acc_format") == "fp32" else 16
    return exact_width(ACT_BITS[data.get("act", "int8")], data.get("n_max", 4096),
                       data.get("addend", False))


class TernaryParameters(BlockConfig):
    """The fields of `config.TernaryConfig`."""

    block: ClassVar[str] = "ternary-gemm"

    act: Annotated[Literal["int4", "int8", "int16", "fp16", "bf16"], Field(
        description="activation type")] = "int8"
    table: Annotated[Literal["ff", "lutram", "none"], Field(
        description="where the sums of activations are kept: flip-flops, LUT RAM, or none "
                    "(a tree of conditional add/subtract)")] = "ff"
    build: Annotated[Literal["parallel", "serial"], Field(
        description="how a table is made: in one cycle, for a beat; or an entry a cycle, beside "
                    "the one in use, for a pass over all rows",
        default_factory=_default_build)]
    allow_exposed_build: Annotated[bool, Field(
        description="permission for a serial build that takes longer than the beats of m_max "
                    "rows, which then wait")] = False
    mu: Annotated[int, Field(
        ge=1, le=5, description="number of weights a key stands for (µ)",
        default_factory=_default_mu)]
    luts: Annotated[int, Field(
        ge=1, le=128, description="number of tables (L); luts*mu columns a beat")] = 6
    keys: Annotated[int, Field(
        ge=1, le=256, description="number of read ports a table (K); rows a beat")] = 16
    batch: Annotated[int, Field(
        ge=1, le=8, description="number of activation vectors that share a pass of the "
                                "weights")] = 1
    mux: Annotated[Literal["andor", "tree"], Field(
        description="form of the table's read port: AND-OR of decoded lines, or a tree of 2:1 "
                    "multiplexers")] = "andor"
    adder: Annotated[Literal["carry", "compressor"], Field(
        description="form of the reduction tree: two-input adders, on FPGA carry chains, or "
                    "a carry-save compressor tree")] = "carry"
    n_max: Annotated[int, Field(
        ge=1, le=1 << 20, description="largest row length N, in weights")] = 4096
    m_max: Annotated[int, Field(
        ge=1, le=1 << 24, description="largest number of rows M")] = 16384
    addend: Annotated[bool, Field(
        description="stream of values added to the results, one beat a row tile")] = False
    acc_format: Annotated[Literal["fp32", "act"] | None, Field(
        description="format in which floating sums are accumulated: fp32, or that of the "
                    "activations",
        default_factory=_default_format)]
    subnormals: Annotated[Literal["keep", "flush"], Field(
        description="what floating operations do with subnormal operands and results: keep "
                    "them, or take them for zeros of their sign")] = "keep"
    acc_width: Annotated[int, Field(
        ge=2, le=64, description="accumulator width, in bits",
        default_factory=_default_acc)]
    allow_wrap: Annotated[bool, Field(
        description="permission for an accumulator that can overflow, and then wraps")] = False
    pipeline: Annotated[int, Field(
        ge=0, le=4, description="number of register stages inside the reduction tree")] = 0
    weight_format: Annotated[Literal["keys", "base3x5", "two_bit", "tq1_0", "tq2_0"], Field(
        description="coding of the weight stream")] = "keys"
    out: Annotated[Literal["raw", "fp32_scaled", "int8_requant"], Field(
        description="form of the results: accumulators; fp32, times a scale of the job; or "
                    "rescaled, rounded to nearest even and saturated to int8")] = "raw"

    @property
    def floating(self) -> bool:
        """Whether activations are floating point."""
        return self.act in FLOATING

    @property
    def serial(self) -> bool:
        """Whether tables are built an entry a cycle, and activations stay for a pass."""
        return self.build == "serial"

    @property
    def act_bits(self) -> int:
        return ACT_BITS[self.act]

    @property
    def columns(self) -> int:
        """Weights of one row a beat: L·µ."""
        return self.luts * self.mu

    @property
    def entries(self) -> int:
        """Entries of a mirror-halved table: (3^µ - 1)/2."""
        return (3**self.mu - 1) // 2

    @property
    def sum_width(self) -> int:
        """Bits of a beat's partial sum: exact for any activations and keys, if they are
        integers."""
        if self.floating:
            return self.act_bits
        return (self.columns << self.act_bits - 1).bit_length() + 1

    @property
    def block_format(self) -> bool:
        """Whether weights come in blocks of 256."""
        return self.weight_format in ("tq1_0", "tq2_0")
