"""Quantized storage of rows, in Amaranth's simulator, against the golden model."""

import itertools
import random

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from pimlico.hdl.kv.config import KvConfig
from pimlico.hdl.kv.extremes import Extremes
from pimlico.hdl.kv.packed import PackedStore
from pimlico.hdl.kv.packer import Packer
from pimlico.hdl.kv.quantizer import Quantizer
from pimlico.hdl.kv.restore import Restorer
from pimlico.hdl.kv.scale import Scale
from pimlico.verif.kv.quant import quantize, restore


def config_of(quant, elem_width=16, beats=4, beat_elems=4, **more):
    return KvConfig(quant=quant, elem_width=elem_width, beat_elems=beat_elems,
                    row_elems=beats * beat_elems, **more)


def pack(elements, width):
    return sum((int(element) & (1 << width) - 1) << width * index
               for index, element in enumerate(elements))


def simulate(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6, if_exists=True)
    simulator.add_testbench(bench)
    simulator.run()


def pipe(dut, inputs, outputs, latency):
    """What a pipeline gives for inputs a cycle apart; logic without a register has latency 0."""
    results = []

    async def bench(context):
        for now in range(len(inputs) + latency):
            for name, value in inputs[min(now, len(inputs) - 1)].items():
                context.set(getattr(dut, name), value)
            if now >= latency:
                results.append(tuple(context.get(getattr(dut, name)) for name in outputs))
            await (context.tick() if latency else context.delay(1e-6))

    simulate(dut, bench)
    return results


