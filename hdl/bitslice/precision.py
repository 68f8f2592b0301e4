"""Slices, digits and widths that follow from the parameters of the bit-sliced array."""

from __future__ import annotations

from dataclasses import replace

from .bounds import Range, operand, product, width
from .parameters import DRAFT, FULL, HIGH_BITS, LOW_BITS, REFINE, Parameters
from .shape import PeShape


class Precision(Parameters):
    """How weights are cut, what PEs are made of, and how wide sums must be."""

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
    def w_element(self) -> int:
        """Bits of the w stream for each lane of each column."""
        return HIGH_BITS * self.products if self.nested else self.w_width

    @property
    def w_low_element(self) -> int:
        """Bits of the w_low stream for each lane of each column."""
        return LOW_BITS * self.products

    @property
    def cases(self) -> tuple[tuple[int, int], ...]:
        """Bits of a weight and half used: the ways in which slices make results."""
        out = [(w, FULL) for w in sorted({mode.w for mode in self.mode})]
        return (*out, (8, DRAFT), (8, REFINE)) if self.nested else tuple(out)

    @property
    def a_widths(self) -> tuple[int, ...]:
        """Bits of an activation in the modes."""
        return tuple(sorted({mode.a for mode in self.mode}))

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
    def drained_width(self) -> int:
        """Bits of a result as it leaves its column: those that its accumulator has, if it is one
        accumulator's."""
        return self.result_width if self.merge_stages else self.slice_widths[0]

    @property
    def aligned_width(self) -> int:
        """Bits of a result when zero points are corrected."""
        return self.result_width if self.zero_points else self.drained_width

    @property
    def merge_stages(self) -> int:
        """Stages of a column's drain that put slices together."""
        return self.sum_stages if self.slices > 1 and not self.packing else 0

    @property
    def shape(self) -> PeShape:
        """What a PE is made of."""
        unsigned = self.w_signed != "signed" and not (self.timed or self.multiplier_bits)
        digits = 1 if self.timed else self.unit // 2 + unsigned
        return PeShape(a_width=self.a_bits, lanes=self.k_lanes, slices=(digits,) * self.slices,
                       acc_widths=self.slice_widths, encoding=self.encoding, unsigned=unsigned,
                       acc_form=self.acc_form, pipeline=self.pipeline,
                       window=self.group if self.arch == "skip" else 1, shifts=self.positions,
                       negation="column" if self.dataflow == "os" else "pe")

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
