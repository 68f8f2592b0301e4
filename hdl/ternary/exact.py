"""The property that the ternary core's results are the sums that they should be."""

from __future__ import annotations

from amaranth.asserts import AnySeq
from amaranth.hdl import C, Cat, Mux, Signal, Value, signed

from pimlico.hdl.common.properties import Harness, Property

from .codes import key_weight
from .config import TernaryConfig
from .reduced import on_integers
from .shadow import JobCount, Stages
from .table import entry_digits


def exact_property(config: TernaryConfig) -> Property:
    """Of a small core of the same make, its weights given as keys."""
    small = exact_config(config)
    first, last = live_slots(small)
    return Property(
        "exact-result",
        "o's data is the sum of the tile's activations times their weights, in plain integers, "
        "and the addend, rescaled to nearest even and saturated if asked for; activations are 0 "
        f"but in columns {first} and {last}",
        small, _build, depth=small.latency + 4, induction=small.pipeline == 0,
        inputs={"a.payload": lambda: _activations(small)})


def exact_config(config: TernaryConfig) -> TernaryConfig:
    """A core of the same make with few tables, rows, bits and beats."""
    small = on_integers(
        config, keys=1, batch=1, luts=2 if config.mu < 5 else 1, n_max=6 * config.mu, m_max=2,
        weight_format="keys", out="raw" if config.out == "fp32_scaled" else config.out)
    if not config.allow_wrap:
        return small
    return TernaryConfig(**{**small.model_dump(), "allow_wrap": True,
                            "acc_width": max(2, small.sum_width)})


def live_slots(config: TernaryConfig) -> list[int]:
    """Columns of a beat whose activations are free: the first and the last, of two tables."""
    return [0, config.columns - 1]


def _activations(config: TernaryConfig) -> Value:
    bits, live = config.act_bits, live_slots(config)
    return Cat(*(AnySeq(bits) if slot in live else C(0, bits) for slot in range(config.columns)),
               AnySeq(2))


def _build(h: Harness) -> None:
    m, core, config = h.m, h.dut.component, h.config
    job, stages = JobCount(h, config), Stages(h.dut, config)
    activations = Cat(*((job.beats * config.columns + slot < job.n).replicate(config.act_bits)
                        & core.a.payload.word_select(slot, config.act_bits)
                        for slot in live_slots(config)))
    rescale = Cat(job.fields[name] for name in ("multiplier", "shift") if name in job.fields)
    tile = _hold(h, job.take, Cat(activations, rescale), "tile")
    activations, rescale = tile[:len(activations)], tile[len(activations):]
    if config.out == "int8_requant":
        loads = [*[stages.advance] * (len(stages.beats) - 1), stages.step, stages.leave[0]]
        for position, (full, beat) in enumerate([*stages.beats, *stages.tiles[:2]]):
            if position:
                rescale = _hold(h, loads[position - 1], rescale, f"rescale_{position}")
            h.require(~full | (Cat(beat.multiplier, beat.shift) == rescale),
                      f"stage {position} has its job's multiplier and shift")
    _check_tables(h, stages, activations)
    for row in range(config.keys):
        lane = core.w.payload.word_select(row, config.weight_bits)
        dots = _dots(config, activations, lane)
        _check_fetches(h, stages, row, dots)
        total = sum(dots[1:], start=dots[0])
        for position in range(len(stages.beats) - 1):
            total = _hold(h, stages.advance, total, f"dot_{row}_{position}")
        _check_partial(h, stages, row, total)
        start = (core.addend.payload.word_select(row, config.acc_width - 1).as_signed()
                 if config.addend else 0)
        acc = Signal(signed(config.acc_width), name=f"golden_{row}", reset_less=True)
        with m.If(stages.step):
            m.d.sync += acc.eq(Mux(stages.beats[-1][1].first, start, acc) + total)
        accumulator = h.dut.inside(f"column_{row}.accumulator")
        h.require(accumulator == acc, f"the accumulator of row {row} holds the sum so far")
        expected: Value = acc
        if config.out == "int8_requant":
            expected = _rescaled(h, stages, accumulator, row)
        result = core.o.payload.word_select(row, config.out_bits).as_signed()
        h.require(~core.o.valid | (result == expected), f"o.data of row {row}: the exact sum")


