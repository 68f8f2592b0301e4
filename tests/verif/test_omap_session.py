"""A host that does wrong, and entropy that runs dry: what the user is told, and what is left."""

import numpy as np
import pytest
from omap_configs import BASE, SMALL, random_config, run_random, stored

from pimlico.hdl.omap.config import (
    DEL,
    FATAL_TAMPER,
    GET,
    HOST_PROTOCOL,
    MISS,
    NOP,
    OK,
    PUT,
    RAND_UNDERRUN,
    OmapConfig,
)
from pimlico.verif.ascon.golden import open_
from pimlico.verif.omap.crowds import keys_of, value_of
from pimlico.verif.omap.entropy import LinearGenerator
from pimlico.verif.omap.session import Session

CODES = {"mark": HOST_PROTOCOL, "late": HOST_PROTOCOL, "empty": HOST_PROTOCOL,
         "flip": FATAL_TAMPER, "replay": FATAL_TAMPER, "swap": FATAL_TAMPER,
         "dry": RAND_UNDERRUN}
NEEDS_CIPHER = ("flip", "replay", "swap")
HOSTS = [case for case in SMALL if case not in ("fatal", "linear")]


def filled(config, rng, fault, drain=True):
    """A session with as many keys as the map holds, all of them read once, and a dict of them.

    Without a cipher an empty page is only missed by the key that it holds: one key then.
    """
    session = Session(config, rng, drain=drain)
    known = {key: value_of(config, rng)
             for key in keys_of(config, rng, 1 if fault == "empty" else config.capacity)}
    for key, value in known.items():
        assert session.run(PUT, key, value) == (OK, 0, value)
    for key, value in known.items():
        assert session.run(GET, key) == (OK, 1, value)
    return session, known


def provoke(session, known, fault):
    """Gets with a fault of the host until one is told; the response, and the map before."""
    for _ in range(200):
        for _ in range(session.config.pages if fault == "empty" else 0):
            session.run(NOP, 0)  # which brings the item into its page
        before = stored(session), dict(session.host), session.map.live, session.map.waiting.count
        response = session.run(GET, int(session.rng.choice(np.array(list(known), object))),
                               fault=fault)
        if session.map.fatal:
            return response, before
        # a page that was never written is not looked at
        assert fault in ("empty", *NEEDS_CIPHER) and response.found
    raise AssertionError(f"{fault} is never told")


@pytest.mark.parametrize(("case", "fault"), [
    (case, fault) for case in HOSTS for fault in CODES
    if case.startswith("sealed") or fault not in NEEDS_CIPHER])
def test_a_fault_is_told_and_changes_nothing(case, fault, seed):
    """Map, pages and counts are as before; dels then find every item."""
    config = OmapConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    session, known = filled(config, rng, fault)
    response, before = provoke(session, known, fault)
    assert response == (CODES[fault], 0, 0) and session.map.fatal == CODES[fault]
    assert stored(session) == before[0] == known
    for page, beats in before[1].items():
        assert session.host[page] == beats
    assert (session.map.live, session.map.waiting.count) == before[2:]
    for key in rng.permutation(np.array(list(known), object)):
        assert session.run(int(rng.integers(4)), key, 1) == (OK, 1, known[key])
        assert session.run(GET, key) == (MISS, 0, 0)
    assert stored(session) == {}


@pytest.mark.parametrize("op", [NOP, GET, PUT, DEL])
def test_a_fault_in_any_operation_leaves_the_map_as_it_was(op, seed):
    rng = np.random.default_rng(seed)
    for key in (3, 12345):
        session = Session(OmapConfig(**BASE), rng, drain=True)
        session.run(PUT, 3, 7)
        assert session.run(op, key, 9, fault="mark").status == HOST_PROTOCOL
        assert stored(session) == {3: 7}
        assert session.run(PUT, 3, 8) == (OK, 1, 7)


