"""What lies in the trusted memories behind ports is what the golden model knows."""

import numpy as np
import pytest
from omap_configs import SMALL, run_random
from omap_play import Played

from pimlico.hdl.omap.config import DEL, GET, PUT, OmapConfig
from pimlico.verif.omap.crowds import Crowded, keys_of, value_of, waiting_behind
from pimlico.verif.omap.cycles import OmapCycles
from pimlico.verif.omap.session import Session
from pimlico.verif.omap.trusted import TrustedMemories, Words

CASES = {
    "port": SMALL["port"],
    "port-duplex": SMALL["port-duplex"],
    "port-sealed": SMALL["port-sealed"],
    "lists": SMALL["parts-duplex"] | {"trusted": "port", "trusted_latency": 2},
}


def crowded(config, rng):
    """Long lists, which keys leave from the middle."""
    session = Crowded(config, rng)
    keys = keys_of(config, rng, config.capacity)
    for key in [*keys, *(int(key) for key in rng.choice(keys, 30))]:
        session.run(int(rng.choice([PUT, GET])), key, value_of(config, rng))
    while behind := waiting_behind(session)[:4]:
        session.run(DEL, behind[-1])
    return session


def mixed(config, rng):
    session = Session(config, rng)
    run_random(session, 40)
    return session


@pytest.mark.parametrize("commands", [crowded, mixed])
@pytest.mark.parametrize("case", CASES)
def test_memories_hold_what_the_golden_model_knows(monkeypatch, case, commands, seed):
    config = OmapConfig(**CASES[case])
    session = commands(config, np.random.default_rng(seed))
    models = []
    made = OmapCycles.__init__
    monkeypatch.setattr(OmapCycles, "__init__",
                        lambda self, config: (made(self, config), models.append(self))[0])
    played = Played(config, session.episode("memories"), seed)
    assert played.responses == session.responses
    memories, words = models[0]._memories, Words(config)
    map_, waiting = session.map, session.map.waiting

    for half, name in enumerate(("lower", "upper")):
        for page, record in enumerate(map_.records[half]):
            assert memories.word(name, page) == words.record(
                record.used, record.head, record.load, record.version), f"{name} {page}"
            entry, before = record.head, None
            while entry is not None:
                key, value = waiting.items[entry]
                assert memories.word("items", entry) == key | value << config.key_width
                assert memories.word("next", entry) == words.link(waiting.next[entry])
                assert before is None or memories.word("prev", entry) == before
                entry, before = waiting.next[entry], entry
    free, count = waiting.free, 0
    while free is not None:
        assert memories.word("next", free) == words.link(waiting.next[free])
        free, count = waiting.next[free], count + 1
    assert count + waiting.count + (waiting.returned is not None) == config.pending_entries

    for way in range(config.index_ways):
        for address in range(1 << config.index_bits):
            entry = map_.index._ways[way].get(address)
            word = memories.word(f"way{way}", address)
            assert word & 1 == 0 if entry is None else word == words.entry(entry)


@pytest.mark.parametrize("latency", [2, 3, 64])
def test_an_answer_comes_after_the_latency_and_stays(latency, seed):
    config = OmapConfig(**SMALL["port"] | {"trusted_latency": latency})
    memories, rng = TrustedMemories(config), np.random.default_rng(seed)
    stored, asked, shown = {}, [], [memories.q["items"]]
    for now in range(300):
        address, word = (int(rng.integers(most)) for most in (
            config.pending_entries, 1 << config.tuple_width - 1))
        what = rng.integers(3)
        if what == 0:
            memories.tick({"items": (address, word)})
            stored[address] = word
        elif what == 1:
            memories.tick({"items": (address, None)})
            asked.append((now + latency, stored.get(address, memories.noise("items", address))))
        else:
            memories.tick({})
        shown.append(memories.q["items"])
    for now, word in enumerate(shown):
        answered = [word for at, word in asked if at <= now]
        assert word == (answered[-1] if answered else shown[0]), now


def test_an_address_beyond_a_memory_is_an_error():
    config = OmapConfig(**SMALL["port"])
    with pytest.raises(AssertionError, match="items has no word"):
        TrustedMemories(config).tick({"items": (config.pending_entries, None)})
