"""PEs whose multiplier makes the products of several columns at once."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .delays import delays
from .multiplier import balanced_sum
from .packing import Packing
from .shape import PeShape


class PackedPe(Component):
    """PE of DSP blocks: one multiplication gives the products of `packing.count` columns.

    Parameters
    ----------
    shape : PeShape
        Its lanes, widths and pipeline; a binary accumulator for each column.
    packing : Packing
    w_bits : int
        Bits of a signed weight.
    passing : bool
        Weight stationary: adds to partial sums that come by, instead of accumulating.

    Attributes
    ----------
    a : In
    digits : In
        For each lane the operand of packed weights, then the low bits of each weight but the
        first that products overlap on; see `operand_lines`.
    first, state : In, Out
        As of `pe.Pe`; without `passing`.
    psum, total : In, Out
        As of `pe.PeWs`; with `passing`.
    """

    def __init__(self, shape: PeShape, packing: Packing, w_bits: int, passing: bool = False):
        self.shape, self.packing, self.w_bits, self.passing = shape, packing, w_bits, passing
        self.part_name = f"packed_{packing.count}x{w_bits}_{shape.part}" + "_ws" * passing
        state = shape.state_width
        ports = ({"psum": In(state), "total": Out(state)} if passing
                 else {"first": In(1), "state": Out(state)})
        super().__init__({"a": In(shape.a_bits),
                          "digits": In(shape.lanes * packing.lines), **ports})

    def elaborate(self, platform):
        m = Module()
        shape, packing = self.shape, self.packing
        lines = packing.lines
        sums: list[list[Value]] = [[] for _ in range(packing.count)]
        for lane in range(shape.lanes):
            products = self._products(m, lane, self.a.word_select(lane, shape.a_width),
                                      self.digits[lane * lines:(lane + 1) * lines])
            for column, product in zip(sums, products, strict=True):
                column.append(product)
        held = Signal(shape.state_width, reset_less=True)
        if self.passing:
            before = self.psum
        else:
            first = delays(m, self.first, shape.pipeline + 1, "first")[shape.pipeline]
            before = Mux(first, 0, held)
        totals = []
        for number, (width, terms) in enumerate(zip(shape.acc_widths, sums, strict=True)):
            start = sum(shape.acc_widths[:number])
            total = balanced_sum([before[start:start + width].as_signed(), *terms])
            totals.append(total[:width])
        m.d.sync += held.eq(Cat(*totals))
        m.d.comb += (self.total if self.passing else self.state).eq(held)
        return m

    def _products(self, m: Module, lane: int, a: Value, lines: Value) -> list[Value]:
        """The products of a lane, parted again, with the pipeline around the multiplier."""
        packing, stages = self.packing, self.shape.pipeline
        operand = lines[:packing.width].as_signed()
        lows = lines[packing.width:]
        if stages == 2:
            a, operand, lows = (delays(m, value, 2, f"{name}_{lane}")[1] for name, value in
                                (("a", a), ("operand", operand), ("lows", lows)))
        product = operand.as_signed() * a.as_signed()
        whole = Signal(product.shape(), name=f"whole_{lane}", reset_less=True)
        if not stages:
            m.d.comb += whole.eq(product)
        else:
            m.d.sync += whole.eq(product)
            a, lows = (delays(m, value, 2, f"{name}_with_{lane}")[1]
                       for name, value in (("a", a), ("lows", lows)))
        return part(m, packing, whole, a, lows, f"lane_{lane}")


def part(m: Module, packing: Packing, whole: Value, a: Value, lows: Value,
         name: str) -> list[Value]:
    """The products inside the product of an activation and packed weights, lowest first.

    Above the lowest `spacing` bits stand the next product and what the first has there: its
    sign, or where the two overlap the `overlap` bits that are left when the next one's lowest
    are taken away. Those depend on the lowest bits of its factors only.
    """
    spacing, overlap = packing.spacing, packing.overlap
    products: list[Value] = []
    rest = whole
    for number in range(packing.count - 1):
        above = rest[spacing:].as_signed()
        if overlap:
            low = lows.word_select(number, overlap)
            own = Signal(overlap, name=f"{name}_above_{number}")
            m.d.comb += own.eq(above[:overlap] - (low * a[:overlap])[:overlap])
        else:
            own = rest[spacing - 1:spacing]
        products.append(Cat(rest[:spacing], own if overlap else ()).as_signed())
        following = Signal(above.shape(), name=f"{name}_rest_{number}")
        m.d.comb += following.eq(above - own.as_signed())
        rest = following
    return [*products, rest]


def operand_lines(m: Module, packing: Packing, weights: list[Value], name: str) -> Value:
    """The lines of one lane, from the signed weights of the columns that share it."""
    operand = Signal(packing.width, name=name)
    m.d.comb += operand.eq(balanced_sum([
        weight << packing.spacing * number for number, weight in enumerate(weights)]))
    lows = [Cat(weight, weight[-1].replicate(packing.overlap))[:packing.overlap]
            for weight in weights[1:]]
    return Cat(operand, *lows)
