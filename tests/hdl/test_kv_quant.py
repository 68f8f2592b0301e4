"""Quantized storage of rows, in Amaranth's simulator, against the golden model."""

import itertools
import random

import pytest
from amaranth.sim import Simulator

from pimlico.hdl.kv.config import KvConfig
from pimlico.hdl.kv.packed import PackedStore
from pimlico.verif.kv.quant import quantize, restore


def config_of(quant, elem_width=16, beats=4, beat_elems=4, **more):
    return KvConfig(quant=quant, elem_width=elem_width, beat_elems=beat_elems,
                    row_elems=beats * beat_elems, **more)


def pack(elements, width):
    return sum((int(element) & (1 << width) - 1) << width * index
               for index, element in enumerate(elements))


def simulate(dut, bench, clocked=True):
    simulator = Simulator(dut)
    if clocked:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


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

    Rows are ("keep", place), ("pass",), ("held", place), ("hole", place) and ("cut", place,
    beats): kept until it breaks off, then missing. A held row waits until the row it reads can
    be read, and not longer.

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
        self.kept_at = {}
        self.checked = self.writes = self.waits = 0

    def beats_of(self, row):
        """Inputs and the expected output of each beat of a row, in order."""
        config, (kind, *about) = self.config, row
        place = about[0] if about else self.rng.randrange(config.tokens * config.sequences)
        elements = random_row(self.rng, config.row_elems, config.elem_width)
        streamed = {"keep": config.beats, "pass": config.beats,
                    "cut": about[-1] if kind == "cut" else 0}.get(kind, 0)
        sequence, number = divmod(place, config.tokens)
        for beat in range(config.beats):
            word = number * config.row_words + beat // config.pack
            offset, bank = divmod(word, config.banks)
            part = slice(beat * config.beat_elems, (beat + 1) * config.beat_elems)
            stream = beat < streamed
            data = pack(elements[part], config.elem_width) if stream else self.rng.getrandbits(
                config.beat_bits)
            if kind == "held":
                expected = pack(self.rows[place][part], config.elem_width)
            else:
                expected = data if stream else 0
            yield {"stream": stream, "keep": stream and kind != "pass", "data": data,
                   "bank": bank, "offset": sequence * config.sequence_words + offset,
                   "phase": beat % config.pack, "row": place, "first": beat == 0,
                   "end": beat == config.beats - 1,
                   "broken": kind == "cut" and beat == streamed}, expected, \
                kind in ("hole", "cut") and not stream
        if kind == "keep":
            self.rows[place] = restore(*quantize([elements], config.quant_bits),
                                       config.quant_bits)[0]

    def run(self, rows):
        async def bench(context):
            await self._drive(context, rows)

        simulate(self.dut, bench)
        return self

    async def _drive(self, context, rows):
        dut, config = self.dut, self.config
        pending = itertools.chain.from_iterable(
            ((row, *beat) for beat in self.beats_of(row)) for row in rows)
        waiting = next(pending, None)
        held_beat, shown, now, settling = None, None, 0, 0
        while waiting or held_beat or shown is not None:
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
                for name in ("stream", "keep", "first", "end", "broken"):
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
                if inputs["keep"] and inputs["end"]:
                    settling = config.settle_cycles
                    self.kept_at[row[1]] = now
                waiting = next(pending, None)
            now += 1

    def _ready(self, row, now):
        return row[0] != "held" or now > self.kept_at[row[1]] + self.settle


def random_rows(rng, config, count):
    places = range(config.tokens * config.sequences)
    known = []
    for _ in range(count):
        kind = rng.choice(["keep", "keep", "pass", "held", "held", "hole", "cut"])
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
        yield (kind,) if kind == "pass" else (kind, place)


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


@pytest.mark.parametrize(("enter", "load"), [(1, 1), (0.7, 1), (1, 0.6), (0.4, 0.5)])
def test_random_rows_come_back_as_the_golden_says(config, enter, load, seed):
    rng = random.Random(seed)
    bench = Bench(config, rng, enter, load)
    rows = list(random_rows(rng, config, 240 // config.beats + 16))
    assert bench.run(rows).checked == len(rows) * config.beats
