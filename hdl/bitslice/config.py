"""Parameters of the bit-sliced PE array, and every number derived from them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from pimlico.hdl.common.config import BlockConfig, ConfigError
from pimlico.hdl.common.ports import Field as Slice
from pimlico.hdl.common.ports import Port, Stream, Wire

from .bounds import Range, operand, product, width
from .packing import Packing, pack_weights
from .shape import PeShape

FULL, DRAFT, REFINE = 0, 1, 2
ZERO, KEEP, PRELOAD = 0, 1, 2
TILE_BITS = 16
HIGH_BITS = 5
LOW_BITS = 4
LENGTH_BITS = 16
SEGMENT = 2
"""Bits for each carry that a segmented accumulator keeps."""

COUNT_BITS = 32

BAD_FRAME = 9
STATUS = {
    0: "ok",
    1: "cfg refused: length is 0",
    2: "cfg refused: length is above its maximum",
    3: "cfg refused: length is not whole beats",
    4: "cfg refused: group_len is not whole beats, or does not divide k_len",
    5: "cfg refused: there is no such mode",
    6: "cfg refused: tiles is 0",
    7: "cfg refused: draft and refine are of the widest weights alone",
    8: "cfg refused: accumulators go on from values of one tile without groups, within max_k",
    BAD_FRAME: "a: last is not where the job's length puts it; the count was followed",
}

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


class BitsliceConfig(BlockConfig):
    """Bit-sliced PE array: C = A·B, one operand taken apart into signed digits.

    A tile is ``rows`` of A by ``cols`` columns of B (``cols * products`` in narrow modes).
    Sources: arXiv 2503.06342 (bit-weight dimension of MACs: OPT1 to OPT4C), ELMoE-3D
    (arXiv 2604.14626, bit nesting), SkipOPU (arXiv 2603.14785, packing in DSP blocks), Bit
    Fusion and Gemmini (runtime precision, dataflows).
    """

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

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_modes()
        if self.nested and self.w_width != 8:
            raise ConfigError("nested", True, f"go with w_width = 8, not {self.w_width}",
                              "set w_width to 8, or nested to false")
        if self.nested and (self.w_signed != "signed" or Mode(8, self.a_width) not in self.mode):
            raise ConfigError("nested", True, f"go with signed weights and mode w8a{self.a_width}",
                              "set w_signed to signed, and list the mode")
        if self.nested and any(mode.w == 2 for mode in self.mode):
            raise ConfigError("modes", ", ".join(self.modes), "be of w4 and w8 when nested",
                              "leave out those of w2, or set nested to false")
        if self.nested and self.zero_points and self.timed:
            raise ConfigError("zero_points", True,
                              "be false with nested weights whose digits come one by one",
                              "set arch to parallel, or correct the results outside")
        if self.nested and self.arch in ("tree", "mac"):
            raise ConfigError("nested", True, "go with arch parallel, serial or skip",
                              "set arch to parallel")
        if self.arch == "skip" and self.dataflow == "ws":
            raise ConfigError("dataflow", "ws", "be os with arch = skip",
                              "columns that skip need their own activations; set it to os")
        if self.arch == "skip" and self.k_lanes != 1:
            raise ConfigError("k_lanes", self.k_lanes, "be 1 with arch = skip",
                              "group says how many products a beat brings")
        if self.arch == "tree" and self.encoding == "ent":
            raise ConfigError("encoding", "ent", "be booth4 with arch = tree",
                              "each accumulator takes one digit of Booth's; set it to booth4")
        name = "group" if self.arch == "skip" else "k_lanes"
        if self.beat_k > self.max_k:
            raise ConfigError(name, self.beat_k, f"be at most max_k = {self.max_k}",
                              "lower it, or raise max_k")
        if self.max_k % self.beat_k:
            raise ConfigError(name, self.beat_k, f"divide max_k = {self.max_k}",
                              f"round max_k to {self.max_k // self.beat_k * self.beat_k}")
        if self.rows % self.drain_adders:
            raise ConfigError("drain_adders", self.drain_adders, f"divide rows = {self.rows}",
                              "set it to 1, or to a divisor of rows")
        if self.dataflow == "ws":
            self._check_ws()
        if self.acc_width is not None and self.acc_width < self.exact_width:
            raise ConfigError("acc_width", self.acc_width,
                              f"be at least {self.exact_width} for max_k = {self.max_k}",
                              "leave it out for the exact width, or lower max_k")
        if self.arch == "mac" and self.acc_form != "binary":
            raise ConfigError("acc_form", self.acc_form, "be binary with arch = mac",
                              "leave it out")
        if self.multiplier == "dsp_packed":
            self._check_packed()
        return self

    def _check_modes(self) -> None:
        if not self.modes:
            raise ConfigError("modes", "[]", "name at least one precision, such as w8a8",
                              "leave it out for the widest")
        if len(set(self.modes)) != len(self.modes) or len(self.modes) > 8:
            raise ConfigError("modes", ", ".join(self.modes), "be up to 8 different precisions")
        for name in self.modes:
            found = re.fullmatch(r"w(2|4|8|16)a(4|8|16)", name)
            if found is None:
                raise ConfigError("modes", name, "be w2, w4, w8 or w16, then a4, a8 or a16")
            w, a = int(found[1]), int(found[2])
            if w > self.w_width or a > self.a_width:
                raise ConfigError("modes", name,
                                  f"be at most w{self.w_width}a{self.a_width}, the hardware",
                                  "widen w_width or a_width")

    def _check_ws(self) -> None:
        if self.drain_adders != 1:
            raise ConfigError("drain_adders", self.drain_adders, "be 1 with dataflow = ws",
                              "each column has one; leave it out")
        if self.rows * self.k_lanes > self.max_k:
            raise ConfigError("max_k", self.max_k,
                              f"be at least rows*k_lanes = {self.rows * self.k_lanes}")

    def _check_packed(self) -> None:
        if self.arch != "parallel":
            raise ConfigError("multiplier", "dsp_packed", "go with arch = parallel")
        if self.acc_form != "binary":
            raise ConfigError("acc_form", self.acc_form, "be binary with multiplier = dsp_packed",
                              "a DSP block's adder keeps no carries; set it to binary")
        if self.nested or self.zero_points:
            name = "nested" if self.nested else "zero_points"
            raise ConfigError(name, True, "be false with multiplier = dsp_packed",
                              "set multiplier to logic")
        if any(mode.w != self.w_width for mode in self.mode):
            raise ConfigError("modes", ", ".join(self.modes),
                              f"be of w{self.w_width} alone with multiplier = dsp_packed",
                              "packed weights have one width")
        most = pack_weights(self.dsp, self.a_bits, self.multiplier_bits, 0).count
        if most == 1:
            raise ConfigError("dsp", self.dsp, "hold two products or more: "
                              f"{self.multiplier_bits}×{self.a_bits} bits are too many",
                              "narrow the operands, or set multiplier to logic")
        if pack_weights(self.dsp, self.a_bits, self.multiplier_bits, self.cols).count == 1:
            raise ConfigError("cols", self.cols, f"be a multiple of 2 to {most}, the columns that "
                              f"share a multiplier of {self.dsp}", f"set it to {most * 2}")

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
    def unit(self) -> int:
        """Weight bits of one slice: each has an accumulator of its own in every PE."""
        if self.arch == "tree":
            return 2
        if self.arch != "parallel" or self.multiplier != "logic":
            return self.w_width
        narrowest = min(mode.w for mode in self.mode)
        return min(narrowest, self.slice_bits) if self.nested else narrowest

    @property
    def slices(self) -> int:
        """Accumulators of a PE."""
        return self.packing.count if self.packing else self.w_width // self.unit

    @property
    def products(self) -> int:
        """The most products of different results that a PE makes a beat."""
        if self.arch in ("parallel", "tree") and self.multiplier == "logic":
            narrowest = min(mode.w for mode in self.mode)
            return self.w_width // (min(narrowest, 4) if self.nested else narrowest)
        return 1

    def products_of(self, w: int, nest: int = FULL) -> int:
        """Results of a PE with weights of `w` bits, or with half of each weight."""
        if self.products == 1:
            return 1
        return self.w_width // (w if nest == FULL else self.slice_bits)

    def digits_of(self, w: int, nest: int = FULL) -> int:
        """Digits of a weight of `w` bits when they come one after another."""
        return 2 if nest != FULL else w // 2 + (self.w_signed != "signed")

    @property
    def positions(self) -> int:
        """Bit weights that a digit can have when digits come one after another."""
        return self.digits_of(self.w_width) if self.timed else 1

    @property
    def starts(self) -> bool:
        """Whether results can start from other values than zero."""
        return self.dataflow == "os" or self.preload

    @property
    def w_element(self) -> int:
        """Bits of the w stream for each lane of each column."""
        return HIGH_BITS * self.products if self.nested else self.w_width

    @property
    def w_low_element(self) -> int:
        """Bits of the w_low stream for each lane of each column."""
        return LOW_BITS * self.products

    def a_range(self, bits: int | None = None) -> Range:
        """Values of an activation."""
        return operand(bits or self.a_width, self.a_signed)

    @property
    def corrected_a_range(self) -> Range:
        """Values of an activation less its zero point, which is of the same form."""
        if not self.zero_points:
            return self.a_range()
        any_form = operand(self.a_width, "unsigned")
        return any_form.minus(any_form)

    def w_range(self, bits: int | None = None) -> Range:
        """Values of a weight."""
        return operand(bits or self.w_width, self.w_signed)

    @property
    def sum_range(self) -> Range:
        """Values of a result before it is added to what accumulators started from."""
        w = operand(self.w_width, "unsigned") if self.zero_points else self.w_range()
        if self.nested:
            w = Range(w.low, w.low + 256)
        if self.zero_points:
            w = w.minus(w)
        return product(self.corrected_a_range, w).times(self.max_k)

    @property
    def exact_width(self) -> int:
        """Bits of the narrowest result that no operands can overflow."""
        return width(self.sum_range) + self.preload

    @property
    def result_width(self) -> int:
        """Bits of a result."""
        return self.acc_width or self.exact_width

    @property
    def d_width(self) -> int:
        """Bits of a value that a result starts from."""
        return self.result_width - 1

    def slice_range(self, number: int) -> Range:
        """Values of one slice of a weight."""
        if self.slices == 1 or self.packing:
            return self.w_range()
        half = 1 << self.unit - 1
        top = 2 * half if self._may_be_unsigned(number) else half
        return Range(-half, top)

    def _may_be_unsigned(self, number: int) -> bool:
        """Whether a slice can be the upper of a weight without sign."""
        return self.w_signed != "signed" and any(
            (number + 1) * self.unit % mode.w == 0 for mode in self.mode)

    @property
    def slice_widths(self) -> tuple[int, ...]:
        """Bits of a PE's accumulators."""
        return tuple(width(product(self.corrected_a_range, self.slice_range(number))
                           .times(self.max_k)) for number in range(self.slices))

    @property
    def shape(self) -> PeShape:
        """What a PE is made of."""
        unsigned = self.w_signed != "signed" and not (self.timed or self.multiplier_bits)
        digits = 1 if self.timed else self.unit // 2 + unsigned
        return PeShape(a_width=self.a_bits, lanes=self.k_lanes, slices=(digits,) * self.slices,
                       acc_widths=self.slice_widths, encoding=self.encoding, unsigned=unsigned,
                       acc_form=self.acc_form, segment=SEGMENT, pipeline=self.pipeline,
                       window=self.group if self.arch == "skip" else 1, shifts=self.positions,
                       negation="column" if self.dataflow == "os" else "pe")

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

    @property
    def columns(self) -> int:
        """Columns of PEs: fewer than ``cols`` where each has the products of several."""
        return self.cols // (self.packing.count if self.packing else 1)

    @property
    def column_results(self) -> int:
        """Results that a column of PEs gives a row."""
        return self.packing.count if self.packing else self.products

    def lines_of(self, shape: PeShape) -> int:
        """Bits that bring weights, as digits mostly, to a column each cycle: where they stay,
        all digits of a weight."""
        if self.timed and self.dataflow == "ws":
            return shape.digits_width * self.positions
        if self.packing:
            return shape.lanes * self.packing.lines
        return shape.lanes * self.multiplier_bits or shape.digits_width

    @property
    def column_lines(self) -> int:
        """Bits that bring weights to a column of the array each cycle."""
        return self.lines_of(self.shape)

    @property
    def zero_shape(self) -> PeShape:
        """PEs of the column that finds sums of activations: all of a beat in one lane."""
        return replace(self.shape, a_width=self.a_bits + self.beat_k.bit_length() - 1, lanes=1,
                       window=1)

    @staticmethod
    def row_bits_of(shape: PeShape) -> int:
        """Bits that go along a row of stationary weights each cycle: activations, and the
        position of the digit in use."""
        return shape.a_bits + shape.position_bits

    @property
    def cases(self) -> tuple[tuple[int, int], ...]:
        """Bits of a weight and half used: the ways in which slices make results."""
        out = [(w, FULL) for w in sorted({mode.w for mode in self.mode})]
        return (*out, (8, DRAFT), (8, REFINE)) if self.nested else tuple(out)

    @property
    def a_widths(self) -> tuple[int, ...]:
        """Bits of an activation in the modes."""
        return tuple(sorted({mode.a for mode in self.mode}))

    @property
    def bands(self) -> int:
        """Rows that share the adders of a drain: the results of a tile take as many beats."""
        return self.rows // self.drain_adders

    @property
    def fifo_depth(self) -> int:
        """Result beats that can wait: as many as are on their way at full rate, and a tile."""
        if self.dataflow == "ws":
            return 1 << (self.drain_delay + 3).bit_length()
        return self.drain_delay + 1 + self.bands

    @property
    def reference(self) -> bool:
        """Whether PEs hold something beside products, which a reference beside them finds."""
        return self.dataflow == "os" and (not self.multiplier_bits or self.zero_points)

    @property
    def merge_stages(self) -> int:
        """Stages of a column's drain that put slices together."""
        return self.sum_stages if self.slices > 1 and not self.packing else 0

    @property
    def drained_width(self) -> int:
        """Bits of a result as it leaves its column: those that its accumulator has, if it is one
        accumulator's."""
        return self.result_width if self.merge_stages else self.slice_widths[0]

    @property
    def aligned_width(self) -> int:
        """Bits of a result when zero points are corrected."""
        return self.result_width if self.zero_points else self.drained_width

    @property
    def drain_stages(self) -> int:
        """Stages from the accumulators on a column's bus to its results."""
        return (2 if self.reference else 1) * self.sum_stages + self.merge_stages

    @property
    def drain_delay(self) -> int:
        """Cycles from the issue of a tile's last digits, or of an activation beat that meets
        stationary weights, until its first results are queued: edge registers, PEs, bus, drain,
        zero points, skew, start value."""
        if self.dataflow == "ws":
            skew = self.columns - 1 + self.rows
            sums = (self.positions > 1) + self.sum_stages * (self.preload + self.zero_points)
            return 1 + self.pipeline + skew + self.drain_stages + sums
        sums = self.sum_stages * (2 if self.zero_points else 1)  # zero points, start value
        skew = self.columns - 1 + self.rows - self.bands
        return 2 + self.pipeline + 1 + self.drain_stages + skew + sums

    @property
    def steps(self) -> int:
        """The most cycles that a beat's digits take, the initiation interval: one, a digit of
        the weight, or a digit of each weight of the group."""
        if self.arch == "skip":
            return self.group * self.positions
        return self.positions

    @property
    def latency(self) -> int:
        """Cycles from a tile's last beat to its first results at the output, nothing waiting and
        digits all at once: held, issued, summed, drained, queued."""
        return self.drain_delay + 2 + (self.positions - 1 if self.arch == "serial" else 0)

    @property
    def interval(self) -> int:
        return self.positions if self.arch == "serial" else 1

    @property
    def length_max(self) -> int:
        """Largest length in a cfg: products of a result, or activation beats of a weight tile."""
        return self.max_k if self.dataflow == "os" else (1 << LENGTH_BITS) - 1

    @property
    def length_bits(self) -> int:
        return self.length_max.bit_length()

    @property
    def mode_bits(self) -> int:
        return max(1, (len(self.modes) - 1).bit_length())

    @property
    def results(self) -> int:
        """Results of one beat."""
        return self.drain_adders * self.cols * self.products

    @property
    def row_bits(self) -> int:
        return LENGTH_BITS if self.dataflow == "ws" else max(1, (self.bands - 1).bit_length())

    @property
    def ports(self) -> tuple[Port, ...]:
        weight_stationary = self.dataflow == "ws"
        cfg = [Slice("mode", self.mode_bits, doc="precision: " + ", ".join(
            f"{number} {name}" for number, name in enumerate(self.modes)))]
        if weight_stationary:
            cfg.append(Slice("length", self.length_bits, doc="activation beats of a tile"))
        else:
            cfg += [Slice("length", self.length_bits, doc="products of a result (K)"),
                    Slice("group_len", self.length_bits,
                          doc="products of a partial result; 0: no groups")]
        cfg.append(Slice("tiles", TILE_BITS, doc="tiles of the job, one after another"))
        if self.a_signed == "runtime":
            cfg.append(Slice("a_signed", 1, doc="activations are two's complement"))
        if self.w_signed == "runtime":
            cfg.append(Slice("w_signed", 1, doc="weights are two's complement"))
        if self.nested:
            cfg.append(Slice("nest", 2, doc="0 full, 1 draft, 2 refine"))
        if self.starts:
            cfg.append(Slice("start", 2, doc="results start from: 0 zero, 1 the results before, "
                                             "2 the d stream"))
        if self.zero_points:
            cfg += [Slice("a_zero", self.a_width, doc="zero point of activations"),
                    Slice("w_zero", self.w_width, doc="zero point of weights")]
        ports: list[Port] = [
            Stream("cfg", "in", tuple(cfg), "one beat a job, taken when idle"),
            Stream("a", "in", (
                Slice("data", self.a_width, self.rows * self.beat_k,
                      doc="activations, those of a row side by side"),
                Slice("last", 1, doc="last beat of a tile")), "activations"),
            Stream("w", "in", (
                Slice("data", self.w_element, self.cols * self.beat_k,
                      doc="upper half of each weight and the bit below it" if self.nested
                      else "weights, those of a column side by side"),), "weights"),
        ]
        if self.nested:
            ports.append(Stream("w_low", "in", (
                Slice("data", self.w_low_element, self.cols * self.beat_k,
                      doc="lower half of each weight"),), "weights for full and refine"))
        if self.preload:
            ports.append(Stream("d", "in", (
                Slice("data", self.d_width, self.results, True),),
                "values that results start from, a beat for each result beat"))
        out = [Slice("data", self.result_width, self.results, True,
                     "results: rows of the beat, their columns, products of a column"),
               Slice("row", self.row_bits, doc="index of the beat in its tile")]
        if not weight_stationary:
            out.append(Slice("partial", 1, doc="more groups of this tile follow"))
        ports += [
            Stream("o", "out", (*out, Slice("last", 1, doc="last beat of the job")), "results"),
            Wire("status", "out", 4, "first error since cleared, 0 when none"),
            Wire("status_clear", "in", 1, "forget the error"),
        ]
        if self.arch == "skip":
            ports += [Wire("issued", "out", COUNT_BITS, "digits issued to columns, this job"),
                      Wire("skipped", "out", COUNT_BITS, "digits left out, this job")]
        return tuple(ports)
