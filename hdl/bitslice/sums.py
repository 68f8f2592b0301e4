"""The property that PEs hold the sums that they should."""

from __future__ import annotations

from typing import NamedTuple

from amaranth.hdl import Array, C, Cat, Mux, Signal, Value, signed

from pimlico.hdl.common.properties import Harness

from .account import held_job
from .config import DRAFT, FULL, REFINE, BitsliceConfig
from .rows import rows
from .shape import LINES, Kind, PeShape


def sums_config(config: BitsliceConfig, max_k: int) -> BitsliceConfig:
    """One PE of the same make for narrow operands and sums of so many products."""
    nested = config.nested
    form = config.acc_form if config.multiplier == "logic" else "carry_save"
    return BitsliceConfig(**{
        **config.model_dump(exclude={"acc_width"}), "rows": 1, "cols": 1, "drain_adders": 1,
        "a_width": 4, "w_width": 8 if nested else 4, "modes": ("w8a4",) if nested else ("w4a4",),
        "k_lanes": 1, "group": 2, "max_k": max_k, "pipeline": 0, "zero_points": False,
        "multiplier": "logic", "acc_form": form})


def exact_sums(h: Harness) -> None:
    """Sums in plain integers beside the PE's."""
    if h.config.dataflow == "ws":
        _passing(h)
    else:
        _standing(h)


def _standing(h: Harness) -> None:
    """An output-stationary PE holds, beside what its reference holds, the sum since `first`."""
    m, config, inside = h.m, h.config, h.dut.inside
    shape = config.shape
    first = inside("first")
    begun = Signal(name="sum_begun")
    with m.If(first):
        m.d.sync += begun.eq(1)
    if config.timed:
        _held_digits(h)
    cell, beside = "columns.column_0.cell_0.pe.", "columns.column_0.reference.pe."
    for number, (width, product) in enumerate(zip(shape.acc_widths, _issued(h), strict=True)):
        exact = Signal(width, name=f"exact_{number}", reset_less=True)
        m.d.sync += exact.eq(Mux(first, 0, exact) + product)
        if config.multiplier_bits:
            held: Value = inside(cell + "accumulator")
        else:
            held = (_resolved(shape, inside(cell + "accumulators"), number)
                    - _resolved(shape, inside(beside + "accumulators"), number))
        h.require(~begun | (held[:width] == exact), f"slice {number} holds the sum")


def _issued(h: Harness) -> list[Value]:
    """The products of the digits at the array's edge, slice by slice."""
    config, inside = h.config, h.dut.inside
    shape = config.shape
    a = inside("activations.edge")
    if shape.window > 1:
        a = Array(a.word_select(number, shape.a_width) for number in range(shape.window))[
            inside("weights.index_edge")]
    a = a.as_signed()
    lines = inside("weights.edge")
    if config.multiplier_bits:
        return [a * lines.as_signed()]
    out = []
    for digits in _digits(shape, lines):
        total: Value = C(0, 1)
        for place, digit in digits:
            h.require(digit.legal, "a digit has one value")
            total = total + (digit.times(a) << place)
        out.append(total << Cat(C(0, 1), inside("weights.place")) if config.timed else total)
    return out


def within_bounds(h: Harness) -> None:
    """Sums in plain integers, wide enough for anything, stay within an accumulator's range."""
    m, config, inside = h.m, h.config, h.dut.inside
    shape = config.shape
    first, lines = inside("first"), inside("weights.edge")
    a = inside("activations.edge").as_signed()
    begun = Signal(name="sum_begun")
    with m.If(first):
        m.d.sync += begun.eq(1)
    beats = h.past(_beats(h))
    issued = Signal(name="issued", reset_less=True)
    m.d.sync += issued.eq(inside("sequencer.go"))
    h.require(~first | issued, "a sum begins with digits issued")
    h.require(first == h.past(inside("sequencer.first")), "which the sequencer calls the first")
    values = [lines.as_signed()] if config.multiplier_bits else [
        sum((digit.value << place for place, digit in digits), start=C(0, 1))
        for digits in _digits(shape, lines)]
    lowest_a, highest_a = config.a_range()
    h.require(~issued | ((a >= lowest_a) & (a <= highest_a)), "an activation is within its range")
    for number, (width, value) in enumerate(zip(shape.acc_widths, values, strict=True)):
        low, high = config.slice_range(number)
        most = max(-lowest_a, highest_a) * max(-low, high)
        half = 1 << width - 1
        h.require(~issued | ((value >= low) & (value <= high)), f"slice {number} is of a weight")
        h.require(issued | (value == 0), f"slice {number} is 0 when nothing is issued")
        exact = Signal(signed(width + 3), name=f"exact_{number}")
        m.d.sync += exact.eq(Mux(first, 0, exact) + a * value)
        h.require(~begun | ((exact >= -most * beats) & (exact <= most * beats)),
                  f"slice {number} is within the products of its beats")
        h.require(~begun | ((exact >= -half) & (exact < half)), f"slice {number} does not overflow")


