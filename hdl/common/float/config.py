"""Formats of floating-point numbers, and the rules that the parts here follow.

The parts and their golden model keep to IEEE 754 with these choices:

- One rounding, to nearest, ties to even, of the exact result. Past the largest number is
  infinity.
- A NaN result is the one canonical NaN: quiet, positive, only the top fraction bit set. Any NaN
  operand, infinity minus infinity, and infinity times zero give it.
- Zeros have signs: ``x + -x`` is +0, ``-0 + -0`` is -0, and a product has the sign of its
  operands' exclusive or.
- No exception flags.
- Subnormals ``"keep"``: gradual underflow. Subnormals ``"flush"``: a subnormal operand counts as
  the zero of its sign; a result is rounded to the precision of its format as if its exponent
  had no lower bound, and if it is then smaller than the smallest normal number, it becomes the
  zero of its sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Subnormals = Literal["keep", "flush"]


@dataclass(frozen=True)
class FloatFormat:
    """A binary format: from the top a sign, a biased exponent and a fraction.

    Attributes
    ----------
    name : str
        A part of Verilog identifiers; formats of one name are taken to be one.
    exponent_bits : int
        At least 2.
    fraction_bits : int
        At least 1.
    """

    name: str
    exponent_bits: int
    fraction_bits: int

    def __post_init__(self) -> None:
        if self.exponent_bits < 2 or self.fraction_bits < 1:
            raise ValueError(f"{self.name}: exponent_bits must be at least 2 and fraction_bits "
                             f"at least 1, not {self.exponent_bits} and {self.fraction_bits}")

    @property
    def width(self) -> int:
        """Bits of a number."""
        return 1 + self.exponent_bits + self.fraction_bits

    @property
    def precision(self) -> int:
        """Bits of a significand with the leading one."""
        return self.fraction_bits + 1

    @property
    def bias(self) -> int:
        """The exponent field of one."""
        return (1 << self.exponent_bits - 1) - 1

    @property
    def exponent_max(self) -> int:
        """The exponent field of infinity and NaN."""
        return (1 << self.exponent_bits) - 1

    @property
    def quantum_exponent(self) -> int:
        """Exponent of two of the smallest subnormal number."""
        return 1 - self.bias - self.fraction_bits

    @property
    def infinity(self) -> int:
        """Bits of positive infinity."""
        return self.exponent_max << self.fraction_bits

    @property
    def nan(self) -> int:
        """Bits of the canonical NaN."""
        return self.infinity | 1 << self.fraction_bits - 1


FP16 = FloatFormat("fp16", 5, 10)
BF16 = FloatFormat("bf16", 8, 7)
FP32 = FloatFormat("fp32", 8, 23)

FORMATS = {known.name: known for known in (FP16, BF16, FP32)}


def check_subnormals(subnormals: str) -> None:
    """Raise ValueError unless `subnormals` is one of the two ways to treat them."""
    if subnormals not in get_args(Subnormals):
        raise ValueError(f"subnormals must be keep or flush, not {subnormals}")
