"""The cycle model of the OMAP controller against the golden map, and its timing."""

import numpy as np
import pytest
from omap_configs import (
    BASE,
    SMALL,
    init_between,
    random_config,
    run_random,
    sound_session,
    steady,
)
from omap_play import Played

from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.hdl.omap.config import (
    DEL,
    FATAL_INDEX,
    FATAL_PENDING,
    FATAL_TAMPER,
    GET,
    HOST_PROTOCOL,
    NOP,
    OK,
    PUT,
    RAND_UNDERRUN,
    OmapConfig,
)
from pimlico.verif.ascon.golden import open_
from pimlico.verif.omap.collisions import colliding
from pimlico.verif.omap.session import Session

PRESETS = find("omap-controller").preset_names
RATES = [{}, {"valid": {"cmd": 0.4, "random": 0.6}, "ready": {"rsp": 0.3}},
         {"ready": {"req": 0.3, "wdata": 0.4}}]
SOUND = [case for case in SMALL if case != "fatal"]


def preset_config(preset):
    return load("omap-controller", preset=preset).config


class Written:
    """Runs commands, and keeps the plain pages that each operation writes."""

    def __init__(self, session):
        self.session, self.pages = session, []

    def run(self, *command, **options):
        response = self.session.run(*command, **options)
        if response.status <= OK + 2:
            self.pages += [(page, list(self.session.host[page]))
                           for page in self.session.trace[-1]]
        return response


def agree(session, played):
    """Responses, requests and beats are the golden ones, and so are the wires at the end."""
    config, map_ = session.config, session.map
    beats = config.beats
    assert played.responses == session.responses
    requests = [config.port("req").unpack(word) for word in played.payloads("req")]
    reads = [request["page"] for request in requests if not request["write"]]
    assert reads == [page for pages in session.trace for page in pages]
    half = 1 << config.half_bits
    at = 0
    for lower, upper in session.trace:
        assert lower < half <= upper
        pages = requests[at:at + 4]
        assert [request["write"] for request in pages[:2]] == [0, 0]
        if len(pages) == 4 and pages[2]["write"]:
            assert [request["page"] for request in pages[2:]] == [lower, upper]
            at += 4
        else:
            at += 2
    assert at == len(requests)
    writes = sum(request["write"] for request in requests)
    assert len(played.beats["wdata"]) == writes * beats
    assert len(played.beats["rdata"]) == len(reads) * beats
    assert [word >> config.beat_width for word in played.payloads("wdata")] \
        == ([0] * (beats - 1) + [1]) * writes
    wires = dict(played.wires[-1])
    if len(session.trace) == len(session.responses):  # a refused command relocates, too
        assert wires["stash"] == map_.index.stashed
    assert wires | {"stash": 0} == {"ready": 1, "fatal": map_.fatal, "live": map_.live,
                                    "pending": map_.waiting.count, "stash": 0}


@pytest.mark.parametrize("case", SMALL)
def test_whole_sessions_equal_the_golden_map(case, seed):
    config = OmapConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    for rates in RATES:
        session = Session(config, rng, int(rng.choice([0, 3])), int(rng.choice([0, 4])),
                          drain=bool(rng.integers(2)))
        run_random(session, 30)
        agree(session, Played(config, session.episode("random", **rates), seed))


def test_sessions_on_random_configurations_equal_the_golden_map(seed):
    rng = np.random.default_rng(seed)
    for number in range(9):
        config = random_config(rng)
        session = Session(config, rng, drain=True)
        run_random(session, 25)
        agree(session, Played(config, session.episode("random", **RATES[number % 3]), seed))


@pytest.mark.parametrize(("case", "drain"), [
    ("four-a-beat", False), ("four-a-beat", True), ("parts", False), ("parts", True),
    ("fatal", True), ("sealed", False), ("sealed-parts", True)])
def test_sessions_with_faults_equal_the_golden_map(case, drain, seed):
    """What comes after a fault is refused, or with `drain` run as a del."""
    config = OmapConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    faults = ["mark", "late", "empty", "dry"] + ["flip", "replay", "swap"] * config.sealed
    for fault in faults:
        session = Session(config, rng, drain=drain)
        run_random(session, 10)
        while not session.map.fatal and len(session.responses) < 30:
            session.run(GET, 1, fault=fault)
        told = len(session.responses), len(session.beats["random"])
        run_random(session, 10)
        pause(session, *told)
        agree(session, Played(config, session.episode(fault), seed))


def pause(session, commands, draws):
    """Go on after so many commands when late pages have come and dry entropy was told of."""
    left = {"cmd": len(session.responses) - commands,
            "random": len(session.beats["random"]) - draws}
    session.delay["cmd"] = [0] * commands + [5000] + [0] * (left["cmd"] - 1)
    session.after["random"] = [{}] * draws + [{"rsp": commands}] * left["random"]


