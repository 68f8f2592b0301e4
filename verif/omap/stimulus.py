"""Commands for the OMAP controller: directed corners first, then random ones without end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pimlico.hdl.omap.config import DEL, GET, NOP, OPS, PUT, OmapConfig

from ..episode import Episode
from .collisions import colliding
from .crowds import long_lists, one_page, value_of
from .session import Session


def episodes(config: OmapConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The stimulus of ``omap-controller``."""
    yield from _directed(config, rng)
    while True:
        yield _random(config, rng)
        if config.entropy == "stream" and config.capacity <= 64 and rng.random() < 0.3:
            yield one_page(config, rng) if rng.random() < 0.7 else long_lists(config, rng)


def _directed(config: OmapConfig, rng: np.random.Generator) -> Iterator[Episode]:
    yield _every_op(Session(config, rng)).episode("every operation at full rate")
    yield _repeats(Session(config, rng, latency=3)).episode("one key again and again")
    yield _every_op(Session(config, rng, latency=5, jitter=4)).episode(
        "stalls", ready={"req": 0.4, "wdata": 0.5, "rsp": 0.3}, valid={"cmd": 0.6, "random": 0.5})
    yield _every_op(Session(config, rng)).episode("slow responses", ready={"rsp": 0.02})
    faults = ["mark", "late", "empty"] + ["flip", "replay", "swap"] * config.sealed
    for fault in faults:
        if config.host_latency_max < 200 or fault != "late":
            yield _faulty(config, rng, fault, drain=False)
            if fault != "late":
                yield _faulty(config, rng, fault, drain=True)
    yield _unasked(config, rng)
    if config.entropy == "stream" and config.host_latency_max < 200:
        session = _every_op(Session(config, rng))
        session.run(GET, 1, fault="dry")
        session.run(NOP, 0)
        yield session.episode("entropy runs dry")
    yield from _index_full(config, rng)
    if config.capacity <= 64:
        yield from _crowded(config, rng)
    if config.entropy == "stream" and config.capacity <= 64:
        yield one_page(config, rng)
    for _ in range(3):
        yield _every_op(Session(config, rng)).episode(
            "reset in an operation",
            cycles=config.clear_words + config.init_draws + int(rng.integers(5, 200)))


def _every_op(session: Session) -> Session:
    """Each operation on keys that are there and are not, the widest key and value among them."""
    config = session.config
    top = (1 << config.key_width) - 1
    ones = (1 << config.value_width) - 1
    for op, key, value in [
            (GET, 0, 0), (PUT, 0, ones), (GET, 0, 0), (PUT, top, 1), (PUT, 0, 5), (GET, top, 0),
            (NOP, 0, 0), (DEL, 0, 0), (GET, 0, 0), (DEL, 0, 0), (PUT, 7, ones), (PUT, 0, 3),
            (GET, 7, 0), (GET, 0, 0), (NOP, 7, ones), (DEL, 7, 0), (GET, top, 0)]:
        session.run(op, key, value)
    return session


def _repeats(session: Session) -> Session:
    for turn in range(12):
        session.run(PUT if turn % 4 == 0 else GET, 5, turn)
    return session


def _faulty(config: OmapConfig, rng: np.random.Generator, fault: str, drain: bool) -> Episode:
    """A fault of the host while the map holds something; then what is refused, or drained."""
    session = Session(config, rng, drain=drain)
    for key in range(min(6, config.capacity)):
        session.run(PUT, key, key + 1)
    for turn in range(30):
        session.run(GET, turn % 6, fault=fault if turn >= 8 and not session.map.fatal else "")
        if session.map.fatal:
            break
    for key in range(6):
        session.run(int(rng.integers(len(OPS))), key, 9)
    return session.episode(f"host fault: {fault}{', then drained' * drain}")


def _unasked(config: OmapConfig, rng: np.random.Generator) -> Episode:
    """A beat that was not asked for."""
    session = _every_op(Session(config, rng, drain=True))
    session.beats["rdata"].append(session.noise())
    session.after["rdata"].append({"rsp": len(session.responses)})
    session.delay["rdata"].append(3)
    return session.episode("host fault: unasked beat")


def _index_full(config: OmapConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """More keys with the same places in the index than those and the stash hold."""
    most = config.index_ways + config.index_stash + 2
    for drain in (False, True):
        session = Session(config, rng, drain=drain)
        keys = colliding(config, session.map.index, most)
        if len(keys) < most or config.capacity < most:
            return
        for key in keys:
            session.run(PUT, key, int(rng.integers(200)))
        for key in keys:
            session.run(GET, key)
        yield session.episode("full index, drained" if drain else "full index")


def _crowded(config: OmapConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """A full map, read through and emptied; where few may wait, up to a fatal status."""
    for drain in (False, True):
        session = Session(config, rng, drain=drain)
        keys = [int(key) for key in rng.permutation(config.capacity + 2)]
        for key in keys:
            session.run(PUT, key, int(rng.integers(200)))
        # long lists of waiting items, which keys leave from the middle
        for key in rng.choice(keys, 8 * len(keys)):
            session.run(GET if rng.random() < 0.7 else PUT, int(key), int(rng.integers(200)))
        for key in rng.permutation(keys):
            session.run(DEL, int(key))
        yield session.episode("full map, then emptied")


def _random(config: OmapConfig, rng: np.random.Generator) -> Episode:
    latency = int(rng.choice([0, 0, 2, 10]))
    session = Session(config, rng, min(latency, config.host_latency_max // 2),
                      int(rng.choice([0, 0, 3])), drain=bool(rng.integers(2)))
    keys = rng.integers(0, 1 << min(config.key_width, 60), int(rng.choice([2, 8, 60]))).tolist()
    if rng.random() < 0.5:  # as many with the same places in the index as those and the stash hold
        same = colliding(config, session.map.index, config.index_ways + config.index_stash)
        keys = [key ^ keys[0] for key in same[:int(rng.integers(1, len(same) + 1))]] + keys[:2]
    weights = rng.dirichlet([1, 2, 2, 0.7])
    faults = ["mark", "empty"] + ["flip", "replay", "swap"] * config.sealed
    for _ in range(int(rng.integers(5, 60))):
        fault = str(rng.choice(faults)) if rng.random() < 0.01 else ""
        session.run(int(rng.choice(len(OPS), p=weights)), keys[int(rng.integers(len(keys)))],
                    value_of(config, rng), fault)
    rates = [1.0, 1.0, 0.8, 0.4]
    return session.episode(
        "random operations",
        valid={name: float(rng.choice(rates)) for name in ("cmd", "random")},
        ready={name: float(rng.choice(rates)) for name in ("req", "wdata", "rsp")},
        cycles=config.clear_words + int(rng.integers(20, 400)) if rng.random() < 0.15 else None)
