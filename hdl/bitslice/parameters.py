"""Parameters of the bit-sliced PE array, with units and ranges."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from pimlico.hdl.common.config import BlockConfig

from .packing import Packing, pack_weights

FULL, DRAFT, REFINE = 0, 1, 2
HIGH_BITS = 5
LOW_BITS = 4

Sign = Literal["signed", "unsigned", "runtime"]


class Mode(NamedTuple):
    """A precision: bits of a weight and of an activation."""

    w: int
    a: int

    def __str__(self) -> str:
        return f"w{self.w}a{self.a}"


def _default_modes(data: dict[str, Any]) -> tuple[str, ...]:
    return (f"w{data.get('w_width', 8)}a{data.get('a_width', 8)}",)


def _split(value: Any) -> Any:
    """Modes as the command line gives them, with commas between."""
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _default_form(data: dict[str, Any]) -> str:
    plain = data.get("arch") == "mac" or data.get("multiplier") == "dsp_packed"
    return "binary" if plain else "carry_save"


class Parameters(BlockConfig):
    """What can be set, and the forms of operands that follow from it."""

    block: ClassVar[str] = "bitslice-array"

    rows: Annotated[int, Field(ge=1, le=64, description="rows of PEs")] = 8
    cols: Annotated[int, Field(ge=1, le=64, description="columns of PEs")] = 8
    k_lanes: Annotated[Literal[1, 2, 4, 8, 16], Field(
        description="products of one PE that a beat brings")] = 1
    arch: Annotated[Literal["parallel", "tree", "serial", "skip", "mac"], Field(
        description="PE: all digits of a weight at once; the same with an accumulator for each "
                    "bit weight; one digit a cycle; one digit a cycle and zeros left out; a "
                    "plain multiplier, to compare with")] = "parallel"
    dataflow: Annotated[Literal["os", "ws"], Field(
        description="what stays in a PE: output stationary or weight stationary")] = "os"
    a_width: Annotated[Literal[4, 8, 16], Field(description="bits of an activation")] = 8
    w_width: Annotated[Literal[2, 4, 8, 16], Field(description="bits of a weight")] = 8
    a_signed: Annotated[Sign, Field(description="activations' form; runtime: cfg says")] = "signed"
    w_signed: Annotated[Sign, Field(description="weights' form; runtime: cfg says")] = "signed"
    encoding: Annotated[Literal["booth4", "ent"], Field(
        description="digits of radix 4: Booth's -2..2; or -1..2, and where they come one by one "
                    "-2..2 with as few that are not 0 as can be")] = "booth4"
    modes: Annotated[tuple[str, ...], BeforeValidator(_split), Field(
        description="precisions that cfg can choose, such as w4a8", default_factory=_default_modes)]
    nested: Annotated[bool, Field(
        description="weights in two parts: a draft from the upper, refined from the lower")] = False
    slice_bits: Annotated[Literal[4], Field(
        description="bits of the lower part of a nested weight")] = 4
    max_k: Annotated[int, Field(
        ge=1, le=1 << 16, description="largest number of products of one result (K)")] = 1024
    acc_width: Annotated[int | None, Field(
        ge=4, le=64, description="bits of a result; unset: the exact bound")] = None
    multiplier: Annotated[Literal["logic", "dsp_packed"], Field(
        description="what multiplies: gates, or DSP blocks of several products each")] = "logic"
    dsp: Annotated[Literal["dsp48e2", "ecp5", "ice40"], Field(
        description="multiplier = dsp_packed: the block packed for, of 27×18, 18×18 or 16×16 "
                    "bits")] = "dsp48e2"
    acc_form: Annotated[Literal["binary", "carry_save", "segmented"], Field(
        description="form of a PE's accumulator: resolved, a carry a bit, or a carry every two "
                    "bits", default_factory=_default_form)]
    pipeline: Annotated[int, Field(
        ge=0, le=2, description="number of register stages inside a PE before its "
                                "accumulator")] = 0
    sum_stages: Annotated[int, Field(
        ge=1, le=4, description="number of cycles of each addition after the PEs")] = 2
    drain_adders: Annotated[int, Field(
        ge=1, le=64, description="rows whose results leave in one beat; a divisor of rows")] = 1
    group: Annotated[Literal[2, 4, 8], Field(
        description="arch = skip: products of one PE among which zero digits are left out")] = 4
    elide: Annotated[bool, Field(
        description="arch = skip: no cycle for a bit weight whose digits are all 0")] = False
    zero_points: Annotated[bool, Field(
        description="zero points of both operands, corrected at the drain")] = False
    preload: Annotated[bool, Field(
        description="stream of values that results start from")] = False

    @property
    def mode(self) -> tuple[Mode, ...]:
        """The precisions by number, as cfg's ``mode`` counts them."""
        return tuple(Mode(*map(int, name[1:].split("a"))) for name in self.modes)

    @property
    def beat_k(self) -> int:
        """Products of one PE that a beat brings: the lanes, or what is skipped among."""
        return self.group if self.arch == "skip" else self.k_lanes

    @property
    def a_bits(self) -> int:
        """Bits of an activation inside, where all are signed; of stationary weights' less its
        zero point."""
        wider = self.a_signed != "signed" or (self.zero_points and self.dataflow == "ws")
        return self.a_width + wider

    @property
    def timed(self) -> bool:
        """Whether the digits of a weight come one after another."""
        return self.arch in ("serial", "skip")

    @property
    def multiplier_bits(self) -> int:
        """Bits of a signed weight in PEs that multiply plainly; 0 in those that take digits."""
        if self.arch != "mac" and self.multiplier == "logic":
            return 0
        return self.w_width + (self.w_signed != "signed")

    @property
    def packing(self) -> Packing | None:
        """How the products of several columns share a multiplier, if they do."""
        if self.multiplier == "logic":
            return None
        return pack_weights(self.dsp, self.a_bits, self.multiplier_bits, self.cols)