@pytest.mark.parametrize("fault", CODES)
def test_after_a_fault_commands_are_refused_without_a_trace(fault, seed):
    config = OmapConfig(**SMALL["sealed" if fault in NEEDS_CIPHER else "four-a-beat"])
    rng = np.random.default_rng(seed)
    session, known = filled(config, rng, fault, drain=False)
    provoke(session, known, fault)
    trace, beats, draws = (len(session.trace), len(session.beats["rdata"]),
                           len(session.beats["random"]))
    for op in (NOP, GET, PUT, DEL):
        assert session.run(op, next(iter(known)), 1) == (CODES[fault], 0, 0)
    assert (len(session.trace), len(session.beats["rdata"])) == (trace, beats)
    assert len(session.beats["random"]) == draws
    assert stored(session) == known


def test_faults_in_random_sessions_lose_nothing(seed):
    """Between random commands on random configurations, at any load."""
    rng = np.random.default_rng(seed)
    told = set()
    for _ in range(25):
        config = random_config(rng, host_latency_max=30)
        session = Session(config, rng, drain=True)
        run_random(session, int(rng.integers(5, 60)))
        if session.map.fatal:
            continue
        before = stored(session)
        fault = str(rng.choice(["mark", "late", "dry", *NEEDS_CIPHER * config.sealed]))
        for key in [*before, *keys_of(config, rng, 3)]:
            session.run(GET, key, fault=fault)
            if session.map.fatal:
                break
        assert session.map.fatal in (OK, CODES[fault])
        assert stored(session) == before
        told.add(session.map.fatal)
        for key, value in before.items():
            assert session.run(DEL, key) == (OK, 1, value)
    assert len(told) > 1


@pytest.mark.parametrize("case", ["sealed", "sealed-parts", "sealed-wide"])
def test_a_page_in_memory_opens_only_under_its_key_address_and_version(case, seed):
    config = OmapConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    session = Session(config, rng)
    secrets = 0
    for draw in session.beats["random"]:
        secrets = secrets << config.random_bits | draw
    key = (secrets >> max(0, config.seed_bits if config.index_hash == "drawn" else 0)
           & (1 << 128) - 1).to_bytes(16, "little")
    session.run(PUT, 1, 5)
    first = session.trace[-1]
    while session.trace[-1][0] != first[0] or len(session.trace) == 1:
        session.run(NOP, 0)
    octets = config.beat_width // 8
    sealed = b"".join((beat & (1 << config.beat_width) - 1).to_bytes(octets, "little")
                      for beat in session.beats["rdata"][-2 * config.beats:-config.beats])
    version = sum(pages[0] == first[0] for pages in session.trace[:-1])

    def opened(under, page, number):
        nonce = page.to_bytes(8, "little") + number.to_bytes(8, "little")
        return open_(under, nonce, nonce, sealed[:-16], sealed[-16:])

    text = opened(key, first[0], version)
    assert text is not None and len(text) == config.beats * octets - 16
    assert opened(key, first[0], version + 1) is None
    assert opened(key, first[0] ^ 1, version) is None
    assert opened(bytes(16), first[0], version) is None


def test_pages_never_written_hold_noise_that_is_not_taken_for_items(seed):
    config = OmapConfig(**BASE)
    session = Session(config, np.random.default_rng(seed))
    assert [session.run(GET, key).status for key in range(30)] == [MISS] * 30
    assert any(session.beats["rdata"]) and not session.map.live


def test_the_linear_generator_takes_the_place_of_the_stream(seed):
    config = OmapConfig(**SMALL["linear"])
    session = Session(config, np.random.default_rng(seed))
    generator = LinearGenerator(config.random_bits)
    for _ in range(config.init_draws):
        generator.draw()
    assert "random" not in session.beats
    half = config.half_bits
    for _ in range(200):
        session.run(NOP, 0)
        draw = generator.draw()
        lower, upper = (draw >> at * half & (1 << half) - 1 for at in range(2))
        assert session.trace[-1] == (lower, upper | 1 << half)
    assert len(set(session.trace)) > 25
