"""The property that the ternary core's results are the sums that they should be."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.asserts import AnySeq
from amaranth.hdl import Array, C, Cat, Mux, Signal, Value, signed

from pimlico.hdl.common.properties import Harness, Property

from .config import BLOCK, MULTIPLIER_BITS, TernaryConfig
from .shadow import JobCount, Stages
from .table import entry_digits

ROWS = 2
FREE_MULTIPLIER_BITS = 3
BLOCK_COLUMNS = {"tq1_0": 120, "tq2_0": 64}


def exact_property(config: TernaryConfig) -> Property:
    """Bounded: from power-up, whole tiles of a small core of the same make."""
    small = exact_config(config)
    beats = small.tile_beats(small.n_max)
    limits = ["first tile beats after power-up only"]
    if small.block_format:
        limits.append(f"activations are 0 but in columns {', '.join(map(str, live_slots(small)))}")
    if small.out == "int8_requant":
        limits.append(f"multipliers below {1 << FREE_MULTIPLIER_BITS}")
    return Property(
        "exact-result",
        "o's data is the sum of the tile's activations times their weights, in plain integers, "
        f"and the addend, rescaled if asked for ({'; '.join(limits)})",
        small, _build, depth=small.latency + beats + 2, induction=small.pipeline == 0,
        inputs=_inputs(small))


def exact_config(config: TernaryConfig) -> TernaryConfig:
    """A core of the same make with few tables, rows and beats."""
    luts = {"base3x5": 1 if config.mu == 5 else 5}.get(config.weight_format, 2)
    if config.block_format:
        luts = BLOCK_COLUMNS[config.weight_format] // config.mu
    n_max = BLOCK if config.block_format else 3 * luts * config.mu
    given = config.model_dump(exclude={"acc_width"})
    small = TernaryConfig(**{**given, "luts": luts, "keys": ROWS, "n_max": n_max,
                             "m_max": 2 * ROWS, "allow_wrap": False})
    if not config.allow_wrap:
        return small
    return TernaryConfig(**{**small.model_dump(), "allow_wrap": True,
                            "acc_width": max(2, small.sum_width)})


def live_slots(config: TernaryConfig) -> list[int]:
    """Columns of a beat whose activations are free."""
    every = config.columns
    return [0, 4, every - 1] if config.block_format else list(range(every))


def _inputs(config: TernaryConfig) -> dict[str, Callable[[], Value]]:
    inputs: dict[str, Callable[[], Value]] = {}
    if config.block_format:
        live = live_slots(config)
        bits = config.act_bits
        inputs["a.payload"] = lambda: Cat(
            *(AnySeq(bits) if slot in live else C(0, bits) for slot in range(config.columns)),
            AnySeq(2))
    if config.out == "int8_requant":
        port = next(port for port in config.ports if port.name == "cfg")
        start, end = port.offset("multiplier"), port.offset("shift")
        inputs["cfg.payload"] = lambda: Cat(
            AnySeq(start + FREE_MULTIPLIER_BITS), C(0, end - start - FREE_MULTIPLIER_BITS),
            AnySeq(port.width - end))
    return inputs


def _build(h: Harness) -> None:
    m, core, config = h.m, h.dut.component, h.config
    job, stages = JobCount(h, config), Stages(h.dut, config)
    activations = Cat(*(_used(config, job, slot).replicate(config.act_bits)
                        & core.a.payload.word_select(slot, config.act_bits)
                        for slot in live_slots(config)))
    rescale = Cat(job.fields[name] for name in ("multiplier", "shift") if name in job.fields)
    tile = _hold(h, job.take, Cat(activations, rescale), "tile")
    activations, rescale = tile[:len(activations)], tile[len(activations):]
    weights = core.w.payload
    if config.decode_stage:
        weights = _hold(h, core.w.valid & core.w.ready, weights, "weights")
    for position in range(len(stages.beats) - 1):
        rescale = _hold(h, stages.advance, rescale, f"rescale_{position}")
    rescale = _hold(h, stages.step, rescale, "rescale_acc")
    _check_tables(h, stages, activations)
    for row in range(config.keys):
        lane = weights.word_select(row, config.weight_bits)
        if config.decode_stage:
            _check_keys(h, row, lane)
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
        expected: Value = acc
        if config.out == "int8_requant":
            expected = _rescaled(h, stages, rescale, acc, row)
        else:
            h.require(h.dut.inside(f"column_{row}.accumulator") == acc,
                      f"the accumulator of row {row} holds the sum so far")
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


def _check_keys(h: Harness, row: int, lane: Value) -> None:
    config = h.config
    keys = h.dut.inside("weights.decoded").word_select(row, config.luts * config.key_bits)
    same = [_key_weight(config, keys, slot) == _weight(config, lane, slot)
            for slot in live_slots(config)]
    h.require(~h.dut.inside("weights.valid") | Cat(*same).all(),
              f"the keys of row {row} stand for its weights")


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


def _used(config: TernaryConfig, job: JobCount, slot: int) -> Value:
    """Whether a column of the next beat is one of the job's n."""
    if not config.block_format:
        return job.beats * config.columns + slot < job.n
    if config.weight_format == "tq2_0":
        return C(1, 1)
    # 240 weights as five digits a byte, then 16 as four digits in each of four bytes
    byte = (job.beats * config.columns + slot - slot % 5 - 240)
    return (byte < 0) | ((byte < 20) & (slot % 5 < 4))