@pytest.mark.parametrize("case", ["two-a-beat", "parts", "sealed", "sealed-wide"])
def test_written_pages_are_the_golden_ones(case, seed):
    """Sealed ones under the key, the page's number and a version that counts up from 1."""
    config = OmapConfig(**SMALL[case])
    session = Session(config, np.random.default_rng(seed))
    written = Written(session)
    for turn in range(25):
        written.run((PUT, PUT, GET, DEL, NOP)[turn % 5], turn % 7, turn)
    played = Played(config, session.episode("pages"))
    words = [word & (1 << config.beat_width) - 1 for word in played.payloads("wdata")]
    octets = config.beat_width // 8
    versions = {}
    assert len(words) == len(written.pages) * config.beats
    for number, (page, plain) in enumerate(written.pages):
        beats = words[number * config.beats:(number + 1) * config.beats]
        if config.sealed:
            versions[page] = versions.get(page, 0) + 1
            nonce = page.to_bytes(8, "little") + versions[page].to_bytes(8, "little")
            sealed = b"".join(beat.to_bytes(octets, "little") for beat in beats)
            text = open_(key_of(session), nonce, nonce, sealed[:-16], sealed[-16:])
            assert text is not None
            text += bytes(16)
            beats = [int.from_bytes(text[at:at + octets], "little")
                     for at in range(0, len(text), octets)]
        assert beats == plain


def key_of(session):
    """The cipher's key: the last 128 of the secret bits that were drawn."""
    config = session.config
    secrets = 0
    for draw in session.beats["random"][:config.init_draws]:
        secrets = secrets << config.random_bits | draw
    above = config.seed_bits if config.index_hash == "drawn" else 0
    return (secrets >> above & (1 << 128) - 1).to_bytes(16, "little")


def intervals(config, rng, latency=1, count=10):
    """Cycles from launch to launch, and from the last beat written to the response."""
    session = steady(sound_session(config, rng, count), latency)
    played = Played(config, session.episode("back to back"))
    last = played.cycles("wdata")[2 * config.beats - 1::2 * config.beats]
    waits = np.subtract(played.cycles("rsp"), last)
    return np.diff(played.cycles("req")[::4]).tolist(), waits.tolist()


@pytest.mark.parametrize("case", SOUND)
def test_interval_and_latency_are_the_configs(case, seed):
    config = OmapConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    for latency in (1, 2, 15):
        between, waits = intervals(config, rng, latency)
        assert set(between) == {config.host_cycles(latency)}, f"latency {latency}"
        assert set(waits) == {config.latency}
    assert config.interval == config.host_cycles(1)


@pytest.mark.parametrize("sealed", [False, True])
def test_interval_of_random_configurations_is_exact(sealed, seed):
    rng = np.random.default_rng(seed)
    for _ in range(8 if sealed else 30):
        config = random_config(rng, cipher="ascon_aead128" if sealed else "none",
                               index_ways=4, index_stash=6, index_hash="drawn")
        latency = int(rng.integers(1, 30))
        between, waits = intervals(config, rng, latency, 6)
        assert set(between) == {config.host_cycles(latency)}, f"{config!r}, latency {latency}"
        assert set(waits) == {config.latency}


@pytest.mark.parametrize("preset", PRESETS)
def test_interval_of_presets_is_exact(preset, seed):
    config = preset_config(preset)
    between, waits = intervals(config, np.random.default_rng(seed), count=5)
    assert between == [config.interval] * 4 and waits == [config.latency] * 5


@pytest.mark.parametrize("case", SOUND)
def test_nothing_but_handshakes_sets_the_time(case, seed):
    """Other commands on other keys of another map, with the same stalls: the same cycles."""
    config = OmapConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    waits = (rng.integers(0, 6, 10_000) * (rng.random(10_000) < 0.4)).tolist()
    stalls = {"valid": {"cmd": 0.7, "random": 0.7},
              "ready": {"req": 0.6, "wdata": 0.6, "rsp": 0.5}}
    cycles = []
    for weights in ((1, 3, 4, 1), (0, 1, 0, 0), (0, 0, 1, 0), (1, 0, 0, 0), (0, 1, 6, 6)):
        while True:
            session = Session(config, rng)
            run_random(session, 20, weights)
            if not session.map.fatal:
                break
        played = Played(config, steady(session, waits=waits).episode("timed", **stalls), seed)
        cycles.append({port.name: played.cycles(port.name) for port in played.ports})
    assert all(other == cycles[0] for other in cycles[1:])
    assert len(cycles[0]["rsp"]) == 20


