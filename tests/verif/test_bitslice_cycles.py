"""The cycle models of the bit-sliced array over whole jobs, against plain Python; their timing."""

import numpy as np
import pytest
from bitslice_configs import SMALL, random_config
from bitslice_jobs import Bench
from bitslice_play import play

from pimlico.hdl.bitslice.config import (
    BAD_FRAME,
    DRAFT,
    FULL,
    KEEP,
    PRELOAD,
    REFINE,
    BitsliceConfig,
)
from pimlico.verif.bitslice.golden import Job, steps

FILLS = ("random", "random", "lowest", "highest", "extremes")
STATIONARY = [name for name in SMALL if SMALL[name].get("dataflow") == "ws"]
PASSING = [name for name in SMALL if name not in STATIONARY]
NESTED = [name for name in PASSING if SMALL[name].get("nested")]


def agree(config, seed, jobs=6):
    """Jobs one after another, stalled at random, give what Python computes and no error."""
    rng = np.random.default_rng(seed)
    bench = Bench(config, rng)
    for _ in range(jobs):
        bench.work(str(rng.choice(FILLS)))
    stalls = float(rng.choice([0, 0.2, 0.6]))
    trace = play(config, bench.beats, lambda stream: stalls and rng.random() < stalls)
    assert trace.payloads("o") == bench.results, f"{config!r}, seed {seed}"
    assert not any(trace.column("status")), f"{config!r}, seed {seed}"


@pytest.mark.parametrize("case", SMALL)
def test_whole_jobs_equal_plain_python(case, seed):
    agree(BitsliceConfig(**SMALL[case]), seed)


@pytest.mark.parametrize("number", range(40))
def test_whole_jobs_of_random_configurations_equal_plain_python(number, seed):
    agree(random_config(np.random.default_rng(seed)), seed)


@pytest.mark.deep
@pytest.mark.parametrize("number", range(1000))
def test_many_random_configurations_equal_plain_python(number, seed):
    agree(random_config(np.random.default_rng(seed)), seed, 12)


def fields(config, **given):
    """Those of the given fields that a cfg of the configuration has."""
    names = {slot.name for slot in config.port("cfg").fields}
    return {name: value for name, value in given.items() if name in names}


def widest(config):
    """Fields of a plain job with weights and activations of all bits."""
    mode = max(range(len(config.modes)), key=lambda number: config.mode[number])
    return fields(config, mode=mode, nest=FULL, start=0, group_len=0)


def beat_cycles(config, bench, work):
    """Cycles of the digits of every beat of a job."""
    if not config.timed:
        return [1] * len(work.beats["a"])
    cfg = work.cfg
    job = Job(config.mode[cfg["mode"]], cfg["length"], nest=cfg.get("nest", FULL),
              w_signed=bench.signs(cfg)[1], w_zero=cfg.get("w_zero", 0))
    low = work.beats["w_low"] or [0] * len(work.beats["a"])
    high = work.beats["w"] or [0] * len(low)
    return [sum(cycles for cycles, _ in steps(config, job, *words))
            for words in zip(high, low, strict=True)]


@pytest.mark.parametrize("case", PASSING)
def test_latency_is_the_configs(case, seed):
    """Of the widest mode; where digits come one by one and some are left out, to the cycle that
    the golden model tells."""
    config = BitsliceConfig(**SMALL[case])
    bench = Bench(config, np.random.default_rng(seed))
    work = bench.work(tiles=1, **widest(config))
    trace = play(config, bench.beats)
    taken = beat_cycles(config, bench, work)[-1]
    last = max(trace.cycles(stream)[-1] for stream in ("a", "w", "w_low") if work.beats[stream])
    latency = trace.valid.index(1) - last
    if config.arch == "skip":
        assert latency == config.latency + taken - 1, f"seed {seed}"
    else:
        full = config.mode[work.cfg["mode"]].w == config.w_width
        assert not full or latency == config.latency, f"seed {seed}"
        assert latency == config.latency - (config.positions - taken)


@pytest.mark.parametrize("case", STATIONARY)
def test_latency_behind_stationary_weights_is_the_configs(case, seed):
    """Of every activation beat but the first, which waits for weights."""
    config = BitsliceConfig(**SMALL[case])
    bench = Bench(config, np.random.default_rng(seed))
    bench.work(length=9, tiles=1, **widest(config) | fields(config, start=PRELOAD))
    trace = play(config, bench.beats)
    arrived, left = trace.cycles("a"), trace.cycles("o")
    assert [out - beat for beat, out in zip(arrived[2:], left[2:], strict=True)] \
        == [config.latency] * 7, f"seed {seed}"