def random_row(rng, size, width):
    low, high = -(1 << width - 1), (1 << width - 1) - 1
    kind = rng.randrange(7)
    if kind == 0:
        return [rng.choice([low, high, 0, rng.randint(low, high)])] * size
    if kind == 1:
        return [rng.choice([low, high]) for _ in range(size)]
    if kind == 2:
        start, step = rng.randint(0, high - low), rng.choice([-1, 1, 3, (high - low) // size])
        return [low + (start + step * index) % (high - low + 1) for index in range(size)]
    if kind == 3:
        base = rng.randint(low, high - 1)
        return [base + rng.randrange(2) for _ in range(size)]
    if kind == 4:
        row = [rng.randint(low // 8, high // 8) for _ in range(size)]
        row[rng.randrange(size)] = rng.choice([low, high])
        return row
    return [rng.randint(low, high) for _ in range(size)]


class Bench:
    """Drives a store row by row and checks every beat that leaves it, and ``settled``.

    Rows are ("keep", place), ("pass",), ("held", place), ("hole", place), ("cut", place,
    beats): kept until it breaks off, then missing, and ("tail",): missing past the buffer's
    end, where the first word is asked for again and again. A held row waits until the row it
    reads may be read, and not longer.

    Parameters
    ----------
    enter, load : float
        How often a beat enters, or moves on, where it may.
    settle : int, optional
        Cycles that the driver waits for a row, if not those of the configuration.
    """

    def __init__(self, config, rng, enter=1.0, load=1.0, settle=None):
        self.config, self.rng, self.enter, self.load = config, rng, enter, load
        self.settle = config.settle_cycles if settle is None else settle
        self.dut = PackedStore(config)
        self.rows = {}
        self.checked = 0

    def beats_of(self, row):
        """Inputs, expected output and hole flag of each beat of a row, in order."""
        config, (kind, *about) = self.config, row
        place = about[0] if about else self.rng.randrange(config.tokens * config.sequences)
        elements = self.elements()
        streamed = about[1] if kind == "cut" else config.beats * (kind in ("keep", "pass"))
        sequence, number = divmod(place, config.tokens)
        for beat in range(config.beats):
            word = number * config.row_words + beat // config.pack
            part = slice(beat * config.beat_elems, (beat + 1) * config.beat_elems)
            stream = beat < streamed
            data = pack(elements[part], config.elem_width)
            inputs = {"stream": stream, "keep": stream and kind != "pass", "data": data,
                      "bank": word % config.banks,
                      "offset": sequence * config.sequence_words + word // config.banks,
                      "phase": 0 if kind == "tail" else beat % config.pack, "row": place,
                      "first": beat == 0, "ends": beat == config.beats - 1,
                      "broken": kind == "cut" and beat == streamed}
            if kind == "held":
                yield inputs, pack(self.rows[place][part], config.elem_width), False
            else:
                yield inputs, data if stream else 0, not stream
        if kind == "keep":
            self.rows[place] = restore(*quantize([elements], config.quant_bits),
                                       config.quant_bits)[0]

    def elements(self):
        return random_row(self.rng, self.config.row_elems, self.config.elem_width)

    def run(self, rows, before=(), cycles=0):
        """Checks `rows`, after a reset that comes so many cycles into other rows."""
        reset = Signal()

        async def bench(context):
            await self._drive(context, before, cycles)
            context.set(reset, cycles > 0)
            await context.tick()
            context.set(reset, 0)
            self.checked = 0
            await self._drive(context, rows)

        simulate(ResetInserter(reset)(self.dut), bench)
        return self

    async def _drive(self, context, rows, cycles=float("inf")):
        dut, config = self.dut, self.config
        pending = itertools.chain.from_iterable(
            ((row, *beat) for beat in self.beats_of(row)) for row in rows)
        waiting = next(pending, None)
        held_beat, shown, now, settling = None, None, 0, 0
        self.kept_at, self.tail_at = {}, -2
        while (waiting or held_beat or shown is not None) and now < cycles:
            load = held_beat is not None and self.rng.random() < self.load
            enter = (waiting is not None and (held_beat is None or load)
                     and self.rng.random() < self.enter and self._ready(waiting[0], now))
            context.set(dut.load, load)
            context.set(dut.hole, held_beat[1] if held_beat else self.rng.randrange(2))
            context.set(dut.enter, enter)
            if enter:
                for name, value in waiting[1].items():
                    context.set(getattr(dut, name), value)
            else:
                context.set(dut.keep, 0)
                for name in ("stream", "first", "ends", "broken"):
                    context.set(getattr(dut, name), self.rng.randrange(2))
            if shown is not None:
                assert context.get(dut.o) == shown, f"beat {self.checked}"
                self.checked += 1
            assert context.get(dut.settled) == (settling == 0)
            await context.tick()
            shown = held_beat[0] if load else None
            if load:
                held_beat = None
            settling = max(0, settling - 1)
            if enter:
                row, inputs, expected, hole = waiting
                held_beat = expected, hole
                if inputs["keep"] and inputs["ends"]:
                    settling = config.settle_cycles
                    self.kept_at[row[1]] = now
                if row[0] == "tail":
                    self.tail_at = now
                waiting = next(pending, None)
            now += 1

    def _ready(self, row, now):
        # a tail ends a pass, and the next begins no sooner than this
        return row[0] != "held" or now > max(self.kept_at[row[1]] + self.settle,
                                             self.tail_at + 1)


def random_rows(rng, config, count):
    places = range(config.tokens * config.sequences)
    known = []
    for _ in range(count):
        kind = rng.choice(["keep"] * 4 + ["held"] * 4 + ["pass", "pass", "hole", "cut", "tail"])
        place = rng.choice(places)
        if kind == "keep":
            known.append(place)
        elif kind == "held":
            if not known:
                continue
            place = rng.choice([known[-1], rng.choice(known)])
        elif kind == "cut":
            known = [other for other in known if other != place]
            yield "cut", place, rng.randrange(1, config.beats)
            continue
        yield (kind,) if kind in ("pass", "tail") else (kind, place)


CONFIGS = [
    config_of("int8", beats=2, tokens=5),
    config_of("int8", beats=8, tokens=4, beat_elems=1),
    config_of("int8", 24, beats=3, tokens=4, beat_elems=6),
    config_of("int8", 32, beats=8, tokens=3, sequences=2, beat_elems=3, banks=2),
    config_of("int4", 8, beats=2, tokens=6, beat_elems=5, banks=2),
    config_of("int4", beats=4, tokens=4, sequences=2, banks=2),
    config_of("int4", 32, beats=16, tokens=4, beat_elems=2),
    config_of("int2", 4, beats=4, tokens=4, beat_elems=8, banks=4),
    config_of("int2", 8, beats=4, tokens=1, beat_elems=2),
    config_of("int2", 16, beats=8, tokens=3, beat_elems=2),
    config_of("int2", 32, beats=32, tokens=2, beat_elems=1, banks=2),
]


def name_of(config):
    return (f"{config.quant}-{config.elem_width}x{config.beat_elems}-{config.beats}beats-"
            f"{config.banks}banks")


@pytest.fixture(params=CONFIGS, ids=name_of)
def config(request):
    return request.param


@pytest.mark.parametrize(("enter", "load"), [(1, 1), (0.6, 0.7)])
def test_random_rows_come_back_as_the_golden_says(config, enter, load, seed):
    rng = random.Random(seed)
    bench = Bench(config, rng, enter, load)
    rows = list(random_rows(rng, config, 240 // config.beats + 16))
    assert bench.run(rows).checked == len(rows) * config.beats


def test_a_row_may_be_read_after_settle_cycles_and_no_sooner(config, seed):
    low, high = -(1 << config.elem_width - 1), (1 << config.elem_width - 1) - 1

    class Ramps(Bench):
        count = 0

        def elements(self):
            self.count += 1
            return [low, high][::1 if self.count % 2 else -1] * (self.config.row_elems // 2)

    rows = [("keep", 0), ("held", 0), ("keep", 0), ("held", 0)]
    assert Ramps(config, random.Random(seed)).run(rows).checked == 4 * config.beats
    with pytest.raises(AssertionError, match="beat"):
        Ramps(config, random.Random(seed), settle=config.settle_cycles - 1).run(rows)


def test_rows_without_a_gap_then_all_of_them(config, seed):
    places = range(config.tokens * config.sequences)
    rows = [(kind, place) for _ in range(2) for kind in ("keep", "held") for place in places]
    bench = Bench(config, random.Random(seed)).run(rows)
    assert bench.checked == len(rows) * config.beats


def test_a_row_that_breaks_off_again_and_again_leaves_nothing(config, seed):
    cuts = [("cut", 0, beats) for beats in range(1, config.beats)] * 2
    last = config.tokens * config.sequences - 1
    rows = [("keep", last), *cuts, ("keep", 0), ("cut", last, 1), ("held", 0), *cuts[:3],
            ("keep", last), ("held", last)]
    bench = Bench(config, random.Random(seed)).run(rows)
    assert bench.checked == len(rows) * config.beats


def test_nothing_is_left_after_a_reset(config, seed):
    rng = random.Random(seed)
    for _ in range(3):
        rows = list(random_rows(rng, config, 10))
        bench = Bench(config, rng).run(rows, before=random_rows(rng, config, 20),
                                       cycles=rng.randrange(1, 8 * config.beats))
        assert bench.checked == len(rows) * config.beats


def test_words_come_out_in_order_while_every_other_cycle_is_taken(config, seed):
    """The densest reads that may be, against rows without a gap."""
    rng = random.Random(seed)
    dut = Packer(config)
    rows = [rng.randrange(config.tokens * config.sequences) for _ in range(12)]
    elements = [random_row(rng, config.row_elems, config.elem_width) for _ in rows]
    q, zero, scale = quantize(elements, config.quant_bits)
    words, described = [], []
    parity = rng.randrange(2)

    async def bench(context):
        for now in range(len(rows) * config.beats + config.settle_cycles + config.beats):
            number, beat = divmod(now, config.beats)
            take = number < len(rows)
            context.set(dut.take, take)
            if take:
                first, word = beat * config.beat_elems, rows[number] * config.row_words
                context.set(dut.data, pack(elements[number][first:first + config.beat_elems],
                                           config.elem_width))
                context.set(dut.first, beat == 0)
                context.set(dut.ends, beat == config.beats - 1)
                # the address counts for a row's first beat only
                for name, value in (("bank", word % config.banks),
                                    ("offset", word // config.banks), ("row", rows[number])):
                    port = getattr(dut, name)
                    context.set(port, value if beat == 0 else rng.getrandbits(len(port)))
            hold = now % 2 == parity
            context.set(dut.hold, hold)
            if context.get(dut.write):
                assert not hold
                words.append((context.get(dut.word_offset) * config.banks
                              + context.get(dut.word_bank), context.get(dut.word)))
            if context.get(dut.describe):
                described.append((context.get(dut.described), context.get(dut.zero),
                                  context.get(dut.scale)))
            await context.tick()

    simulate(dut, bench)
    assert described == list(zip(rows, zero, scale, strict=True))
    expected = []
    for row, levels, step in zip(rows, q, scale, strict=True):
        # any level restores a row of equal elements; the hardware takes the highest
        levels = levels if step else levels + (1 << config.quant_bits) - 1
        for index, word in enumerate(levels.reshape(config.row_words, -1)):
            expected.append((row * config.row_words + index, pack(word, config.quant_bits)))
    assert words == expected


@pytest.mark.parametrize("beat_elems", [1, 2, 3, 5, 8])
def test_extremes_of_rows_with_gaps(beat_elems, seed):
    rng = random.Random(seed)
    config = config_of("int4", 8, beats=8, beat_elems=beat_elems)
    beats, expected, row = [], [], []
    for _ in range(300):
        valid, first = rng.random() < 0.7, not row or rng.random() < 0.2
        elements = random_row(rng, beat_elems, 8)
        if valid:
            row = elements if first else row + elements
        beats.append({"data": pack(elements, 8), "valid": valid, "first": first})
        expected.append((min(row), max(row)) if row else None)
    results = pipe(Extremes(config), beats, ("low", "high"), config.minmax_stages)
    assert all(result == want for result, want in zip(results, expected, strict=True) if want)


def spans(rng, config):
    """Every span of narrow elements, some of wide ones."""
    top = 1 << config.elem_width
    if top <= 1 << 10:
        return range(top)
    edges = [edge + offset for edge in (0, top // 2, top) for offset in range(-3, 4)]
    return [*(span for span in edges if 0 <= span < top),
            *(rng.randrange(top >> rng.randrange(config.elem_width)) for _ in range(300))]


ARITHMETIC = [("int2", 4), ("int2", 6), ("int2", 16), ("int2", 32), ("int4", 8), ("int4", 12),
              ("int4", 32), ("int8", 16), ("int8", 24), ("int8", 32)]


@pytest.fixture(params=ARITHMETIC, ids=lambda param: f"{param[0]}-{param[1]}")
def arithmetic(request):
    quant, width = request.param
    return config_of(quant, width, beats=width // int(quant[3:]), beat_elems=8)


def test_scales(arithmetic, seed):
    bits = arithmetic.quant_bits
    inputs = [{"span": span} for span in spans(random.Random(seed), arithmetic)]
    dut = Scale(arithmetic)
    assert pipe(dut, inputs, ("scale",), dut.stages) == [
        ((each["span"] << bits + 1) // ((1 << bits) - 1),) for each in inputs]


def test_levels_and_what_is_restored_from_them(arithmetic, seed):
    """A new row in every cycle: its ends, their neighbours, ties, and elements in between."""
    rng = random.Random(seed)
    bits, width = arithmetic.quant_bits, arithmetic.elem_width
    beats, rows = [], []
    for span in spans(rng, arithmetic):
        if not span:
            continue
        low = rng.randint(-(1 << width - 1), (1 << width - 1) - 1 - span)
        row = [low, low + span, low + span // 2, low + (span + 1) // 2, low + 1,
               low + rng.randrange((1 << bits) - 1) * span // ((1 << bits) - 1),
               *(low + rng.randint(0, span) for _ in range(2))]
        rows.append(row)
        beats.append({"data": pack(row, width), "centre": 2 * low + span, "span": span})
    q, zero, scale = quantize(rows, bits)
    levels = [(pack(row, bits),) for row in q]
    assert pipe(Quantizer(arithmetic), beats, ("levels",), bits + 1) == levels
    stored = [{"levels": level, "zero": int(a), "scale": int(b)}
              for (level,), a, b in zip(levels, zero, scale, strict=True)]
    assert pipe(Restorer(arithmetic), stored, ("data",), 0) == [
        (pack(row, width),) for row in restore(q, zero, scale, bits)]
