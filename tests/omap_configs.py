"""Configurations of the OMAP controller that together take every value of every parameter,
random ones, random commands, and a host that answers as fast as it may."""

from collections.abc import Iterator

import numpy as np

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.omap.config import BEAT_WIDTHS, DEL, GET, NOP, PUT, OmapConfig
from pimlico.verif.episode import Episode
from pimlico.verif.omap.collisions import colliding
from pimlico.verif.omap.crowds import keys_of, long_lists, value_of
from pimlico.verif.omap.session import INIT, Session

BASE = {"key_width": 16, "value_width": 16, "log2_pages": 3, "slots": 4, "capacity": 12,
        "beat_width": 128, "host_latency_max": 40}

SMALL = {
    "four-a-beat": BASE,
    "two-a-beat": BASE | {"beat_width": 64, "slots": 5, "bus": "duplex", "index_ways": 8,
                          "index_stash": 3, "page_bits": 256},
    "one-a-beat": BASE | {"beat_width": 32, "merge_budget": 4, "capacity": 16},
    "parts": BASE | {"key_width": 20, "value_width": 100, "beat_width": 32,
                     "index_hash": "fixed", "page_bits": 17 * 32},
    "parts-duplex": BASE | {"value_width": 130, "beat_width": 64, "bus": "duplex",
                            "merge_budget": 1, "pending_depth": 12},
    "fatal": BASE | {"key_width": 24, "pending_depth": 2, "allow_fatal": True, "index_ways": 2,
                     "index_stash": 2, "merge_budget": 1},
    "linear": BASE | {"key_width": 9, "value_width": 30, "beat_width": 256, "entropy": "lfsr",
                      "test_mode": True, "log2_pages": 4, "slots": 3, "index_stash": 16},
    "least": {"key_width": 8, "value_width": 8, "log2_pages": 3, "slots": 3, "capacity": 1,
              "beat_width": 32, "index_ways": 2, "host_latency_max": 30},
    "sealed": BASE | {"cipher": "ascon_aead128", "host_latency_max": 100},
    "sealed-parts": BASE | {"cipher": "ascon_aead128", "cipher_rounds_per_cycle": 2,
                            "bus": "duplex", "beat_width": 32, "value_width": 50},
    "sealed-wide": BASE | {"cipher": "ascon_aead128", "cipher_rounds_per_cycle": 4,
                           "beat_width": 512, "bus": "duplex", "slots": 8, "capacity": 40,
                           "page_bits": 1024, "index_hash": "fixed"},
    "port": BASE | {"trusted": "port", "trusted_latency": 7},
    "port-duplex": BASE | {"value_width": 130, "beat_width": 64, "bus": "duplex",
                           "trusted": "port", "trusted_latency": 3, "index_stash": 3},
    "port-sealed": BASE | {"cipher": "ascon_aead128", "cipher_rounds_per_cycle": 4,
                           "trusted": "port", "trusted_latency": 16, "host_latency_max": 100},
}


def random_config(rng: np.random.Generator, **fixed) -> OmapConfig:
    """Parameters drawn until they go together."""
    while True:
        slots = int(rng.integers(3, 12))
        parameters = {
            "key_width": int(rng.integers(8, 70)),
            "value_width": int(rng.choice([8, 16, 40, 100, 300])),
            "log2_pages": int(rng.integers(3, 7)),
            "slots": slots,
            "capacity": int(rng.integers(1, 200)),
            "beat_width": int(rng.choice(BEAT_WIDTHS)),
            "bus": str(rng.choice(["shared", "duplex"])),
            "merge_budget": None if rng.integers(2) else int(rng.integers(1, slots + 1)),
            "index_ways": int(rng.integers(2, 9)),
            "index_stash": int(rng.integers(2, 9)),
            "index_hash": str(rng.choice(["drawn", "fixed"])),
            "cipher": str(rng.choice(["none", "none", "ascon_aead128"])),
            "cipher_rounds_per_cycle": int(rng.choice([1, 2, 4])),
            **({} if rng.integers(3) else {
                "trusted": "port", "trusted_latency": int(rng.choice([2, 3, 5, 20]))}),
            "host_latency_max": 60,
        } | fixed
        try:
            config = OmapConfig(**parameters)
            if rng.random() < 0.3:
                spare = int(rng.integers(1, 4)) * config.beat_width
                return OmapConfig(**parameters,
                                  page_bits=config.beats * config.beat_width + spare)
            return config
        except ConfigError:
            continue