@pytest.mark.parametrize("case", PASSING)
def test_beats_come_as_fast_as_their_digits_are_issued(case, seed):
    """A beat a cycle, a digit a cycle, or as the golden model tells; in every mode."""
    config = BitsliceConfig(**SMALL[case])
    bench = Bench(config, np.random.default_rng(seed))
    beats = min(12, config.max_k // config.beat_k)
    for mode, precision in enumerate(config.mode):
        for nest in (FULL, DRAFT, REFINE) if config.nested and precision.w == 8 else (FULL,):
            work = bench.work(length=beats * config.beat_k, tiles=1,
                              **fields(config, mode=mode, nest=nest, start=0, group_len=0))
            other = Bench(config, bench.rng)
            other.works = [work]
            trace = play(config, other.beats)
            taken = beat_cycles(config, bench, work)
            # the one after a beat is taken in the cycle of its last digits
            assert np.diff(trace.cycles("a")).tolist() == taken[:-1], f"{case}, seed {seed}"
            if config.arch != "skip":
                assert set(taken) == {config.digits_of(precision.w, nest) if config.timed else 1}


def test_the_draft_runs_at_twice_the_rate():
    """Half the digits, or twice the columns a beat."""
    parallel = BitsliceConfig(nested=True)
    assert parallel.products_of(8, DRAFT) == 2 * parallel.products_of(8, FULL)
    serial = BitsliceConfig(nested=True, arch="serial")
    assert 2 * serial.digits_of(8, DRAFT) == serial.digits_of(8, FULL)


def bubbles(trace, pace):
    """Cycles between activation beats other than at full pace."""
    return [gap for gap in np.diff(trace.cycles("a"))[1:] if gap != pace]


def check_no_bubble(config, seed):
    """Tiles as short as the drain takes for a tile: one begins while the one before leaves."""
    beats = -(-config.bands // config.positions)
    if config.arch == "skip" or beats * config.beat_k > config.max_k:
        return False
    bench = Bench(config, np.random.default_rng(seed))
    bench.work(length=beats * config.beat_k, tiles=9, **widest(config))
    trace = play(config, bench.beats)
    assert not bubbles(trace, trace.cycles("a")[1] - trace.cycles("a")[0]), \
        f"{config!r}, seed {seed}"
    assert len(trace.beats["o"]) == 9 * config.bands
    return True


@pytest.mark.parametrize("case", PASSING)
def test_tiles_follow_each_other_without_a_bubble(case, seed):
    config = BitsliceConfig(**SMALL[case])
    assert check_no_bubble(config, seed) or config.arch == "skip"


@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 1, 1), (6, 5, 1), (6, 5, 2), (8, 8, 4),
                                   (16, 16, 1), (16, 16, 16), (1, 12, 1)])
@pytest.mark.parametrize("arch", ["parallel", "serial", "mac"])
def test_tiles_follow_each_other_without_a_bubble_at_any_size(arch, shape, seed):
    rows, cols, adders = shape
    assert check_no_bubble(BitsliceConfig(rows=rows, cols=cols, drain_adders=adders, arch=arch,
                                          sum_stages=4, max_k=64), seed)


def test_groups_follow_each_other_without_a_bubble(seed):
    config = BitsliceConfig(rows=4, cols=2, max_k=32)
    bench = Bench(config, np.random.default_rng(seed))
    bench.work(length=32, group_len=4, tiles=2)
    trace = play(config, bench.beats)
    assert not bubbles(trace, 1)
    assert trace.payloads("o") == bench.results
    partial = [config.port("o").unpack(word)["partial"] for word in trace.payloads("o")]
    assert partial == ([1] * 28 + [0] * 4) * 2


@pytest.mark.parametrize("case", STATIONARY)
def test_weights_load_without_a_bubble(case, seed):
    """Tiles of as many activations as there are rows of weights."""
    config = BitsliceConfig(**SMALL[case])
    bench = Bench(config, np.random.default_rng(seed))
    for length in (config.rows, config.rows + 3):
        bench.works = []
        bench.work(length=length, tiles=6, **widest(config))
        trace = play(config, bench.beats)
        assert not bubbles(trace, config.interval), f"seed {seed}"
        assert trace.payloads("o") == bench.results, f"seed {seed}"


