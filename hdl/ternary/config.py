"""Parameters of the ternary LUT GEMM core, and every number derived from them."""

from __future__ import annotations

from pimlico.hdl.common.float.config import FORMATS, FloatFormat
from pimlico.hdl.common.ports import Field, Port, Stream, Wire

from .legal import BLOCK, Legal
from .parameters import exact_width

__all__ = ["BAD_CODE", "BAD_FRAME", "BLOCK", "KEY_BITS", "MULTIPLIER_BITS", "SCALE_BITS",
           "SHIFT_BITS", "STATUS", "TAG_BITS", "TernaryConfig", "exact_width"]

KEY_BITS = {1: 2, 2: 4, 3: 5, 4: 7, 5: 8}
TAG_BITS = 4
MULTIPLIER_BITS = 16
SHIFT_BITS = 5
SCALE_BITS = 32

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


class TernaryConfig(Legal):
    """Ternary LUT GEMM: ``y = W x`` with weights in {-1, 0, +1}.

    A beat is a tile of ``luts * mu`` columns by ``keys`` rows of W. Sources: Geens et al.,
    arXiv 2604.25183 (structure), BitNet b1.58 (weights and activation quantization).
    """

    @property
    def macs(self) -> int:
        """Multiply-accumulates a beat."""
        return self.columns * self.keys * self.batch

    @property
    def entry_width(self) -> int:
        """Bits of a table entry: act bits + ceil(log2 µ); no more than act bits if floating."""
        if self.floating:
            return self.act_bits
        return self.act_bits + (self.mu - 1).bit_length()

    @property
    def key_bits(self) -> int:
        """Bits of a key: the sign above the index of the entry."""
        return KEY_BITS[self.mu]

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
    def row_tiles(self) -> int:
        """Row tiles of the largest number of rows."""
        return -(-self.m_max // self.keys)

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
        return {"raw": self.acc_width, "fp32_scaled": SCALE_BITS, "int8_requant": 8}[self.out]

    @property
    def scale_fields(self) -> tuple[Field, ...]:
        """What a job says of the scale of its results, a lane a vector."""
        if self.out == "int8_requant":
            return (Field("multiplier", MULTIPLIER_BITS, self.batch,
                          doc="y = acc * multiplier / 2**shift"),
                    Field("shift", SHIFT_BITS, self.batch))
        if self.out == "fp32_scaled":
            return (Field("scale", SCALE_BITS, self.batch, doc="fp32; y = acc * scale"),)
        return ()

    @property
    def act_float(self) -> FloatFormat:
        """Format of floating activations, table entries and partial sums."""
        return FORMATS[self.act]

    @property
    def acc_float(self) -> FloatFormat:
        """Format in which floating sums are accumulated."""
        return FORMATS["fp32"] if self.acc_format == "fp32" else self.act_float

    @property
    def addend_width(self) -> int:
        """Bits of an addend: as a sum, or one bit less, so that no sum overflows."""
        return self.acc_width - (not self.floating)

    @property
    def latency(self) -> int:
        """Cycles from an activation beat to its result: table, fetch, pipeline, accumulate,
        and two more to rescale; with a serial build, from the activations of a job of one beat
        of columns to its first result."""
        table = self.build_cycles + 1 if self.serial else 1
        return table + 2 + self.pipeline + (2 if self.out != "raw" else 0)

    @property
    def interval(self) -> int:
        """Cycles between two activation beats at full rate; with a serial build of the fewest
        rows, for the more there are the longer a beat stays. A single row tile's partial sum
        takes two cycles to come back."""
        return max(2, self.build_cycles) if self.serial else 1

    @property
    def facts(self) -> dict[str, str]:
        bits = self.keys * self.weight_bits
        return {"multiply-accumulates": f"{self.macs} a beat",
                "weights": f"{bits} bits a beat, {bits / self.macs:.3g} a multiply-accumulate"}

    @property
    def ports(self) -> tuple[Port, ...]:
        integer = not self.floating
        rows = "results, a lane a row" + ("; vector by vector" if self.batch > 1 else "")
        columns = "activations, columns in order" + (
            "; vector by vector" if self.batch > 1 else "")
        tile = "job" if self.serial else "row tile"
        cfg = (Field("n", self.n_bits, doc="row length N, 1 to n_max"),
               Field("m", self.m_bits, doc="number of rows M, 1 to m_max"),
               Field("tag", TAG_BITS, doc="returned with every result of the job"),
               *self.scale_fields)
        a = (Field("data", self.act_bits, self.columns * self.batch, integer, columns),
             Field("first", 1, doc=f"first beat of a {tile}"),
             Field("last", 1, doc=f"last beat of a {tile}"))
        w = Field("data", self.weight_bits, self.keys, doc=f"{self.weight_format}, a lane a row")
        ports: list[Port] = [
            Stream("cfg", "in", cfg, "one beat a job"),
            Stream("a", "in", a, "activations, once for all rows" if self.serial
                   else "activations, repeated for every row tile"),
            Stream("w", "in", (w,), "weights, a beat for each row tile of each activation beat"
                   if self.serial else "weights, a beat for each activation beat"),
        ]
        if self.addend:
            ports.append(Stream("addend", "in", (
                Field("data", self.addend_width, self.keys * self.batch, integer,
                      "added to the tile's results"),), "one beat a row tile"))
        ports += [
            Stream("o", "out", (
                Field("data", self.out_bits, self.keys * self.batch,
                      integer and self.out != "fp32_scaled", rows),
                Field("keep", self.keys, doc="rows that exist; 0 past the last of M"),
                Field("tag", TAG_BITS, doc="of the job"),
                Field("last", 1, doc="last beat of the job")),
                "results, one beat a row tile"),
            Wire("status", "out", 3, "first error since cleared, 0 when none"),
            Wire("status_clear", "in", 1, "forget the error"),
        ]
        return tuple(ports)
