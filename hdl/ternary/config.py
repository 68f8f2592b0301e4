"""Parameters of the ternary LUT GEMM core, and every number derived from them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pimlico.hdl.common.config import BlockConfig, ConfigError
from pimlico.hdl.common.ports import Field as Slice
from pimlico.hdl.common.ports import Port, Stream, Wire

ACT_BITS = {"int4": 4, "int8": 8, "int16": 16}
KEY_BITS = {1: 2, 2: 4, 3: 5, 4: 7, 5: 8}
TAG_BITS = 4
MULTIPLIER_BITS = 16
SHIFT_BITS = 5
BLOCK = 256

BAD_FRAME = 6
BAD_CODE = 7
STATUS = {
    0: "ok",
    1: "cfg refused: n is 0",
    2: "cfg refused: n is above n_max",
    3: "cfg refused: m is 0",
    4: "cfg refused: m is above m_max",
    5: "cfg refused: n is not a multiple of 256",
    BAD_FRAME: "a: first or last is not where the job's n puts it; the count was followed",
    BAD_CODE: "w: a code that stands for no weight; it was read as 0",
}


def exact_width(act_bits: int, n_max: int, addend: bool) -> int:
    """Bits of the narrowest signed accumulator that no input can overflow.

    The extreme is ``n_max`` products of the most negative activation with -1, which is
    positive and needs a bit more than ``act_bits + ceil(log2(n_max))`` when `n_max` is a power
    of two. An addend as wide as the dot product takes one bit more.
    """
    return (n_max << act_bits - 1).bit_length() + 1 + addend


def _default_mu(data: dict[str, Any]) -> int:
    return 1 if data.get("table") == "none" else 2


def _default_acc(data: dict[str, Any]) -> int:
    return exact_width(ACT_BITS[data.get("act", "int8")], data.get("n_max", 4096),
                       data.get("addend", False))


class TernaryConfig(BlockConfig):
    """Ternary LUT GEMM: ``y = W x`` with weights in {-1, 0, +1}.

    A beat is a tile of ``luts * mu`` columns by ``keys`` rows of W. Sources: Geens et al.,
    arXiv 2604.25183 (structure), BitNet b1.58 (weights and activation quantization).
    """

    block: ClassVar[str] = "ternary-gemm"

    act: Annotated[Literal["int4", "int8", "int16"], Field(
        description="activation type")] = "int8"
    table: Annotated[Literal["ff", "none"], Field(
        description="where the sums of activations are kept: flip-flops, or none "
                    "(a tree of conditional add/subtract)")] = "ff"
    mu: Annotated[int, Field(
        ge=1, le=5, description="number of weights a key stands for (µ)",
        default_factory=_default_mu)]
    luts: Annotated[int, Field(
        ge=1, le=128, description="number of tables (L); luts*mu columns a beat")] = 6
    keys: Annotated[int, Field(
        ge=1, le=256, description="number of read ports a table (K); rows a beat")] = 16
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
    acc_width: Annotated[int, Field(
        ge=2, le=64, description="accumulator width, in bits",
        default_factory=_default_acc)]
    allow_wrap: Annotated[bool, Field(
        description="permission for an accumulator that can overflow, and then wraps")] = False
    pipeline: Annotated[int, Field(
        ge=0, le=4, description="number of register stages inside the reduction tree")] = 0
    weight_format: Annotated[Literal["keys", "base3x5", "two_bit", "tq1_0", "tq2_0"], Field(
        description="coding of the weight stream")] = "keys"
    out: Annotated[Literal["raw", "int8_requant"], Field(
        description="form of the results: accumulators, or rescaled, rounded to nearest even "
                    "and saturated to int8")] = "raw"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.table == "none" and self.mu != 1:
            raise ConfigError("mu", self.mu, "be 1 with table = none",
                              "leave mu out, or set table = ff")
        exact = exact_width(self.act_bits, self.n_max, self.addend)
        if self.acc_width < exact and not self.allow_wrap:
            raise ConfigError("acc_width", self.acc_width,
                              f"be at least {exact} for act = {self.act}, n_max = {self.n_max}",
                              "leave it out for the exact width, or set allow_wrap = true")
        if self.acc_width < self.sum_width and self.allow_wrap:
            raise ConfigError("acc_width", self.acc_width,
                              f"be at least {self.sum_width}, the width of one beat's sum",
                              "narrow the tile (luts, mu) or widen the accumulator")
        columns = self.columns
        if self.weight_format == "base3x5" and columns % 5:
            raise ConfigError("weight_format", "base3x5",
                              f"go with luts*mu a multiple of 5, not {columns}",
                              "set luts to a multiple of 5, or use two_bit")
        if self.weight_format == "tq1_0" and columns % 5:
            raise ConfigError("weight_format", "tq1_0",
                              f"go with luts*mu a multiple of 5, not {columns}",
                              "set luts to a multiple of 5, or use tq2_0")
        if self.weight_format == "tq1_0" and 48 % (columns // 5):
            raise ConfigError("weight_format", "tq1_0",
                              f"go with luts*mu/5 a divisor of 48, not {columns // 5}",
                              "set luts*mu to 5, 10, 15, 20, 30, 40, 60, 80, 120 or 240")
        if self.weight_format == "tq2_0" and (columns % 4 or 64 % (columns // 4)):
            raise ConfigError("weight_format", "tq2_0",
                              f"go with luts*mu/4 a divisor of 64, not {columns / 4:g}",
                              "set luts*mu to 4, 8, 16, 32, 64, 128 or 256")
        if self.block_format and self.n_max % BLOCK:
            raise ConfigError("n_max", self.n_max,
                              f"be a multiple of {BLOCK} with weight_format = "
                              f"{self.weight_format}",
                              f"round it up to {-(-self.n_max // BLOCK) * BLOCK}")
        return self

    @property
    def act_bits(self) -> int:
        return ACT_BITS[self.act]

    @property
    def columns(self) -> int:
        """Weights of one row a beat: L·µ."""
        return self.luts * self.mu

    @property
    def macs(self) -> int:
        """Multiply-accumulates a beat."""
        return self.columns * self.keys

    @property
    def entries(self) -> int:
        """Entries of a mirror-halved table: (3^µ - 1)/2."""
        return (3**self.mu - 1) // 2

    @property
    def entry_width(self) -> int:
        """Bits of a table entry: act bits + ceil(log2 µ)."""
        return self.act_bits + (self.mu - 1).bit_length()

    @property
    def key_bits(self) -> int:
        """Bits of a key: the sign above the index of the entry."""
        return KEY_BITS[self.mu]

    @property
    def sum_width(self) -> int:
        """Bits of a beat's partial sum, exact for any activations and keys."""
        return (self.columns << self.act_bits - 1).bit_length() + 1

    @property
    def block_format(self) -> bool:
        """Whether weights come in blocks of 256."""
        return self.weight_format in ("tq1_0", "tq2_0")

    @property
    def weight_bits(self) -> int:
        """Bits of one row's weights in a beat."""
        return {
            "keys": self.luts * self.key_bits,
            "two_bit": 2 * self.columns,
            "tq2_0": 2 * self.columns,
            "base3x5": 8 * self.columns // 5,
            "tq1_0": 8 * self.columns // 5,
        }[self.weight_format]

    @property
    def decode_stage(self) -> bool:
        """Whether weights are decoded to keys in a register stage of their own, beside the
        table stage; else a weight beat is taken in the cycle that fetches with it."""
        return self.weight_format != "keys" and (self.mu > 1 or self.trits_per_byte == 5)

    @property
    def trits_per_byte(self) -> int:
        return 5 if self.weight_format in ("base3x5", "tq1_0") else 4

    @property
    def digit_beats(self) -> int:
        """``tq1_0``: beats of a block that carry ``qs``; the ``qh`` beats come after."""
        return 240 // self.columns

    @property
    def block_beats(self) -> int:
        """Beats of a 256-weight block; of one beat's columns for the other formats."""
        if self.weight_format == "tq1_0":
            return self.digit_beats - (-4 // (self.columns // 5))
        return BLOCK // self.columns if self.weight_format == "tq2_0" else 1

    def tile_beats(self, n: int) -> int:
        """Beats of one row tile of `n` columns."""
        if self.block_format:
            return n // BLOCK * self.block_beats
        return -(-n // self.columns)

    def job_beats(self, n: int, m: int) -> int:
        """Beats of a job; its cycles too at full rate."""
        return self.tile_beats(n) * -(-m // self.keys)

    @property
    def rows_bits(self) -> int:
        """Bits of a count of rows in a beat, 0 to K."""
        return self.keys.bit_length()

    @property
    def n_bits(self) -> int:
        return self.n_max.bit_length()

    @property
    def m_bits(self) -> int:
        return self.m_max.bit_length()

    @property
    def out_bits(self) -> int:
        return 8 if self.out == "int8_requant" else self.acc_width

    @property
    def latency(self) -> int:
        """Cycles from an activation beat to its result: table, fetch, pipeline, accumulate,
        and two more to rescale."""
        return 3 + self.pipeline + (2 if self.out == "int8_requant" else 0)

    @property
    def ports(self) -> tuple[Port, ...]:
        cfg = [Slice("n", self.n_bits, doc="row length N, 1 to n_max"),
               Slice("m", self.m_bits, doc="number of rows M, 1 to m_max"),
               Slice("tag", TAG_BITS, doc="returned with every result of the job")]
        if self.out == "int8_requant":
            cfg += [Slice("multiplier", MULTIPLIER_BITS, doc="y = acc * multiplier / 2**shift"),
                    Slice("shift", SHIFT_BITS)]
        ports: list[Port] = [
            Stream("cfg", "in", tuple(cfg), "one beat a job"),
            Stream("a", "in", (
                Slice("data", self.act_bits, self.columns, True, "activations, columns in order"),
                Slice("first", 1, doc="first beat of a row tile"),
                Slice("last", 1, doc="last beat of a row tile")),
                "activations, repeated for every row tile"),
            Stream("w", "in", (
                Slice("data", self.weight_bits, self.keys,
                      doc=f"{self.weight_format}, a lane a row"),),
                "weights, a beat for each activation beat"),
        ]
        if self.addend:
            ports.append(Stream("addend", "in", (
                Slice("data", self.acc_width - 1, self.keys, True, "added to the tile's results"),),
                "one beat a row tile"))
        ports += [
            Stream("o", "out", (
                Slice("data", self.out_bits, self.keys, True, "results, a lane a row"),
                Slice("keep", self.keys, doc="rows that exist; 0 past the last of M"),
                Slice("tag", TAG_BITS, doc="of the job"),
                Slice("last", 1, doc="last beat of the job")),
                "results, one beat a row tile"),
            Wire("status", "out", 3, "first error since cleared, 0 when none"),
            Wire("status_clear", "in", 1, "forget the error"),
        ]
        return tuple(ports)