@pytest.mark.parametrize("case", SMALL)
def test_every_command_is_answered_in_bounded_time(case, seed):
    """Whatever the host does wrong, and with entropy that gives nothing."""
    config = OmapConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    faults = ["mark", "late", "empty", "dry", ""] + ["flip", "replay", "swap"] * config.sealed
    most = 2 * (config.host_cycles(config.host_latency_max) + config.host_latency_max)
    for fault in faults:
        session = Session(config, rng, drain=bool(rng.integers(2)))
        run_random(session, 6)
        for _ in range(6):
            session.run(GET, 3, fault="" if session.map.fatal or fault in ("late", "dry")
                        else fault)
        if fault in ("late", "dry") and not session.map.fatal:
            session.drain = False
            session.run(GET, 3, fault=fault)
            run_random(session, 6)
        played = Played(config, session.episode(fault or "none"))
        waited = np.subtract(played.cycles("rsp"), played.cycles("cmd"))
        assert waited.min() > 0 and waited.max() <= most, fault


def test_init_takes_its_time_and_the_host_sees_nothing_of_it(seed):
    for case in SMALL:
        config = OmapConfig(**SMALL[case])
        session = Session(config, np.random.default_rng(seed))
        session.run(NOP, 0)
        played = Played(config, session.episode("init"))
        ready = next(now for now, wires in enumerate(played.wires) if wires["ready"])
        assert ready == 1 + config.init_draws + config.clear_words
        assert min(played.cycles("req")) > ready and played.cycles("cmd")[0] == ready


@pytest.mark.parametrize("case", [name for name in SMALL if "entropy" not in SMALL[name]])
def test_init_empties_a_map_in_use(case, seed):
    """Also after a fatal status."""
    config = OmapConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    episode, (first, second) = init_between(config, rng)
    played = Played(config, episode)
    assert played.responses == first.responses + second.responses
    assert played.wires[-1]["live"] == second.map.live
    assert played.wires[-1]["fatal"] == second.map.fatal
    if case == "fatal":
        assert FATAL_PENDING in {wires["fatal"] for wires in played.wires}


def statuses(session, **options):
    played = Played(session.config, session.episode("codes", **options))
    assert played.responses == session.responses
    return [wires["fatal"] for wires in played.wires], played


@pytest.mark.parametrize(("fault", "code"), [
    ("mark", HOST_PROTOCOL), ("late", HOST_PROTOCOL), ("flip", FATAL_TAMPER),
    ("replay", FATAL_TAMPER), ("swap", FATAL_TAMPER), ("dry", RAND_UNDERRUN)])
def test_a_code_is_sticky_until_init(fault, code, seed):
    config = OmapConfig(**SMALL["sealed"])
    session = Session(config, np.random.default_rng(seed))
    while not session.map.fatal:
        session.run(PUT, 1, 2, fault=fault if len(session.trace) > 25 else "")
    for _ in range(3):
        session.run(GET, 1)
    fatal, _ = statuses(session)
    first = fatal.index(code)
    assert set(fatal[:first]) == {OK} and set(fatal[first:]) == {code}


def test_a_beat_that_was_not_asked_for_is_met_with_a_code(seed):
    config = OmapConfig(**BASE)
    session = Session(config, np.random.default_rng(seed))
    session.run(PUT, 1, 2)
    session.beats["rdata"].append(session.noise())
    session.after["rdata"].append({"rsp": 1})
    session.delay["rdata"].append(9)
    fatal, played = statuses(session)
    cause = played.cycles("rdata")[-1]
    assert fatal[cause] == OK and set(fatal[cause + 1:]) == {HOST_PROTOCOL}


@pytest.mark.parametrize("code", [FATAL_PENDING, FATAL_INDEX])
def test_a_full_buffer_refuses_what_comes_next(code, seed):
    rng = np.random.default_rng(seed)
    config = OmapConfig(**SMALL["fatal"] | (
        {"index_stash": 8, "index_ways": 4} if code == FATAL_PENDING else {"pending_depth": 12}))
    session = Session(config, rng)
    keys = range(12) if code == FATAL_PENDING else colliding(config, session.map.index, 12)
    for key in keys:
        session.run(PUT, key, 1)
    assert [response.status for response in session.responses][-1] == code
    fatal, played = statuses(session)
    assert fatal[-1] == code
    assert len(played.cycles("req")) == 4 * len(session.trace) < 4 * 12


@pytest.mark.parametrize("case", ["late", "dry"])
def test_the_watch_gives_the_host_and_entropy_exactly_their_time(case, seed):
    """`host_latency_max` cycles without a beat that might have come are one too many."""
    config = OmapConfig(**BASE)
    most = config.host_latency_max
    for waits, code in ((most - 2, OK), (most - 1, OK), (most, None), (most + 1, None)):
        session = Session(config, np.random.default_rng(seed))
        session.run(NOP, 0)
        session = steady(session)
        if case == "late":
            session.delay["rdata"][0] = waits
        else:
            # once looked up, a command is launched when a number comes, at the earliest
            lookup = config.trusted_latency + 3
            session.after["random"] = [{}] * config.init_draws + [{"cmd": 1}]
            session.delay["random"] = [0] * config.init_draws + [waits + lookup]
        played = Played(config, session.episode(case, cycles=500))
        code = {"late": HOST_PROTOCOL, "dry": RAND_UNDERRUN}[case] if code is None else code
        assert played.responses[0][0] == code, waits
