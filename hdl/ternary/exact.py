"""The property that the ternary core's results are the sums that they should be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from amaranth.asserts import AnySeq
from amaranth.hdl import Array, C, Cat, Mux, Signal, Value, signed

from pimlico.hdl.common.properties import Harness, Property

from .config import BLOCK, TernaryConfig
from .shadow import INDEX_BITS, JobCount
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
        small, _build, depth=small.latency + beats + 2, induction=False, inputs=_inputs(small))


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
    job = JobCount(h, config)
    taken = h.count(job.take, INDEX_BITS, "activation_beats")
    tiles = h.count(job.take & job.last, INDEX_BITS, "tiles")
    feed = core.w.valid & core.w.ready
    fed = h.count(feed, INDEX_BITS, "weight_beats")
    results = h.count(core.o.valid & core.o.ready, INDEX_BITS, "results")
    watched = h.constant(INDEX_BITS, "watched_tile")

    # A beat's two halves come in either order, the later within one beat of the earlier.
    offered = Cat(tiles, *(_used(config, job, slot).replicate(config.act_bits)
                           & core.a.payload.word_select(slot, config.act_bits)
                           for slot in live_slots(config)))
    activations = _earlier(h, offered, job.take, taken - fed == 1, "activations")
    weights = _earlier(h, core.w.payload, feed, fed - taken == 1, "weights")
    met = ((job.take | (taken - fed == 1)) & (feed | (fed - taken == 1))
           & (activations[:INDEX_BITS] == watched))

    port = next(port for port in config.ports if port.name == "o")
    keep = core.o.payload[port.offset("keep"):]
    due = core.o.valid & (results == watched)
    for row in range(config.keys):
        total = Signal(signed(config.acc_width), name=f"golden_{row}")
        lane = weights.word_select(row, config.weight_bits)
        with m.If(met):
            m.d.sync += total.eq(total + _dot(config, activations[INDEX_BITS:], lane))
        expected = Signal(signed(config.acc_width), name=f"expected_{row}")
        m.d.comb += expected.eq(total + _addend(h, watched, row) if config.addend else total)
        if config.out == "int8_requant":
            expected = _rescaled(h, job, tiles == watched, expected)
        result = core.o.payload.word_select(row, config.out_bits).as_signed()
        h.require(~(due & keep[row]) | (result == expected), f"o.data of row {row}: the exact sum")


def _earlier(h: Harness, offered: Value, taken: Value, waiting: Value, name: str) -> Value:
    """What is offered now, or what was taken before if that is still waiting."""
    held = Signal(len(offered), name=f"earlier_{name}")
    with h.m.If(taken):
        h.m.d.sync += held.eq(offered)
    return Mux(waiting, held, offered)


def _used(config: TernaryConfig, job: JobCount, slot: int) -> Value:
    """Whether a column of the next beat is one of the job's n."""
    if not config.block_format:
        return job.beats * config.columns + slot < job.n
    if config.weight_format == "tq2_0":
        return C(1, 1)
    # 240 weights as five digits a byte, then 16 as four digits in each of four bytes
    byte = (job.beats * config.columns + slot - slot % 5 - 240)
    return (byte < 0) | ((byte < 20) & (slot % 5 < 4))


def _dot(config: TernaryConfig, activations: Value, lane: Value) -> Value:
    products = []
    for number, slot in enumerate(live_slots(config)):
        activation = activations.word_select(number, config.act_bits).as_signed()
        weight = _weight(config, lane, slot)
        products.append(Mux(weight == 0, 0, Mux(weight < 0, -activation, activation)))
    return sum(products[1:], start=products[0])


def _weight(config: TernaryConfig, lane: Value, slot: int) -> Value:
    """The weight of a column, looked up in a table of the format's codes."""
    match config.weight_format:
        case "keys":
            width, place, trit = config.key_bits, slot // config.mu, partial(_key_trit, config)
            digit = slot % config.mu
        case "two_bit" | "tq2_0":
            width, place, digit = 2, slot, 0
            trit = lambda code, digit: (-1, 0, 1, 0)[code]  # noqa: E731
        case "base3x5":
            width, place, digit = 8, slot // 5, slot % 5
            trit = lambda code, digit: code // 3**(4 - digit) % 3 - 1 if code < 243 else 0  # noqa: E731
        case _:
            width, place, digit = 8, slot // 5, slot % 5
            trit = lambda code, digit: (code * 3**digit % 256 * 3 >> 8) - 1  # noqa: E731
    codes = [C(trit(code, digit), signed(2)) for code in range(1 << width)]
    return Array(codes)[lane.word_select(place, width)]


def _key_trit(config: TernaryConfig, key: int, digit: int) -> int:
    sign, index = divmod(key, 1 << config.key_bits - 1)
    if index > config.entries:
        return 0
    return entry_digits(index, config.mu)[digit] * (-1 if sign else 1)


def _addend(h: Harness, watched: Value, row: int) -> Value:
    addend = h.dut.component.addend
    taken = addend.valid & addend.ready
    number = h.count(taken, INDEX_BITS, f"addend_beats_{row}")
    held = Signal(signed(h.config.acc_width - 1), name=f"addend_{row}")
    with h.m.If(taken & (number == watched)):
        h.m.d.sync += held.eq(addend.payload.word_select(row, len(held)))
    return held


def _rescaled(h: Harness, job: JobCount, now: Value, value: Value) -> Value:
    """To int8 with the multiplier and shift of the job in the cycle `now`, ties to even."""
    held = {name: Signal(len(job.fields[name]), name=f"tile_{name}")
            for name in ("multiplier", "shift")}
    with h.m.If(now & job.take):
        h.m.d.sync += [held[name].eq(job.fields[name]) for name in held]
    product = value * held["multiplier"][:FREE_MULTIPLIER_BITS]
    floor = product >> held["shift"]
    twice = (product - (floor << held["shift"])) << 1
    one = C(1, 1) << held["shift"]
    rounded = floor + ((twice > one) | ((twice == one) & floor[0]))
    return Mux(rounded > 127, 127, Mux(rounded < -128, -128, rounded))