def _hold(h: Harness, load: Value, value: Value, name: str) -> Signal:
    """`value` when `load` was last high; like the core's data, not reset."""
    held = Signal(value.shape(), name=f"golden_{name}", reset_less=True)
    with h.m.If(load):
        h.m.d.sync += held.eq(value)
    return held


def _check_tables(h: Harness, stages: Stages, activations: Value) -> None:
    config = h.config
    live = {slot: activations.word_select(number, config.act_bits).as_signed()
            for number, slot in enumerate(live_slots(config))}
    for number in range(config.luts):
        table = h.dut.inside(f"table_{number}.entries")
        slots = range(number * config.mu, (number + 1) * config.mu)
        entries = []
        for index in range(1, config.entries + 1):
            terms = [live[slot] if digit > 0 else -live[slot]
                     for slot, digit in zip(slots, entry_digits(index, config.mu), strict=True)
                     if digit and slot in live]
            total = sum(terms[1:], start=terms[0]) if terms else C(0, 1)
            entries.append(table.word_select(index - 1, config.entry_width).as_signed() == total)
        h.require(~stages.beats[0][0] | Cat(*entries).all(), f"the sums of table {number}")


def _check_fetches(h: Harness, stages: Stages, row: int, dots: list[Value]) -> None:
    ready = stages.fetch
    for number, dot in enumerate(dots):
        fetch = f"column_{row}.fetch_{number}."
        value, negate = h.dut.inside(fetch + "value"), h.dut.inside(fetch + "negate")
        h.require(~ready | (value.as_signed() + negate == dot),
                  f"the sum that row {row} fetches from table {number}")


def _check_partial(h: Harness, stages: Stages, row: int, total: Value) -> None:
    """The partial sum, with the carry that is left over, is the beat's."""
    column = f"column_{row}."
    if h.config.adder == "compressor":
        partial, carry = h.dut.inside(column + "partial"), h.dut.inside(column + "partial_carry")
    else:
        partial = h.dut.inside(column + "partial_0")
        carry = h.dut.inside(column + "partial_carries")
    h.require(~stages.beats[-1][0] | (partial.as_signed() + carry == total),
              f"the partial sum of row {row}")


def _dots(config: TernaryConfig, activations: Value, lane: Value) -> list[Value]:
    """The sum of activations times weights of the columns of each table."""
    dots: list[Value] = [C(0, 1)] * config.luts
    for number, slot in enumerate(live_slots(config)):
        activation = activations.word_select(number, config.act_bits).as_signed()
        weight = key_weight(config, lane, slot)
        dots[slot // config.mu] += Mux(weight == 0, 0,
                                       Mux(weight < 0, -activation, activation))
    return dots


def _rescaled(h: Harness, stages: Stages, accumulator: Value, row: int) -> Value:
    """`accumulator` with its multiplier and shift, ties to even, in the output register.

    Follows the core's own accumulator and product, which are shown to be right one by one: that
    two multiplications of equal numbers are equal is hard for a solver.
    """
    to_product, to_result = stages.leave[:2]
    (_, tile), (full, beat) = stages.tiles[:2]
    product = h.dut.inside(f"results.requantize_{row}.product")
    right = _hold(h, to_product, accumulator * tile.multiplier, f"product_{row}")
    h.require(~full | (product == right), f"the product of row {row}")
    shift = beat.shift
    floor = product >> shift
    one = C(1, 32) << shift
    rest, half = product & (one - 1)[:32], (one >> 1)[:32]
    tie = (rest == half) & (shift != 0)
    rounded = floor + ((rest > half) | (tie & floor[0]))
    clipped = Mux(rounded > 127, 127, Mux(rounded < -128, -128, rounded))
    return _hold(h, to_result, clipped, f"result_{row}")
