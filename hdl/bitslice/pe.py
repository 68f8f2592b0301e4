"""Processing elements: digits select multiples of a, columns of adders sum them, carries stay."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .reduce import Bit, Columns, reduce
from .rows import rows
from .select import choose, partial_product, select, shift, turned
from .shape import LINES, PeShape


class _Products:
    """The partial products of a beat in columns, slice by slice, after the pipeline."""

    def __init__(self, m: Module, shape: PeShape, a: Value, digits: Value,
                 index: Value | None, position: Value | None):
        self.m, self.shape = m, shape
        self.columns: list[Columns] = [[[] for _ in range(width)] for width in shape.acc_widths]
        self.position = position
        offset = shape.negation == "column"
        if index is not None:
            a = choose(m, [a.word_select(number, shape.a_width)
                           for number in range(shape.window)], index)
        elements = [a.word_select(lane, shape.a_width) for lane in range(shape.lanes)]
        if offset:
            elements = [Cat(element[:-1], ~element[-1]) for element in elements]
        if shape.one_digit:
            self._digits(elements, digits, offset)
        else:
            for lane, element in enumerate(elements):
                self._lane(element, digits.word_select(lane, shape.lane_lines), offset)
        if shape.pipeline:
            self._register("products")
        if shape.pipeline == 2 and not shape.one_digit:
            self.columns = [reduce(m, columns, range(len(columns)), f"tree_{number}")
                            for number, columns in enumerate(self.columns)]
            self._register("rows")

    def _lane(self, a: Value, lines: Value, offset: bool) -> None:
        start = 0
        for number, columns in enumerate(self.columns):
            for digit, kind in enumerate(self.shape.kinds(number)):
                bits, one = partial_product(a, lines[start:start + LINES[kind]], kind, offset)
                start += LINES[kind]
                self._put(columns, 2 * digit, bits)
                if one is not None and not offset:
                    self._put(columns, 2 * digit, [Bit(0, one)])

    def _digits(self, elements: list[Value], lines: Value, offset: bool) -> None:
        """One digit a lane, chosen and moved; the first of two registers is before the move."""
        if offset:
            elements = [Cat(turned(element, lines[3 * lane + 2]))
                        for lane, element in enumerate(elements)]
        if self.shape.pipeline == 2:
            elements = [self._hold(element, f"element_{lane}")
                        for lane, element in enumerate(elements)]
            lines = self._hold(lines, "lines")
            if self.position is not None:
                self.position = self._hold(self.position, "place")
        for lane, element in enumerate(elements):
            one, two, negative = lines[3 * lane:3 * lane + 3]
            bits = select(element, one, two) if offset \
                else partial_product(element, Cat(one, two, negative), "booth", False)[0]
            if self.position is not None:
                bits = self._moved(bits, self.position, C(0, 1) if offset else negative, lane)
            self._put(self.columns[0], 0, bits)
            if not offset:
                self._put(self.columns[0], 0, [Bit(0, negative)])

    def _moved(self, bits: list[Bit], position: Value, below: Value, lane: int) -> list[Bit]:
        values = [bit.value for bit in bits]
        if self.shape.negation == "column":
            moved = shift(self.m, values, position, below, False, f"moved_{lane}")
        else:
            *low, top = shift(self.m, [*values[:-1], ~values[-1]], position, below, True,
                              f"moved_{lane}")
            moved = [*low, ~top]
        return [Bit(bits[0].arrival + 3 * len(position), value) for value in moved]

    @staticmethod
    def _put(columns: Columns, position: int, bits: list[Bit]) -> None:
        for column, bit in zip(columns[position:], bits, strict=False):
            column.append(bit)

    def _hold(self, value: Value, name: str) -> Signal:
        held = Signal(value.shape(), name=name, reset_less=True)
        self.m.d.sync += held.eq(value)
        return held

    def _register(self, name: str) -> None:
        for number, columns in enumerate(self.columns):
            bits = [bit.value for column in columns for bit in column]
            held = iter(self._hold(Cat(bits), f"{name}_{number}"))
            self.columns[number] = [[Bit(0, next(held)) for _ in column] for column in columns]


def _accumulate(m: Module, shape: PeShape, columns: list[Columns], previous: Value,
                following: Signal, arrival: int) -> None:
    """Drive `following` with the accumulators in `previous` plus the columns of each slice."""
    start = 0
    parts: list[Value] = []
    for number, products in enumerate(columns):
        width, places = shape.acc_widths[number], shape.carry_positions(number)
        state = previous[start:start + shape.state_bits(number)]
        start += len(state)
        if shape.acc_form == "binary":
            rows = reduce(m, products, range(width), f"slice_{number}")
            total = state
            for row in range(max(map(len, rows))):
                total = (total + Cat(column[row].value if row < len(column) else 0
                                     for column in rows))[:width]
            parts.append(total)
            continue
        bits = [list(column) for column in products]
        for position in range(width):
            bits[position].append(Bit(arrival, state[position]))
        for row, position in enumerate(places):
            bits[position].append(Bit(arrival, state[width + row]))
        rows = reduce(m, bits, places, f"slice_{number}")
        parts += [column[0].value for column in rows]
        parts += [rows[place][1].value if len(rows[place]) > 1 else 0 for place in places]
    m.d.comb += following.eq(Cat(parts))


def _ports(shape: PeShape) -> dict:
    ports = {"a": In(shape.a_bits), "digits": In(shape.digits_width)}
    if shape.index_bits:
        ports["index"] = In(shape.index_bits)
    if shape.position_bits:
        ports["position"] = In(shape.position_bits)
    return ports


class Pe(Component):
    """Output-stationary PE: its accumulators take a beat every cycle, and never stall.

    A beat whose digits are all zero adds `PeShape.bias` alone.

    Parameters
    ----------
    shape : PeShape

    Attributes
    ----------
    a : In
        Signed elements, lane by lane, or the window's.
    digits : In
        Lines of the digits; see `PeShape.digits_width`.
    index, position : In
        Which element of the window, and the digit's position; only there if there is a choice.
    first : In(1)
        The accumulators restart with this beat.
    state : Out
        The accumulators' registers, `PeShape.latency` edges after a beat with that beat in them.
    """

    def __init__(self, shape: PeShape):
        self.shape = shape
        self.part_name = f"pe_{shape.part}"
        super().__init__({**_ports(shape), "first": In(1), "state": Out(shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        products = _Products(m, shape, self.a, self.digits, getattr(self, "index", None),
                             getattr(self, "position", None))
        first: Value = self.first
        for stage in range(shape.pipeline):
            held = Signal(name=f"first_{stage}", reset_less=True)
            m.d.sync += held.eq(first)
            first = held
        accumulators = Signal(shape.state_width, reset_less=True)
        following = Signal(shape.state_width)
        m.d.sync += accumulators.eq(following)
        kept = Signal(shape.state_width)
        m.d.comb += kept.eq(accumulators & (~first).replicate(shape.state_width))
        _accumulate(m, shape, products.columns, kept, following, 1)
        m.d.comb += self.state.eq(accumulators)
        return m


class PeWs(Component):
    """Weight-stationary PE: adds a beat to the partial sums that come by.

    Parameters
    ----------
    shape : PeShape

    Attributes
    ----------
    a, digits, index, position : In
        As of `Pe`.
    psum : In
        Partial sums in the layout of the accumulators, ``pipeline`` cycles after their beat.
    total : Out
        The sums with the beat, in registers: ``latency`` edges after the beat.
    """

    def __init__(self, shape: PeShape):
        self.shape = shape
        self.part_name = f"pe_ws_{shape.part}"
        super().__init__({**_ports(shape), "psum": In(shape.state_width),
                          "total": Out(shape.state_width)})

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        products = _Products(m, shape, self.a, self.digits, getattr(self, "index", None),
                             getattr(self, "position", None))
        sums = Signal(shape.state_width, reset_less=True)
        following = Signal(shape.state_width)
        _accumulate(m, shape, products.columns, self.psum, following, 0)
        m.d.sync += sums.eq(following)
        m.d.comb += self.total.eq(sums)
        return m


class Resolve(Component):
    """The accumulators' values, their carries added. Combinational.

    Parameters
    ----------
    shape : PeShape

    Attributes
    ----------
    state : In
        As `Pe` and `PeWs` give it.
    values : Out
        Slice by slice, ``acc_width`` bits each, with the bias of every beat still inside.
    """

    def __init__(self, shape: PeShape):
        self.shape = shape
        self.part_name = f"resolve_{shape.part}"
        super().__init__({"state": In(shape.state_width), "values": Out(sum(shape.acc_widths))})

    def elaborate(self, platform):
        m = Module()
        values: list[Value] = []
        for number, width in enumerate(self.shape.acc_widths):
            sums, carries = rows(self.shape, self.state, number)
            values.append((sums + carries)[:width])
        m.d.comb += self.values.eq(Cat(values))
        return m
