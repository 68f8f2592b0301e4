"""The weights' edge of arrays that take all digits of a weight at once."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.parts import place

from .config import DRAFT, FULL, HIGH_BITS, LOW_BITS, REFINE, BitsliceConfig
from .encoder import SliceEncoder
from .extend import extend
from .job import job_layout
from .packed import operand_lines
from .shape import PeShape


class Weights(Component):
    """Slices of the weights of a beat, as digits, all 0 unless issued. Latency one cycle.

    Encoders stand here once a column, not in the PEs. In which slices a weight lies, and so
    where a slice looks at the bit below it, depends on the job.

    Parameters
    ----------
    config : BitsliceConfig
    shape : PeShape
        Of the columns' PEs.
    cols : int

    Attributes
    ----------
    w, w_low : In
        Payloads held; ``w_low`` only if nested.
    job : In
    go : In(1)
    digits : Out
        As the array takes them.
    """

    def __init__(self, config: BitsliceConfig, shape: PeShape, cols: int):
        self.config, self.shape = config, shape
        self.lanes = lanes = config.k_lanes * config.cols if config.packing else cols * shape.lanes
        low = {"w_low": In(lanes * config.w_low_element)} if config.nested else {}
        super().__init__({"w": In(lanes * config.w_element), **low, "job": In(job_layout(config)),
                          "go": In(1), "digits": Out(cols * config.lines_of(shape))})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        edge = Signal(len(self.digits), reset_less=True)
        lines = self._packed(m) if config.packing else self._lines(m, platform)
        m.d.sync += edge.eq(Cat(*lines) & self.go.replicate(len(edge)))
        m.d.comb += self.digits.eq(edge)
        return m

    def _lines(self, m: Module, platform: object) -> list[Value]:
        config = self.config
        lines: list[Value] = []
        for lane in range(self.lanes):
            whole = self.w.word_select(lane, config.w_element)
            if config.multiplier_bits:
                lines.append(self._whole(m, lane))
                continue
            low = self.w_low.word_select(lane, config.w_low_element) if config.nested else whole
            for number in range(config.slices):
                encoder = SliceEncoder(self.shape, number)
                m.submodules[f"encode_{lane}_{number}"] = place(platform, encoder)
                value, carry = (self._half(m, lane, number, whole, low) if config.nested
                                else self._cut(number, whole))
                m.d.comb += [encoder.value.eq(value), encoder.carry.eq(carry)]
                if self.shape.unsigned:
                    m.d.comb += encoder.unsigned.eq(~self.job.w_signed & self._top(number))
                lines.append(encoder.lines)
        return lines

    def _packed(self, m: Module) -> list[Value]:
        """For each lane of a column of PEs, the weights of all columns that share it."""
        config, packing = self.config, self.config.packing
        assert packing is not None
        return [operand_lines(m, packing, [
            self._whole(m, (column * packing.count + number) * config.k_lanes + lane).as_signed()
            for number in range(packing.count)], f"operand_{column}_{lane}")
            for column in range(config.columns) for lane in range(config.k_lanes)]

    def _whole(self, m: Module, lane: int) -> Value:
        """A weight as plain multipliers take it."""
        config = self.config
        return extend(m, self.w.word_select(lane, config.w_element),
                      [w for w, _ in config.cases], self.job.cases, self.job.w_signed,
                      config.multiplier_bits, f"weight_{lane}")

    def _case(self, w: int, nest: int = FULL) -> Value:
        return self.job.cases[self.config.cases.index((w, nest))]

    def _cut(self, number: int, whole: Value) -> tuple[Value, Value]:
        """A slice of an element, and the bit below it within its weight."""
        unit, at = self.config.unit, number * self.config.unit
        inside = [self._case(w) for w, _ in self.config.cases if at % w]
        below = whole[at - 1] & Cat(*inside).any() if inside else C(0, 1)
        return whole[at:at + unit], below

    def _top(self, number: int) -> Value:
        """Whether a slice is the upper of its weight."""
        end = (number + 1) * self.config.unit
        tops = [self._case(w) for w, _ in self.config.cases if end % w == 0]
        return Cat(*tops).any() if tops else C(0, 1)

    def _half(self, m: Module, lane: int, number: int, high: Value,
              low: Value) -> tuple[Value, Value]:
        """What a slice of a nested weight is: slice 1 the upper half in full, slices of two
        weights' halves in draft and refine."""
        value = Signal(LOW_BITS, name=f"half_{lane}_{number}")
        carry = Signal(name=f"below_{lane}_{number}")
        upper = [high.word_select(which, HIGH_BITS) for which in range(2)]
        lower = [low.word_select(which, LOW_BITS) for which in range(2)]
        use = upper[0] if number else None
        with m.If(self._case(8, FULL)):
            if use is None:
                m.d.comb += value.eq(lower[0])
            else:
                m.d.comb += [value.eq(use[1:]), carry.eq(use[0])]
        with m.Elif(self._case(8, REFINE)):
            m.d.comb += value.eq(lower[number])
        with m.Else():
            m.d.comb += [value.eq(upper[number][1:]),
                         carry.eq(upper[number][0] & self._case(8, DRAFT))]
        return value, carry
