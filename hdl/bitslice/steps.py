"""The weights' edge of arrays that take one digit of a weight a cycle."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .config import COUNT_BITS, BitsliceConfig
from .delays import any_of
from .job import job_layout
from .recode import DIGIT, element_digits, half_positions, positions


class Steps(Component):
    """Digits of the weights held, one position after another; lowest first.

    With ``arch = serial`` every position takes a cycle, and all lanes go together. With ``skip``
    each column goes from one digit that is not 0 to the next among the group's, and a position
    lasts until the slowest column has none left: at least a cycle, or none with ``elide``.
    Latency one cycle.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    w, w_low : In
        Digits held, as `recode.Recode` gives them; ``w_low`` only if nested.
    job : In
    go, done : In(1)
        The digits on offer are issued; they are the beat's last.
    final : Out(1)
        The digits on offer are the last of the beat.
    digits, position, index : Out
        As the array takes them; ``position`` only if there is a choice, ``index`` with skip.
    picked : Out
        Columns that are given a digit other than 0 in this cycle; only with skip.
    zero : In
        Digits of the weights' zero point; only with zero points, as the next.
    zero_digits : Out
        The one for sums of activations, once for each position.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        shape = config.shape
        held = config.cols * config.beat_k * half_positions(config) * DIGIT
        skips = config.arch == "skip"
        super().__init__({
            "w": In(held), **({"w_low": In(held)} if config.nested else {}),
            "job": In(job_layout(config)), "go": In(1), "done": In(1), "final": Out(1),
            "digits": Out(config.cols * config.column_lines),
            **({"position": Out(config.cols * shape.position_bits)} if shape.position_bits
               else {}),
            **({"index": Out(config.cols * shape.index_bits), "picked": Out(config.cols)}
               if skips else {}),
            **({"zero": In(config.positions * DIGIT), "zero_digits": Out(DIGIT)}
               if config.zero_points else {})})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        visited = Signal(config.positions)
        waiting = Signal(config.positions)
        now = Signal(config.positions)
        rest = Signal(config.positions)
        moves = Signal()  # no column has digits left at this position
        lanes = [element_digits(config, lane, self.w, self.w_low if config.nested else None,
                                self.job) for lane in range(config.cols * config.beat_k)]
        present: Value = C((1 << config.positions) - 1, config.positions)
        if config.arch == "skip":
            nonzero = [Cat(*(digit.any() for digit in lane)) for lane in lanes]
            lines = self._skip(m, lanes, nonzero, now, moves)
            if config.elide:
                present = any_of([*nonzero, self._zero_present()])
        else:
            m.d.comb += moves.eq(1)
            lines = [_select(lane, now) for lane in lanes]
        m.d.comb += [
            waiting.eq(positions(config, self.job.cases) & present & ~visited),
            now.eq(lowest(waiting)),
            rest.eq(waiting & ~now),
            self.final.eq(moves & (rest == 0)),
        ]
        with m.If(self.done):
            m.d.sync += visited.eq(0)
        with m.Elif(self.go & moves):
            m.d.sync += visited.eq(visited | now)
        if config.zero_points:
            self._zero(m, now, moves)
        edge = Signal(len(self.digits), reset_less=True)
        m.d.sync += edge.eq(Cat(*lines) & self.go.replicate(len(edge)))
        m.d.comb += self.digits.eq(edge)
        if config.shape.position_bits:
            self._position(m, now)
        return m

    def _position(self, m: Module, now: Value) -> None:
        bits = self.config.shape.position_bits
        number = Signal(bits)
        for position in range(self.config.positions):
            with m.If(now[position]):
                m.d.comb += number.eq(position)
        place = Signal(bits, reset_less=True)
        m.d.sync += place.eq(number)
        m.d.comb += self.position.eq(place.replicate(self.config.cols))

    def _zero_present(self) -> Value:
        config = self.config
        if not config.zero_points:
            return C(0, config.positions)
        return Cat(*(self.zero.word_select(position, DIGIT).any()
                     for position in range(config.positions)))

    def _zero(self, m: Module, now: Value, moves: Value) -> None:
        """The digit of the zero point at a position, in the first cycle there."""
        begun = Signal()
        with m.If(self.go):
            m.d.sync += begun.eq(~moves)
        edge = Signal(DIGIT, name="zero_edge", reset_less=True)
        digits = [self.zero.word_select(position, DIGIT)
                  for position in range(self.config.positions)]
        m.d.sync += edge.eq(_select(digits, now) & (self.go & ~begun).replicate(DIGIT))
        m.d.comb += self.zero_digits.eq(edge)

    def _skip(self, m: Module, lanes: list[list[Value]], nonzero: list[Value], now: Signal,
              moves: Signal) -> list[Value]:
        """Each column's next digit at the position `now`; drives the index."""
        config = self.config
        lines, left, indices = [], [], []
        for col in range(config.cols):
            group = slice(col * config.group, (col + 1) * config.group)
            issued = Signal(config.group, name=f"issued_{col}")
            due = Signal(config.group, name=f"due_{col}")
            pick = Signal(config.group, name=f"pick_{col}")
            m.d.comb += [
                due.eq(Cat(*((each & now).any() for each in nonzero[group])) & ~issued),
                pick.eq(lowest(due)),
            ]
            with m.If(self.go):
                m.d.sync += issued.eq(Mux(moves, 0, issued | pick))
            left.append((due & ~pick).any())
            m.d.comb += self.picked[col].eq(due.any())
            chosen = [_select(lane, now) & pick[number].replicate(DIGIT)
                      for number, lane in enumerate(lanes[group])]
            lines.append(any_of(chosen))
            index = Signal(config.shape.index_bits, name=f"index_{col}")
            for number in range(config.group):
                with m.If(pick[number]):
                    m.d.comb += index.eq(number)
            indices.append(index)
        held = Signal(len(self.index), name="index_edge", reset_less=True)
        m.d.sync += held.eq(Cat(*indices))
        m.d.comb += [moves.eq(~Cat(*left).any()), self.index.eq(held)]
        return lines