@pytest.mark.parametrize("stalls", [0, 0.4])
@pytest.mark.parametrize("case", NESTED)
def test_a_draft_then_its_refinement_is_the_full_product(case, stalls, seed):
    """Either first; bit for bit, whatever waits."""
    config = BitsliceConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    mode = next(number for number, mode in enumerate(config.mode) if mode == (8, config.a_width))
    for order in ((DRAFT, REFINE), (REFINE, DRAFT)):
        halves = Bench(config, rng)
        length = config.beat_k * min(4, config.max_k // config.beat_k // 2)
        given = fields(config, mode=mode, length=length, tiles=1, group_len=0, start=0, nest=FULL)
        first = halves.work(**given | {"nest": order[0]})
        signs = {name: first.cfg[name] for name in ("a_signed", "a_zero", "w_zero")
                 if name in first.cfg}
        halves.work(a=first.a, w=first.w, **given | signs | {"nest": order[1], "start": KEEP})
        trace = play(config, halves.beats, lambda stream: stalls and rng.random() < stalls)
        columns = config.cols
        o = config.port("o")
        given_back = [o.unpack(word)["data"] for word in trace.payloads("o")][config.bands:]
        places = first.w.shape[2] // columns
        for place in range(places):  # a full weight has a PE where two halves share it
            whole = Bench(config, rng)
            whole.work(a=first.a, w=first.w[:, :, place::places], **given | signs)
            results = [o.unpack(word)["data"] for word in
                       play(config, whole.beats).payloads("o")]
            lanes = [[row] if isinstance(row, int) else row for row in results]
            halved = [[row] if isinstance(row, int) else row for row in given_back]
            assert [row[0::config.products] for row in lanes] \
                == [row[place::config.products] for row in halved], f"{case}, seed {seed}"


def refusals(config, good):
    """A cfg for every code, from one that is taken: the code, and what is changed."""
    beyond = config.length_max + 1
    yield 1, {"length": 0}
    if beyond < 1 << config.length_bits:
        yield 2, {"length": beyond}
    whole = config.beat_k
    if config.dataflow == "os":
        if whole > 1:
            yield 3, {"length": good["length"] + 1}
            yield 4, {"group_len": whole // 2}
        if config.max_k >= 3:
            yield 4, {"group_len": 3}
        if 4 * whole <= config.max_k:
            yield 4, {"length": 3 * whole, "group_len": 2 * whole}
            yield 4, {"length": whole, "group_len": 4 * whole}
        yield 8, {"start": 3}
        yield 8, {"start": KEEP, "tiles": 2}
        yield 8, {"start": KEEP, "group_len": whole}
        yield 8, {"start": KEEP, "length": config.max_k}
        yield 8, {"start": PRELOAD} | ({"tiles": 2} if config.preload else {})
        if config.preload:
            yield 8, {"start": PRELOAD, "group_len": whole}
    elif config.preload:
        yield 8, {"start": KEEP}
        yield 8, {"start": 3}
    if len(config.modes) < 1 << config.mode_bits:
        yield 5, {"mode": (1 << config.mode_bits) - 1}
    yield 6, {"tiles": 0}
    if config.nested:
        yield 7, {"nest": 3}
        for number, mode in enumerate(config.mode):
            if mode.w != 8:
                yield 7, {"mode": number, "nest": DRAFT}
                yield 7, {"mode": number, "nest": REFINE}


@pytest.mark.parametrize("case", SMALL)
def test_a_refused_job_shows_its_code_and_changes_nothing(case, seed):
    """Each between two good jobs, of which the second may go on from the first."""
    config = BitsliceConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    beat_k = config.beat_k if config.dataflow == "os" else 1
    given = {"length": beat_k, **fields(config, nest=FULL, start=0, group_len=0), "tiles": 1}
    first = Bench(config, rng).work(**given)
    for code, change in refusals(config, first.cfg):
        bench = Bench(config, rng)
        bench.work(**given)
        beats = bench.beats
        refused = config.port("cfg").pack(first.cfg | change)
        if config.dataflow == "os" and 2 * beat_k <= config.max_k:
            bench.work(**given | {"start": KEEP})
        else:
            bench.work(**given)
        beats = bench.beats
        beats["cfg"] = [beats["cfg"][0], refused, *beats["cfg"][1:]]
        trace = play(config, beats)
        assert trace.payloads("o") == bench.results, f"{case} {change}, seed {seed}"
        assert set(trace.column("status")) == {0, code}, f"{case} {change}, seed {seed}"
        assert trace.column("status")[-1] == code


def test_nothing_is_kept_before_a_first_job():
    config = BitsliceConfig(**SMALL["plain"])
    cfg = {"mode": 0, "length": 1, "group_len": 0, "tiles": 1, "start": KEEP}
    trace = play(config, {"cfg": [config.port("cfg").pack(cfg)]})
    assert trace.column("status")[-1] == 8
    assert trace.payloads("o") == []


def test_results_are_kept_until_as_many_products_as_they_hold(seed):
    """max_k in all; one more is refused, and what is kept stays."""
    config = BitsliceConfig(rows=2, cols=2, max_k=8)
    bench = Bench(config, np.random.default_rng(seed))
    plain = {"tiles": 1, "group_len": 0}
    bench.work(length=3, start=0, **plain)
    bench.work(length=4, start=KEEP, **plain)
    too_long = config.port("cfg").pack({"mode": 0, "length": 2, "start": KEEP, **plain})
    bench.work(length=1, start=KEEP, **plain)
    beats = bench.beats
    beats["cfg"].insert(2, too_long)
    beats["cfg"].append(config.port("cfg").pack({"mode": 0, "length": 1, "start": KEEP, **plain}))
    trace = play(config, beats)
    assert trace.payloads("o") == bench.results, f"seed {seed}"
    assert set(trace.column("status")) == {0, 8}


@pytest.mark.parametrize("case", ["plain", "serial", "skip-elide", "ws"])
def test_a_misplaced_last_is_told_and_the_count_followed(case, seed):
    config = BitsliceConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    at = config.port("a").offset("last")
    for wrong in (0, 3):  # before its place, and not at its place
        bench = Bench(config, rng)
        bench.work(length=4 * config.beat_k if config.dataflow == "os" else 4, tiles=2,
                   **fields(config, nest=FULL, start=0, group_len=0))
        beats = bench.beats
        beats["a"][wrong] ^= 1 << at
        trace = play(config, beats)
        assert trace.payloads("o") == bench.results, f"seed {seed}"
        assert trace.column("status")[-1] == BAD_FRAME
        assert trace.column("status").index(BAD_FRAME) > trace.cycles("a")[wrong]


def test_the_first_error_stays_until_cleared():
    config = BitsliceConfig(**SMALL["plain"])
    good = {"mode": 0, "length": 1, "group_len": 0, "tiles": 1, "start": 0}
    words = [config.port("cfg").pack(good | change)
             for change in ({"length": 0}, {"tiles": 0}, {"length": 65})]
    trace = play(config, {"cfg": words})
    codes = trace.column("status")
    assert set(codes) == {0, 1}
    told = codes.index(1)
    cleared = play(config, {"cfg": words}, clear=[told]).column("status")
    assert cleared[told + 1] == 0 and set(cleared) == {0, 1, 6}
    # cleared in the very cycle that refuses the second: its code is kept
    second = cleared.index(6)
    assert play(config, {"cfg": words}, clear=[second - 1]).column("status")[second] == 6


@pytest.mark.parametrize("case", ["skip", "skip-elide", "skip-nested", "skip-unsigned"])
def test_digits_issued_and_left_out_are_all_digits(case, seed):
    config = BitsliceConfig(**SMALL[case])
    bench = Bench(config, np.random.default_rng(seed))
    for _ in range(3):
        work = bench.work(tiles=1, **fields(config, start=0, group_len=0))
        alone = Bench(config, bench.rng)
        alone.works = [work]
        trace = play(config, alone.beats)
        cfg = work.cfg
        nest, mode = cfg.get("nest", FULL), config.mode[cfg["mode"]]
        digits = config.cols * cfg["length"] * config.digits_of(mode.w, nest)
        issued, skipped = trace.column("issued")[-1], trace.column("skipped")[-1]
        assert issued + skipped == digits, f"seed {seed}"
        job = Job(mode, cfg["length"], nest=nest, w_signed=bench.signs(cfg)[1],
                  w_zero=cfg.get("w_zero", 0))
        low = work.beats["w_low"] or [0] * len(work.beats["a"])
        high = work.beats["w"] or [0] * len(low)
        assert issued == sum(sum(counts) for words in zip(high, low, strict=True)
                             for _, counts in steps(config, job, *words)), f"seed {seed}"
