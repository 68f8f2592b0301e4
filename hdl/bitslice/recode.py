"""Weights to digits that come one after another."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .config import DRAFT, FULL, HIGH_BITS, BitsliceConfig
from .encoder import SliceEncoder
from .job import job_layout
from .shape import LINES, PeShape

DIGIT = LINES["booth"]
"""Lines of a digit that can stand at any position."""


class Recode(Component):
    """All digits of the weights of a payload, before they are held. Combinational.

    Digits of either encoding are written as Booth's lines: a PE that takes one digit a cycle
    cannot tell their positions. With ``ent`` as few are not 0 as can be.

    Parameters
    ----------
    config : BitsliceConfig
    lanes : int
        Weights.
    low : bool
        The payloads are the lower halves of nested weights.

    Attributes
    ----------
    data : In
        Payload.
    job : In
    lines : Out
        For every lane the digits of `half_positions`, lowest first.
    """

    def __init__(self, config: BitsliceConfig, lanes: int, low: bool = False):
        self.config, self.lanes, self.low = config, lanes, low
        self.element = config.w_low_element if low else config.w_element
        super().__init__({"data": In(lanes * self.element), "job": In(job_layout(config)),
                          "lines": Out(lanes * half_positions(config) * DIGIT)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        lines: list[Value] = []
        for lane in range(self.lanes):
            whole = self.data.word_select(lane, self.element)
            if config.nested:
                wide = ~self.job.cases[config.cases.index((4, FULL))] \
                    if (4, FULL) in config.cases else C(1, 1)
                value, carry = (whole, C(0, 1)) if self.low else (whole[1:HIGH_BITS],
                                                                  whole[0] & wide)
                lines.append(Cat(*self._digits(m, platform, lane, 4, value, carry)))
                continue
            digits = Signal(half_positions(config) * DIGIT, name=f"digits_{lane}")
            for w, _ in config.cases:
                of_width = self._digits(m, platform, lane, w, whole[:w], C(0, 1))
                with m.If(self.job.cases[config.cases.index((w, FULL))]):
                    m.d.comb += digits.eq(Cat(*of_width))
            lines.append(digits)
        m.d.comb += self.lines.eq(Cat(*lines))
        return m

    def _digits(self, m: Module, platform: object, lane: int, w: int, value: Value,
                carry: Value) -> list[Value]:
        """The lines of the digits of a weight of `w` bits."""
        config = self.config
        unsigned = config.w_signed != "signed"
        shape = PeShape(a_width=config.a_bits, lanes=1, slices=(w // 2 + unsigned,),
                        acc_widths=(w,), encoding=config.encoding, unsigned=unsigned)
        if config.encoding == "ent":
            top = self.job.w_signed if unsigned else None
            return [Cat(each, C(0, DIGIT - len(each)))
                    for each in sparse_lines(m, value, carry, top, f"digits_{lane}_{w}")]
        encoder = SliceEncoder(shape)
        m.submodules[f"encode_{lane}_{w}"] = place(platform, encoder)
        m.d.comb += [encoder.value.eq(value), encoder.carry.eq(carry)]
        if unsigned:
            m.d.comb += encoder.unsigned.eq(~self.job.w_signed)
        out: list[Value] = []
        at = 0
        for kind in shape.kinds(0):
            lines = encoder.lines[at:at + LINES[kind]]
            at += LINES[kind]
            out.append(Cat(lines, C(0, DIGIT - len(lines))))
        return out


def sparse_lines(m: Module, value: Value, carry: Value, signed: Value | None,
                 name: str) -> list[Value]:
    """Digits of -2..2, lowest first, of which no other such digits have fewer that are not 0.

    What a pair of bits and the carry add up to goes up by 4 where it is above 2, or 2 below a
    pair that is odd: then one of the two digits becomes 0. With `signed` there is a last digit
    of one line, the carry of values that are not.
    """
    out = []
    pairs = len(value) // 2
    for number in range(pairs):
        low, high = value[2 * number:2 * number + 2]
        one = Signal(name=f"{name}_one_{number}")
        two = Signal(name=f"{name}_two_{number}")
        up = Signal(name=f"{name}_up_{number}")
        m.d.comb += [one.eq(low ^ carry), two.eq(~one & (high ^ low))]
        if number == pairs - 1:
            m.d.comb += up.eq(high)
            out.append(Cat(one, two, high & ~(low & carry)))
        else:
            m.d.comb += up.eq(high & (low | carry) | two & value[2 * number + 2])
            out.append(Cat(one, two, up & (one | two)))
        carry = up
    return out if signed is None else [*out, carry & ~signed]


def half_positions(config: BitsliceConfig) -> int:
    """Digits of what one stream brings of a weight."""
    return 2 if config.nested else config.positions


def positions(config: BitsliceConfig, cases: Value) -> Value:
    """The positions that a job's digits have, as a mask."""
    masks = []
    for number, (w, nest) in enumerate(config.cases):
        count = config.digits_of(w, nest)
        start = 2 if nest == DRAFT else 0
        mask = ((1 << count) - 1) << start
        masks.append(C(mask, config.positions) & cases[number].replicate(config.positions))
    total: Value = masks[0]
    for mask in masks[1:]:
        total = total | mask
    return total


def element_digits(config: BitsliceConfig, lane: int, high: Value, low: Value | None,
                   job: Value) -> list[Value]:
    """The digits of one lane by position, from what is held of its streams."""
    width = half_positions(config) * DIGIT
    upper = high.word_select(lane, width)
    if low is None:
        return [upper[at:at + DIGIT] for at in range(0, width, DIGIT)]
    lower = low.word_select(lane, width)
    narrow = job.cases[config.cases.index((4, FULL))] if (4, FULL) in config.cases else C(0, 1)
    halves = [Cat(*((upper[bit] & narrow) | (lower[bit] & ~narrow) for bit in range(width))),
              upper]
    return [half[at:at + DIGIT] for half in halves for at in range(0, width, DIGIT)]