class DigitCount(Component):
    """Digits issued to the columns and left out, since the job began.

    Parameters
    ----------
    config : BitsliceConfig

    Attributes
    ----------
    picked : In
        Columns that are given a digit.
    go, done, started : In(1)
    job : In
    issued, skipped : Out
        ``issued`` counts at once, ``skipped`` with the end of each beat.
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        super().__init__({"picked": In(config.cols), "go": In(1), "done": In(1), "started": In(1),
                          "job": In(job_layout(config)), "issued": Out(COUNT_BITS),
                          "skipped": Out(COUNT_BITS)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        most = config.cols * config.group * config.positions
        columns = Signal(range(config.cols + 1))
        beat = Signal(range(most + 1))
        digits = Signal(range(most + 1))
        m.d.comb += columns.eq(sum_bits(self.picked))
        for number, (w, nest) in enumerate(config.cases):
            with m.If(self.job.cases[number]):
                m.d.comb += digits.eq(config.cols * config.group * config.digits_of(w, nest))
        with m.If(self.started):
            m.d.sync += [self.issued.eq(0), self.skipped.eq(0), beat.eq(0)]
        with m.Elif(self.go):
            m.d.sync += [self.issued.eq(self.issued + columns),
                         beat.eq(Mux(self.done, 0, beat + columns))]
            with m.If(self.done):
                m.d.sync += self.skipped.eq(self.skipped + digits - beat - columns)
        return m


def lowest(bits: Value) -> Value:
    """The lowest bit that is 1, alone."""
    return bits & (~bits + 1)[:len(bits)]


def sum_bits(bits: Value) -> Value:
    """How many bits are 1, by a balanced tree."""
    if len(bits) == 1:
        return bits
    middle = len(bits) // 2
    return sum_bits(bits[:middle]) + sum_bits(bits[middle:])


def _select(digits: list[Value], now: Value) -> Value:
    """The digit at the position `now`, one hot."""
    return any_of([digit & now[position].replicate(DIGIT)
                   for position, digit in enumerate(digits)])
