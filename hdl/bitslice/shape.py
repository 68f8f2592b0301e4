"""What a processing element is made of: its digits, its accumulators, their layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Encoding = Literal["booth4", "ent"]
Form = Literal["binary", "carry_save", "segmented"]
Kind = Literal["booth", "ent", "unit"]

LINES: dict[Kind, int] = {"booth": 3, "ent": 3, "unit": 1}
"""Lines of a digit: one, two, negative; plus one, plus two, minus one; one."""


@dataclass(frozen=True)
class PeShape:
    """A processing element: sums of signed elements times slices of weights, digit by digit.

    A weight is cut into slices, each a number of radix-4 digits; every slice has an accumulator
    of its own. Digits come as lines (`LINES`), all low for a digit of zero.

    Parameters
    ----------
    a_width : int
        Bits of a signed element of a.
    lanes : int
        Products summed a beat.
    slices : tuple of int
        Digits of each slice, the least significant slice first.
    acc_widths : tuple of int
        Bits of each slice's accumulator.
    encoding : {"booth4", "ent"}
        Digits -2..2; or -1..2, the topmost of a signed slice also -2.
    unsigned : bool
        The last digit of each slice is 0 or 1: for weights that are unsigned, maybe at run time.
    acc_form : {"binary", "carry_save", "segmented"}
        Where carries stay: nowhere, in every column, in every `segment`-th column.
    segment : int
        Columns from one carry to the next of a segmented accumulator; three times as many above the
        products, where only carries arrive.
    pipeline : int
        Stages of registers before the accumulator's: 1 after the selection of digits; 2 also
        inside the reduction or, with a window or shifts, before the selection.
    window : int
        Elements of a that the index chooses among.
    shifts : int
        Positions of a digit: it weighs ``4**position``.
    negation : {"pe", "column"}
        Who completes negated multiples and signs: the PE, or whoever subtracts what a PE with
        the same digits and only zeros for a has got. Every PE of a column has the same to
        subtract, and the column's own PE of zeros is all but nothing.

    Raises
    ------
    ValueError
        If the parameters do not fit together.
    """

    a_width: int
    lanes: int
    slices: tuple[int, ...]
    acc_widths: tuple[int, ...]
    encoding: Encoding = "booth4"
    unsigned: bool = False
    acc_form: Form = "carry_save"
    segment: int = 2
    pipeline: int = 0
    window: int = 1
    shifts: int = 1
    negation: Literal["pe", "column"] = "pe"

    def __post_init__(self) -> None:
        if len(self.acc_widths) != len(self.slices):
            raise ValueError(f"acc_widths must be {len(self.slices)} widths, one a slice, "
                             f"not {self.acc_widths}")
        if self.unsigned and min(self.slices) < 2:
            raise ValueError(f"slices must have 2 digits or more to be unsigned, not {self.slices}")
        if (self.window > 1 or self.shifts > 1) and self.slices != (1,):
            raise ValueError("a window or shifts must come with slices of one digit, (1,), "
                             f"not {self.slices}")
        if self.window > 1 and self.lanes > 1:
            raise ValueError(f"lanes must be 1 with a window, not {self.lanes}")

    @property
    def part(self) -> str:
        """A name for this shape, made of all its parameters."""
        form = self.acc_form + (f"{self.segment}" if self.acc_form == "segmented" else "")
        extras = [f"x{self.lanes}"] if self.lanes > 1 else []
        extras += [f"w{self.window}"] if self.window > 1 else []
        extras += [f"s{self.shifts}"] if self.shifts > 1 else []
        extras += [f"p{self.pipeline}"] if self.pipeline else []
        extras += ["u"] if self.unsigned else []
        extras += ["n"] if self.negation == "column" else []
        return "_".join([f"a{self.a_width}", *extras, self.encoding,
                         *(f"{digits}d{width}" for digits, width in
                           zip(self.slices, self.acc_widths, strict=True)), form])

    def kinds(self, slice_: int) -> tuple[Kind, ...]:
        """The kind of each digit of a slice, the least significant first."""
        signed = self.slices[slice_] - self.unsigned
        low: Kind = "ent" if self.encoding == "ent" else "booth"
        return (*(low,) * (signed - 1), "booth", *(("unit",) if self.unsigned else ()))

    def slice_lines(self, slice_: int) -> int:
        """Lines of a slice's digits."""
        return sum(LINES[kind] for kind in self.kinds(slice_))

    @property
    def lane_lines(self) -> int:
        """Lines of one lane's digits."""
        return sum(map(self.slice_lines, range(len(self.slices))))

    @property
    def digits_width(self) -> int:
        """Lines of all digits: lane by lane, in a lane slice by slice."""
        return self.lanes * self.lane_lines

    @property
    def a_bits(self) -> int:
        """Bits of all elements of a: lane by lane, or the window's in order."""
        return self.lanes * self.window * self.a_width

    @property
    def index_bits(self) -> int:
        """Bits of the number of an element in the window."""
        return (self.window - 1).bit_length()

    @property
    def position_bits(self) -> int:
        """Bits of a digit's position."""
        return (self.shifts - 1).bit_length()

    @property
    def one_digit(self) -> bool:
        """Whether digits come one after another, with an index or a position."""
        return self.window > 1 or self.shifts > 1

    def carry_positions(self, slice_: int) -> tuple[int, ...]:
        """The columns in which a slice's accumulator holds a carry beside its sum."""
        width = self.acc_widths[slice_]
        if self.acc_form == "binary":
            return ()
        if self.acc_form == "carry_save":
            return tuple(range(1, width))
        reach = self.a_width + 2 * (self.slices[slice_] + self.shifts - 1)
        places = list(range(max(self.segment - 1, 1), min(reach, width), self.segment))
        return (*places, *range(places[-1] + 3 * self.segment, width, 3 * self.segment))

    def state_bits(self, slice_: int) -> int:
        """Bits of a slice's accumulator: its sum, then the carries of `carry_positions`."""
        return self.acc_widths[slice_] + len(self.carry_positions(slice_))

    @property
    def state_width(self) -> int:
        """Bits of all accumulators, slice by slice."""
        return sum(map(self.state_bits, range(len(self.slices))))

    def bias(self, slice_: int) -> int:
        """What every beat adds to a slice beside its products, modulo ``2**acc_width``.

        A partial product's sign bit, worth ``-2**top``, is added inverted, worth ``+2**top``.
        With negation in the column, there is no such constant: a beat of zero digits adds nothing.
        """
        if self.negation == "column":
            return 0
        shift = 2 * ((1 << self.position_bits) - 1)  # the farthest that a position could say
        total = sum(1 << self.a_width - (kind == "unit") + shift + 2 * digit
                    for digit, kind in enumerate(self.kinds(slice_)))
        return self.lanes * total % (1 << self.acc_widths[slice_])

    @property
    def latency(self) -> int:
        """Clock edges from a beat to the state that contains it."""
        return 1 + self.pipeline