def run_random(session: Session, count: int, weights=(1, 3, 4, 1), keys: int = 0) -> None:
    """So many random commands, on somewhat more keys than the map holds."""
    config, rng = session.config, session.rng
    known = keys_of(config, rng, keys or min(config.capacity + 2, 40))
    shares = np.array(weights) / sum(weights)
    for _ in range(count):
        session.run(int(rng.choice([NOP, GET, PUT, DEL], p=shares)), int(rng.choice(known)),
                    value_of(config, rng))


def crowds(config: OmapConfig, rng: np.random.Generator) -> Iterator[Episode]:
    while True:
        yield long_lists(config, rng)


def drained(config: OmapConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Operations that are aborted while others follow, back to back."""
    while True:
        session = Session(config, rng, drain=True)
        keys = keys_of(config, rng, min(6, config.capacity))
        for key in keys:
            session.run(PUT, key, value_of(config, rng))
        for key in rng.choice(np.array(keys, object), 3 * len(keys)):
            session.run(GET, int(key), fault="flip" if config.sealed else "mark")
        yield session.episode("drained")


def stored(session: Session) -> dict[int, int]:
    """The whole map, from the host's pages and the trusted side."""
    blank = [0] * session.config.beats
    return session.map.stored([session.host.get(page, blank)
                               for page in range(session.config.pages)])


def sound_session(config: OmapConfig, rng: np.random.Generator, count: int) -> Session:
    """Random commands without a fatal status."""
    while True:
        session = Session(config, rng)
        run_random(session, count)
        if not session.map.fatal:
            return session


def steady(session: Session, latency: int = 1, waits=None) -> Session:
    """Let the host give a page's first beat `latency` cycles after its request, and both pages
    without a gap between, also what it is just to write; or wait before each as `waits` says."""
    beats = 2 * session.config.beats
    count = len(session.beats["rdata"])
    session.delay["rdata"] = list(waits[:count]) if waits is not None else [
        (latency - 1) * (at % beats == 0) for at in range(count)]
    session.after["rdata"] = [{"req": needs["req"]} for needs in session.after["rdata"]]
    return session


def joined(name: str, first: Session, second: Session, at: int) -> Episode:
    """Two sessions with an init between, in cycle `at`, when the first has come to rest.

    Neither has a fault of the host.
    """
    operations, commands = len(first.trace), len(first.beats["cmd"])
    earlier = {"req": 4 * operations, "wdata": 2 * first.config.beats * operations}
    needs = [{stream: count + earlier[stream] for stream, count in each.items()}
             for each in second.after["rdata"]]
    rest = len(second.beats["cmd"]) - 1
    return Episode(
        name, {stream: beats + second.beats[stream] for stream, beats in first.beats.items()},
        after={"cmd": first.after["cmd"] + [{"rsp": commands}] * (rest + 1),
               "rdata": first.after["rdata"] + needs},
        delay={"cmd": [0] * commands + [at] + [0] * rest,
               "rdata": first.delay["rdata"] + second.delay["rdata"]},
        wires={"init": [1, *[0] * (at - 1), *INIT], "drain": [int(first.drain)]})


def init_between(config: OmapConfig, rng: np.random.Generator) -> tuple[Episode, list[Session]]:
    """A map in use is emptied by init, and used again."""
    sessions = [Session(config, rng) for _ in range(2)]
    for session in sessions:
        run_random(session, 25)
    cycles = config.clear_words + config.init_draws + 40 * config.interval
    return joined("init of a map in use", *sessions, at=cycles), sessions


def inits(config: OmapConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """`init_between`, again and again."""
    while True:
        yield init_between(config, rng)[0]


def offences(config: OmapConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """Each status code in an episode of its own; with a cipher a flipped bit alone."""
    if config.sealed:
        session = Session(config, rng)
        while not session.map.fatal:  # a page that was never written is not looked at
            session.run(NOP, 0, fault="flip")
        session.run(GET, 1)
        yield session.episode("flip")
        return
    full = Session(config, rng)
    for key in range(config.capacity + 1):
        full.run(PUT, key, key)
        while full.map.waiting.count:
            full.run(NOP, 0)
    full.run(GET, config.capacity)
    yield full.episode("miss and full")
    spilling = Session(config, rng)
    while not spilling.map.fatal:
        spilling.run(PUT, int(rng.integers(config.capacity)))
    spilling.run(GET, 1)
    yield spilling.episode("pending")
    crowded = Session(config, rng)
    for key in colliding(config, crowded.map.index, 2 * config.capacity):
        crowded.run(PUT, key)
        while crowded.map.waiting.count and not crowded.map.fatal:
            crowded.run(NOP, 0)
    yield crowded.episode("index")
    for fault in ("late", "dry"):
        session = Session(config, rng)
        session.run(NOP, 0, fault=fault)
        session.run(GET, 1)
        yield session.episode(fault)