def _held_digits(h: Harness) -> None:
    """Digits that wait to be issued are some."""
    config = h.config
    if config.nested:
        job = held_job(h)
        full_case, draft, refine = (job.cases[config.cases.index((8, nest))]
                                    for nest in (FULL, DRAFT, REFINE))
        busy = h.dut.inside("sequencer.busy")
        reads = ((job.reads_w == ~refine) & (job.reads_low == ~draft)
                 & ((full_case ^ draft ^ refine) & ~(full_case & draft & refine)))
        code = h.dut.inside("sequencer.desk.code")
        judged = h.dut.inside("sequencer.desk.judged")
        h.require(~busy | reads, "a job reads the halves that it uses")
        h.require(~judged | (code != 0) | reads, "from the start")
        h.require(~(judged | h.dut.inside("sequencer.desk.asked")) | ~busy,
                  "jobs are judged one by one")
    for name in ("w", "w_low") if config.nested else ("w",):
        full = h.dut.inside(f"operand_{name}.full")
        held = h.dut.inside(f"operand_{name}.beat")
        for at in range(0, len(held), LINES["booth"]):
            one, two, minus = held[at:at + LINES["booth"]]
            h.require(~full | (~(one & two) & (~minus | one | two)), "a digit held has one value")


def _beats(h: Harness) -> Value:
    """Beats of the sum whose digits were issued last; never more than max_k."""
    m, config, inside = h.m, h.config, h.dut.inside
    busy, fresh = inside("sequencer.busy"), inside("sequencer.fresh")
    go, last = inside("sequencer.go"), inside("sequencer.last")
    job, group_left = held_job(h), inside("sequencer.group_left")
    beats = Signal(config.length_bits + 1, name="beats_of_sum")
    m.d.sync += beats.eq(Mux(go & fresh, 0, beats) + go)
    since = Signal(config.length_bits + 1, name="beats_since")
    with m.If(go):
        m.d.sync += since.eq(Mux(last, 0, since + 1))
    with m.If(inside("sequencer.started")):
        m.d.sync += since.eq(0)
    h.require(beats <= config.max_k, "a sum has max_k products at most")
    h.require(~busy | (fresh == (since == 0)), "a sum begins fresh")
    h.require(~busy | fresh | (beats == since), "its beats are counted")
    h.require(~busy | (since + group_left == job.group), "beats done and left are the group's")
    h.require(~busy | (group_left != 0), "a group has a beat left")
    h.require(~busy | (job.group <= config.max_k), "a group is max_k long at most")
    code = inside("sequencer.desk.code")
    asked, judged = inside("sequencer.desk.asked"), inside("sequencer.desk.judged")
    h.require(~judged | (code != 0) | ((job.group <= config.max_k) & (job.group != 0)),
              "longer sums are refused")
    h.require(~(judged | asked) | ~busy, "jobs are judged one by one")
    h.require(~busy | job.cases.any(), "a job is in a mode that there is")
    h.require(~judged | (code != 0) | job.cases.any(), "from the start")
    for held, sign in ((job.a_signed, config.a_signed), (job.w_signed, config.w_signed)):
        if sign != "runtime":
            h.require(~(judged | busy) | (held == (sign == "signed")),
                      "operands have the form that the configuration gives them")
    return beats


def _passing(h: Harness) -> None:
    """A weight-stationary PE adds its product to what comes by, and its bias."""
    config, inside = h.config, h.dut.inside
    shape = config.shape
    cell = "columns.column_0.cell_0."
    lines, a = inside(cell + "weights"), inside("activations.edge").as_signed()
    started = h.past(C(1))
    if config.multiplier_bits:
        total = inside(cell + "pe.total")
        product = h.past((a * lines.as_signed())[:len(total)])
        h.require(~started | (total == product.as_signed()), "the product is exact")
        return
    state = inside(cell + "pe.sums")
    for number, digits in enumerate(_digits(shape, lines)):
        width = shape.acc_widths[number]
        sums: Value = C(0, 1)
        legal: Value = C(1, 1)
        for place, digit in digits:
            sums = sums + (digit.times(a) << place)
            legal = legal & digit.legal
        product = h.past((sums + shape.bias(number))[:width])
        h.require(~(started & h.past(legal)) | (_resolved(shape, state, number) == product),
                  f"slice {number} is the product of weights and activations")


class _Digit(NamedTuple):
    """A digit by its lines: its value, a multiple of it, and whether they stand for one."""

    kind: Kind
    lines: Value

    @property
    def legal(self) -> Value:
        if self.kind == "unit":
            return C(1, 1)
        one, two, minus = self.lines
        if self.kind == "ent":
            return ~((one & two) | (one & minus) | (two & minus))
        return ~(one & two) & (~minus | one | two)

    @property
    def value(self) -> Value:
        return self.times(C(1, signed(2)))

    def times(self, a: Value) -> Value:
        if self.kind == "unit":
            return Mux(self.lines[0], a, 0)
        one, two, minus = self.lines
        if self.kind == "ent":
            return Mux(one, a, Mux(two, a << 1, Mux(minus, -a, 0)))
        size = Mux(one, a, Mux(two, a << 1, 0))
        return Mux(minus, -size, size)


def _digits(shape: PeShape, lines: Value) -> list[list[tuple[int, _Digit]]]:
    """The digits of each slice, with their places."""
    out: list[list[tuple[int, _Digit]]] = []
    at = 0
    for number in range(len(shape.slices)):
        digits = []
        for place, kind in enumerate(shape.kinds(number)):
            digits.append((2 * place, _Digit(kind, lines[at:at + LINES[kind]])))
            at += LINES[kind]
        out.append(digits)
    return out


def _resolved(shape: PeShape, state: Value, number: int) -> Value:
    """A slice's sums and carries, added."""
    sums, carries = rows(shape, state, number)
    return (sums + carries)[:shape.acc_widths[number]]