def _dots(config: TernaryConfig, activations: Value, lane: Value) -> list[Value]:
    """The sum of activations times weights of the columns of each table."""
    dots: list[Value] = [C(0, 1)] * config.luts
    for number, slot in enumerate(live_slots(config)):
        activation = activations.word_select(number, config.act_bits).as_signed()
        weight = _weight(config, lane, slot)
        dots[slot // config.mu] += Mux(weight == 0, 0,
                                       Mux(weight < 0, -activation, activation))
    return dots


def _weight(config: TernaryConfig, lane: Value, slot: int) -> Value:
    """The weight of a column, looked up in a table of the format's codes."""
    if config.weight_format == "keys":
        return _key_weight(config, lane, slot)
    if config.weight_format in ("two_bit", "tq2_0"):
        return _look_up([-1, 0, 1, 0], lane.word_select(slot, 2))
    byte, digit = lane.word_select(slot // 5, 8), slot % 5
    if config.weight_format == "base3x5":
        trits = [code // 3**(4 - digit) % 3 - 1 for code in range(243)] + [0] * 13
    else:
        trits = [(code * 3**digit % 256 * 3 >> 8) - 1 for code in range(256)]
    return _look_up(trits, byte)


def _key_weight(config: TernaryConfig, keys: Value, slot: int) -> Value:
    table, digit = divmod(slot, config.mu)
    half = 1 << config.key_bits - 1
    trits = [entry_digits(index, config.mu)[digit] if index <= config.entries else 0
             for index in range(half)]
    trits += [-trit for trit in trits]
    return _look_up(trits, keys.word_select(table, config.key_bits))


def _look_up(trits: list[int], code: Value) -> Value:
    return Array([C(trit, signed(2)) for trit in trits])[code]


def _rescaled(h: Harness, stages: Stages, rescale: Value, acc: Value, row: int) -> Value:
    """The result of `acc` with its multiplier and shift, ties to even, in the output register."""
    to_product, to_result = stages.leave[:2]
    acc = _hold(h, to_product, acc, f"product_{row}")
    rescale = _hold(h, to_product, rescale, f"rescale_product_{row}")
    multiplier, shift = rescale[:FREE_MULTIPLIER_BITS], rescale[MULTIPLIER_BITS:]
    product = acc * multiplier
    h.require(~stages.tiles[1][0] | (h.dut.inside(f"results.requantize_{row}.product") == product),
              f"the product of row {row}")
    floor = product >> shift
    twice = (product - (floor << shift)) << 1
    one = C(1, 1) << shift
    rounded = floor + ((twice > one) | ((twice == one) & floor[0]))
    clipped = Mux(rounded > 127, 127, Mux(rounded < -128, -128, rounded))
    return _hold(h, to_result, clipped, f"result_{row}")
