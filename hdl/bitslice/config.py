"""The bit-sliced PE array's configuration: its streams, its cycles, its status codes."""

from __future__ import annotations

from pimlico.hdl.common.ports import Field as Slice
from pimlico.hdl.common.ports import Port, Stream, Wire

from .legal import Legal
from .parameters import DRAFT, FULL, HIGH_BITS, LOW_BITS, REFINE, Mode

__all__ = [
    "BAD_FRAME", "COUNT_BITS", "DRAFT", "FULL", "HIGH_BITS", "KEEP", "LENGTH_BITS", "LOW_BITS",
    "PRELOAD", "REFINE", "STATUS", "TILE_BITS", "ZERO", "BitsliceConfig", "Mode"]

ZERO, KEEP, PRELOAD = 0, 1, 2
TILE_BITS = 16
LENGTH_BITS = 16
COUNT_BITS = 32

BAD_FRAME = 9
STATUS = {
    0: "ok",
    1: "cfg refused: length is 0",
    2: "cfg refused: length is above its maximum",
    3: "cfg refused: length is not whole beats",
    4: "cfg refused: group_len is no power of two of whole beats, or does not divide length",
    5: "cfg refused: there is no such mode",
    6: "cfg refused: tiles is 0",
    7: "cfg refused: draft and refine are of weights of 8 bits alone",
    8: "cfg refused: accumulators go on from values of one tile without groups, within max_k",
    BAD_FRAME: "a: last is not where the job's length puts it; the count was followed",
}


class BitsliceConfig(Legal):
    """Bit-sliced PE array: C = A·B, one operand taken apart into signed digits.

    A tile is ``rows`` of A by ``cols`` columns of B (``cols * products`` in narrow modes).
    Sources: arXiv 2503.06342 (bit-weight dimension of MACs: OPT1 to OPT4C), ELMoE-3D
    (arXiv 2604.14626, bit nesting), SkipOPU (arXiv 2603.14785, packing in DSP blocks), Bit
    Fusion and Gemmini (runtime precision, dataflows).
    """

    @property
    def starts(self) -> bool:
        """Whether results can start from other values than zero."""
        return self.dataflow == "os" or self.preload

    @property
    def bands(self) -> int:
        """Rows that share the adders of a drain: the results of a tile take as many beats."""
        return self.rows // self.drain_adders

    @property
    def fifo_depth(self) -> int:
        """Result beats that can wait: as many as are on their way at full rate, and those of the
        next sum."""
        return self.drain_delay + 1 + (1 if self.dataflow == "ws" else self.bands)

    @property
    def reference(self) -> bool:
        """Whether PEs hold something beside products, which a reference beside them finds."""
        return self.dataflow == "os" and (not self.multiplier_bits or self.zero_points)

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
