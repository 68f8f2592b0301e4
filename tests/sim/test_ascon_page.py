"""The page cipher against its cycle model and against Ascon-AEAD128, in Amaranth's simulator."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from pimlico.hdl.ascon.config import PageShape
from pimlico.hdl.ascon.page import PageCipher
from pimlico.verif.ascon.golden import RATE, recover, seal
from pimlico.verif.ascon.page import PageCipherCycles

KEY = bytes(range(100, 116))
SHAPES = [
    # beat width, beats, address bits, version bits, rounds a cycle
    (32, 5, 3, 1, 1), (32, 6, 64, 2, 4), (32, 7, 5, 64, 2), (32, 8, 6, 7, 4), (32, 9, 1, 1, 2),
    (32, 15, 9, 20, 1), (64, 3, 8, 8, 2), (64, 4, 8, 16, 1), (64, 7, 33, 40, 4),
    (128, 2, 64, 64, 4), (128, 3, 4, 3, 1), (128, 9, 10, 30, 2), (256, 1, 12, 32, 2),
    (256, 4, 20, 32, 4), (512, 1, 8, 32, 4), (512, 3, 16, 24, 1), (512, 9, 7, 9, 4),
]


@dataclass
class Source:
    """Offers beats, each until it is taken, after random gaps."""

    beats: list[int]
    rate: float
    taken: int = 0
    valid: bool = False
    when: list[int] = field(default_factory=list)

    def offer(self, rng):
        self.valid = self.taken < len(self.beats) and (self.valid or rng.random() < self.rate)
        return int(self.valid), self.beats[self.taken] if self.valid else int(rng.integers(2))


def play(shape, decrypt, sources, rates, seed, reset_at=None, cycles=20000):
    """Run RTL and model side by side until all pages are out; what came out, and when.

    `sources` are the payloads of start and source; `rates` the chance, each cycle, that start
    and source offer their next beat and that result and verdict are ready. With the reset at
    the end of cycle `reset_at` all begins again.
    """
    rng = np.random.default_rng(seed)
    reset = Signal()
    dut, model = PageCipher(*shape, decrypt), PageCipherCycles(*shape, decrypt)
    feeds = {name: Source(beats, rates[name]) for name, beats in sources.items()}
    sinks = {"result": dut.result} | ({"verdict": dut.verdict} if decrypt else {})
    came = {name: [] for name in sinks}
    due = {"result": len(sources["source"]), "verdict": len(sources["start"])}

    async def bench(ctx):
        ctx.set(dut.key, int.from_bytes(KEY, "little"))
        inputs = {"key": int.from_bytes(KEY, "little")}
        for cycle in range(cycles):
            for name, feed in feeds.items():
                valid, payload = feed.offer(rng)
                ctx.set(getattr(dut, name).valid, valid)
                ctx.set(getattr(dut, name).payload, payload)
                inputs |= {f"{name}_valid": valid, f"{name}_payload": payload}
            for name, port in sinks.items():
                inputs[f"{name}_ready"] = int(rng.random() < rates[name])
                ctx.set(port.ready, inputs[f"{name}_ready"])
            expected = model.outputs(inputs)
            seen = {f"{name}_ready": ctx.get(getattr(dut, name).ready) for name in feeds}
            for name, port in sinks.items():
                seen[f"{name}_valid"] = ctx.get(port.valid)
                if seen[f"{name}_valid"]:
                    seen[f"{name}_payload"] = ctx.get(port.payload)
                    if inputs[f"{name}_ready"]:
                        came[name].append((seen[f"{name}_payload"], cycle))
            assert seen == expected, f"{shape}, decrypt {decrypt}, seed {seed}, cycle {cycle}"
            for name, feed in feeds.items():
                if feed.valid and seen[f"{name}_ready"]:
                    feed.taken, feed.valid = feed.taken + 1, False
                    feed.when.append(cycle)
            if all(len(beats) == due[name] for name, beats in came.items()):
                break
            model.tick(inputs)
            ctx.set(reset, cycle == reset_at)
            await ctx.tick()
            if cycle == reset_at:
                model.reset()
                for feed in feeds.values():
                    feed.taken, feed.valid = 0, False
                for beats in came.values():
                    beats.clear()
        assert all(len(beats) == due[name] for name, beats in came.items()), f"seed {seed}: stuck"
        model.tick(inputs)
        assert model.idle

    simulator = Simulator(ResetInserter(reset)(dut))
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    payloads = {name: [payload for payload, _ in beats] for name, beats in came.items()}
    when = {name: [cycle for _, cycle in beats] for name, beats in came.items()}
    return payloads, when | {name: feed.when for name, feed in feeds.items()}


def nonce(shape, start):
    address = start & (1 << shape[2]) - 1
    return address.to_bytes(8, "little") + (start >> shape[2]).to_bytes(8, "little")


def beats_of(page, width):
    size = width // 8
    return [int.from_bytes(page[at:at + size], "little") for at in range(0, len(page), size)]


def pages_of(beats, width, number):
    data = b"".join(beat.to_bytes(width // 8, "little") for beat in beats)
    return [data[at:at + number * width // 8] for at in range(0, len(data), number * width // 8)]


def draw(shape, rng, count):
    """Starts and pages, among them the extreme ones."""
    width, beats, address_bits, version_bits, _ = shape
    bits = address_bits + version_bits
    size = width * beats // 8
    starts = [int.from_bytes(rng.bytes(16), "little") >> 128 - bits for _ in range(count)]
    starts[0], starts[-1] = (1 << bits) - 1, 0
    pages = [rng.bytes(size) for _ in range(count)]
    pages[0] = b"\xff" * size
    return starts, pages


RATES = {
    "full": {"start": 1, "source": 1, "result": 1, "verdict": 1},
    "gaps": {"start": 0.3, "source": 0.4, "result": 1, "verdict": 1},
    "pressure": {"start": 1, "source": 1, "result": 0.3, "verdict": 0.1},
    "both": {"start": 0.1, "source": 0.6, "result": 0.6, "verdict": 0.05},
}


def both_ways(shape, rates, seed, count=3, **options):
    """Seal pages and open them again; when their beats came."""
    rng = np.random.default_rng(seed)
    width, beats = shape[:2]
    starts, pages = draw(shape, rng, count)
    sources = {"start": starts, "source": beats_of(b"".join(pages), width)}
    sealed, sealing = play(shape, False, sources, rates, seed, **options)
    expected = []
    for start, page in zip(starts, pages, strict=True):
        header = nonce(shape, start)
        expected.append(b"".join(seal(KEY, header, header, page[:-RATE])))
    assert pages_of(sealed["result"], width, beats) == expected, f"seed {seed}"
    sources = {"start": starts, "source": sealed["result"]}
    opened, opening = play(shape, True, sources, rates, seed, **options)
    assert pages_of(opened["result"], width, beats) == [
        page[:-RATE] + bytes(RATE) for page in pages], f"seed {seed}"
    assert opened["verdict"] == [1] * count
    return sealing, opening


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pages_at_full_rate_come_at_their_interval(shape):
    sealing, opening = both_ways(shape, RATES["full"], seed=1)
    interval = PageShape(*shape).interval
    for when in (sealing, opening):
        for name in ("start", "source", "result"):
            cycles = when[name]
            page = len(cycles) // 3
            # the first page's beats may be taken before its start, so only those that follow
            assert [late - early for early, late in
                    zip(cycles[page:], cycles[2 * page:], strict=False)] == [interval] * page
        first = when["start"][0]
        assert first == 12 // shape[4]
        assert when["result"][0] >= first + 16 // shape[4] + 1


@pytest.mark.parametrize("shape", SHAPES[::2], ids=str)
def test_pages_with_gaps_and_back_pressure(shape):
    seed = SHAPES.index(shape) // 2
    both_ways(shape, RATES[("gaps", "pressure", "both")[seed % 3]], seed)


@pytest.mark.parametrize("shape", SHAPES[3::5], ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_reset_in_a_page(shape, seed):
    at = int(np.random.default_rng(seed).integers(PageShape(*shape).interval * 2))
    both_ways(shape, RATES["both" if seed % 2 else "full"], seed, count=2, reset_at=at)


@pytest.mark.parametrize("shape", [SHAPES[place] for place in (2, 3, 7, 11, 13)], ids=str)
def test_whatever_is_changed_the_verdict_is_no(shape):
    seed = 5
    rng = np.random.default_rng(seed)
    width, beats, address_bits, version_bits, _ = shape
    size = width * beats // 8
    (start, *_), (_, page, *_) = draw(shape, rng, 2)
    start ^= int(rng.integers(2)) | int(rng.integers(2)) << address_bits
    header = nonce(shape, start)
    sealed = b"".join(seal(KEY, header, header, page[:-RATE]))
    bits = [0, 8 * (size - RATE) - 1, 8 * (size - RATE), 8 * size - 1,
            *rng.integers(8 * size, size=4).tolist()]
    changed = [(start, (int.from_bytes(sealed, "little") ^ 1 << bit).to_bytes(size, "little"))
               for bit in bits]
    changed += [(start ^ 1 << bit, sealed)
                for bit in (0, address_bits - 1, address_bits, address_bits + version_bits - 1)]
    changed.insert(2, (start, sealed))
    sources = {"start": [start for start, _ in changed],
               "source": beats_of(b"".join(page for _, page in changed), width)}
    opened, _ = play(shape, True, sources, RATES["full"], seed)
    assert opened["verdict"] == [int(page == (start, sealed)) for page in changed], f"seed {seed}"
    for (of, page), text in zip(changed, pages_of(opened["result"], width, beats), strict=True):
        header = nonce(shape, of)
        assert text == recover(KEY, header, header, page[:-RATE])[0] + bytes(RATE)


@pytest.mark.parametrize("decrypt", [False, True])
def test_time_does_not_depend_on_data(decrypt):
    shape, seed, when = (64, 4, 8, 16, 2), 3, []
    for data in (bytes(32), b"\xff" * 32, np.random.default_rng(seed).bytes(32)):
        sources = {"start": [data[0] * 0x10101, data[1]], "source": beats_of(data, 64) * 2}
        when.append(play(shape, decrypt, sources, RATES["both"], seed)[1])
    assert when[0] == when[1] == when[2], f"seed {seed}"
