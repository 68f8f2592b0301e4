"""Floating-point numbers as a sign and an exact magnitude, "inf" or "nan"."""

from fractions import Fraction


def decode(bits, kind, subnormals):
    """Sign, and the exact magnitude or "inf" or "nan"."""
    sign, magnitude = divmod(bits, 1 << kind.width - 1)
    exponent, fraction = divmod(magnitude, 1 << kind.fraction_bits)
    if exponent == kind.exponent_max:
        return sign, "nan" if fraction else "inf"
    if exponent == 0:
        return sign, fraction * Fraction(2)**kind.quantum_exponent * (subnormals == "keep")
    return sign, ((1 << kind.fraction_bits) + fraction) \
        * Fraction(2)**(kind.quantum_exponent + exponent - 1)


def encode(sign, magnitude, kind, subnormals):
    """The bits nearest to an exact magnitude."""
    if magnitude == "nan":
        return kind.nan
    high = sign << kind.width - 1
    if magnitude == "inf":
        return high | kind.infinity
    if magnitude == 0:
        return high
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    exponent -= magnitude < Fraction(2)**exponent
    quantum = exponent - kind.fraction_bits
    if subnormals == "keep":
        quantum = max(quantum, kind.quantum_exponent)
    steps = round(magnitude / Fraction(2)**quantum)  # ties to even
    rounded = steps * Fraction(2)**quantum
    if rounded < Fraction(2)**(1 - kind.bias):
        return high | (0 if subnormals == "flush"
                       else int(rounded / Fraction(2)**kind.quantum_exponent))
    if rounded >= Fraction(2)**(kind.bias + 1):
        return high | kind.infinity
    if steps == 2 << kind.fraction_bits:
        steps, quantum = steps // 2, quantum + 1
    return high | (quantum - kind.quantum_exponent << kind.fraction_bits) + steps


def exact_sum(x, y):
    (sign, a), (other, b) = x, y
    if "nan" in (a, b):
        return 0, "nan"
    if "inf" in (a, b):
        if a == b:
            return (sign, "inf") if sign == other else (0, "nan")
        return (sign, "inf") if a == "inf" else (other, "inf")
    total = (-a if sign else a) + (-b if other else b)
    if total == 0:
        return (sign & other if a == 0 or sign == other else 0), Fraction(0)
    return int(total < 0), abs(total)


def exact_product(x, y):
    (sign, a), (other, b) = x, y
    if "nan" in (a, b) or ("inf" in (a, b) and 0 in (a, b)):
        return 0, "nan"
    return sign ^ other, "inf" if "inf" in (a, b) else a * b
