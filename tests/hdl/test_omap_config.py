"""What the OMAP controller refuses at generation, word for word, and its derived numbers."""

from typing import get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from omap_configs import SMALL

from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.omap.config import BEAT_WIDTHS, STATUS, TAG_BITS, OmapConfig

BLOCK = find("omap-controller")

REFUSALS = {
    "key_width below": (
        {"key_width": 7}, "key_width = 7: must be 8 to 128 (width of a key, in bits)"),
    "key_width above": (
        {"key_width": 129}, "key_width = 129: must be 8 to 128 (width of a key, in bits)"),
    "key_width for capacity": (
        {"key_width": 8},
        "key_width = 8: must be at least 9, log2 of capacity = 512; set it to 9, or capacity to "
        "256"),
    "key_width above a beat": (
        {"key_width": 40, "beat_width": 32},
        "key_width = 40: must fit in a beat of 32 bits; set beat_width to 64"),
    "value_width": (
        {"value_width": 4097},
        "value_width = 4097: must be 8 to 4096 (width of a value, in bits)"),
    "log2_pages": (
        {"log2_pages": 2},
        "log2_pages = 2: must be 3 to 24 (pages in host memory, as a power of two; half of them "
        "are lower, half upper)"),
    "slots below": (
        {"slots": 1}, "slots = 1: must be 2 to 32 (items that a page has room for, Z)"),
    "slots for capacity": (
        {"slots": 3},
        "slots = 3: must be at least 4, two more than the 2 items a page of 512 keys in 256 "
        "pages; raise slots or log2_pages"),
    "capacity": (
        {"capacity": 1153},
        "capacity = 1153: must be at most 0.9 * pages * slots = 1152; raise log2_pages or slots"),
    "beat_width": (
        {"beat_width": 48},
        "beat_width = 48: must be one of 32, 64, 128, 256, 512 (width of a beat of the host's "
        "bus, in bits)"),
    "page_bits not whole beats": (
        {"page_bits": 500}, "page_bits = 500: must be whole beats of 512 bits; set it to 512"),
    "page_bits too small": (
        {"value_width": 96, "page_bits": 512},
        "page_bits = 512: must be at least 1024, for 5 slots of 128 bits; set it to 1024, or "
        "leave it unset"),
    "page_bits too small for a tag": (
        {"cipher": "ascon_aead128", "page_bits": 512},
        "page_bits = 512: must be at least 1024, for 5 slots of 96 bits and a tag; set it to "
        "1024, or leave it unset"),
    "bus": (
        {"bus": "axi"},
        "bus = axi: must be one of shared, duplex (host bus: reads and writes in turn, or those "
        "of adjacent operations at once)"),
    "pending_depth above capacity": (
        {"pending_depth": 513},
        "pending_depth = 513: must be at most capacity = 512; no more keys than that can wait"),
    "merge_budget": (
        {"merge_budget": 6}, "merge_budget = 6: must be at most slots = 5; set it to 5"),
    "index_ways": (
        {"index_ways": 1},
        "index_ways = 1: must be 2 to 8 (memories of the index, each with one place for a key)"),
    "index_stash": (
        {"index_stash": 17},
        "index_stash = 17: must be 2 to 16 (entries that wait for a place in the index)"),
    "trusted": (
        {"trusted": "hbm"},
        "trusted = hbm: must be one of on_chip, port (trusted memories: in the block, or behind "
        "ports of its own, for isolated HBM)"),
    "trusted_latency below": (
        {"trusted": "port", "trusted_latency": 1},
        "trusted_latency = 1: must be 2 to 64 (cycles from the address of a trusted memory to "
        "its word; 2 on the chip)"),
    "trusted_latency above": (
        {"trusted": "port", "trusted_latency": 65},
        "trusted_latency = 65: must be 2 to 64 (cycles from the address of a trusted memory to "
        "its word; 2 on the chip)"),
    "trusted_latency on the chip": (
        {"trusted_latency": 3},
        "trusted_latency = 3: must be 2 for memories on the chip; leave it unset, or set trusted "
        "= port"),
    "cipher": (
        {"cipher": "aes"},
        "cipher = aes: must be one of none, ascon_aead128 (none: the host sees the contents, and "
        "may change them; ascon_aead128: pages are encrypted and authenticated)"),
    "cipher_rounds_per_cycle": (
        {"cipher_rounds_per_cycle": 3},
        "cipher_rounds_per_cycle = 3: must be one of 1, 2, 4 (rounds of the cipher's permutation "
        "in a cycle)"),
    "linear generator": (
        {"entropy": "lfsr"},
        "entropy = lfsr: must be stream outside test mode; the pages in the trace are the random "
        "numbers, and give a linear generator away; for tests set test_mode = true"),
    "host_latency_max": (
        {"host_latency_max": 0},
        "host_latency_max = 0: must be 1 to 65535 (cycles that the host, or random, may keep an "
        "operation waiting for a beat)"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_names_field_value_legal_values_and_advice(case):
    parameters, message = REFUSALS[case]
    with pytest.raises(ConfigError) as error:
        OmapConfig(**parameters)
    assert str(error.value) == message


def test_an_item_waiting_too_many_is_refused_unless_allowed():
    bound = OmapConfig().pending_bound
    for depth in (1, bound - 1):
        with pytest.raises(ConfigError) as error:
            OmapConfig(pending_depth=depth)
        assert str(error.value) == (
            f"pending_depth = {depth}: must be at least {bound}, which random pages keep to; set "
            f"it to {bound}, or to capacity = 512, which cannot fail, or set allow_fatal")
        assert OmapConfig(pending_depth=depth, allow_fatal=True).pending == depth
    for depth in (bound, 512):
        assert OmapConfig(pending_depth=depth).pending == depth
    assert OmapConfig().pending == bound


@pytest.mark.parametrize(("parameters", "advised"), [
    (REFUSALS["key_width for capacity"][0], {"key_width": 9}),
    (REFUSALS["key_width for capacity"][0], {"capacity": 256}),
    (REFUSALS["key_width above a beat"][0], {"beat_width": 64}),
    (REFUSALS["page_bits not whole beats"][0], {"page_bits": 512}),
    (REFUSALS["page_bits too small"][0], {"page_bits": 1024}),
    (REFUSALS["page_bits too small for a tag"][0], {"page_bits": 1024}),
    (REFUSALS["merge_budget"][0], {"merge_budget": 5}),
    (REFUSALS["trusted_latency on the chip"][0], {"trusted": "port"}),
    (REFUSALS["linear generator"][0], {"test_mode": True}),
    (REFUSALS["slots for capacity"][0], {"slots": 4}),
    (REFUSALS["capacity"][0], {"slots": 7}),
])
def test_what_is_advised_is_taken(parameters, advised):
    OmapConfig(**parameters | advised)


@st.composite
def configs(draw):
    """Legal configurations, page and pending buffer of any size among them."""
    slots = draw(st.integers(3, 32))
    parameters = {
        "key_width": draw(st.integers(8, 128)), "value_width": draw(st.integers(8, 4096)),
        "log2_pages": draw(st.integers(3, 24)), "slots": slots,
        "beat_width": draw(st.sampled_from(BEAT_WIDTHS)),
        "bus": draw(st.sampled_from(["shared", "duplex"])),
        "merge_budget": draw(st.none() | st.integers(1, slots)),
        "index_ways": draw(st.integers(2, 8)),
        "index_hash": draw(st.sampled_from(["drawn", "fixed"])),
        "cipher": draw(st.sampled_from(["none", "ascon_aead128"])),
        "cipher_rounds_per_cycle": draw(st.sampled_from([1, 2, 4])),
    }
    most = min((1 << parameters["log2_pages"]) * (slots - 2), 1 << parameters["key_width"])
    parameters["capacity"] = draw(st.integers(1, most))
    assume(parameters["key_width"] <= parameters["beat_width"])
    assume(parameters["capacity"] * 10 <= (1 << parameters["log2_pages"]) * slots * 9)
    return OmapConfig(**parameters)


@settings(max_examples=150, deadline=None)
@given(configs())
def test_derived_numbers_go_together(config):
    places = config.lanes * (config.slot_beats // config.parts)
    assert config.slots <= places < config.slots + config.lanes
    if config.parts == 1:
        assert config.lanes * config.tuple_width <= config.beat_width
    else:
        assert config.lanes == 1
        assert (config.parts - 1) * config.beat_width < config.tuple_width \
            <= config.parts * config.beat_width
    page = config.beats * config.beat_width
    assert page >= config.slots * config.tuple_width + TAG_BITS * config.sealed
    assert config.host_bytes * 8 == 4 * page
    assert OmapConfig(**config.model_dump() | {"page_bits": page}).beats == config.beats
    if config.beats > 1:
        with pytest.raises(ConfigError, match=f"must be at least {page}"):
            OmapConfig(**config.model_dump() | {"page_bits": page - config.beat_width})
    assert 1 <= config.merges <= config.slots
    assert config.pending <= config.capacity
    assert 1 << config.pointer_bits >= config.pending_entries > config.pending
    assert config.index_ways << config.index_bits > config.capacity
    assert 1 << config.load_bits > config.capacity
    drawn = config.init_draws * config.random_bits
    assert drawn - config.random_bits < config.secret_bits <= drawn
    assert 0 <= config.fixed_seed < 1 << config.seed_bits
    assert config.clear_words == max(words for words, _ in config.memories.values())


@settings(max_examples=150, deadline=None)
@given(configs())
def test_ports_carry_the_fields(config):
    ports = {port.name: port for port in config.ports}
    assert {name: port.direction for name, port in ports.items()} == {
        "cmd": "in", "random": "in", "req": "out", "wdata": "out", "rdata": "in", "rsp": "out",
        "init": "in", "ready": "out", "drain": "in", "fatal": "out", "live": "out",
        "pending": "out", "stash": "out"}
    assert ports["cmd"].width == 2 + config.tuple_width
    assert ports["random"].width == config.random_bits == 4 * (config.log2_pages - 1)
    assert ports["req"].width == config.log2_pages + 1
    assert ports["wdata"].width == ports["rdata"].width == config.beat_width + 1
    assert ports["rsp"].width == 4 + config.value_width
    behind = {port.name: port for port in on_port(config, 9).ports if port.name not in ports}
    assert list(behind) == [f"{name}_{wire}" for name in config.memories
                            for wire in ("enable", "write", "address", "data", "q")]
    for name, (words, bits) in config.memories.items():
        enable, write, address, data, q = (behind[f"{name}_{wire}"] for wire in (
            "enable", "write", "address", "data", "q"))
        assert (enable.width, write.width, data.width, q.width) == (1, 1, bits, bits)
        assert 1 << address.width - 1 < words <= 1 << address.width
        assert (address.when, data.when) == (enable.name, write.name)
        assert {wire.direction for wire in (enable, write, address, data)} == {"out"}
        assert q.direction == "in"
    for name, most in {"live": config.capacity, "pending": config.pending + 1,
                       "stash": config.index_stash}.items():
        assert most.bit_length() == ports[name].width, name


def on_port(config, latency):
    return OmapConfig(**config.model_dump() | {"trusted": "port", "trusted_latency": latency})


@settings(max_examples=200, deadline=None)
@given(configs(), st.integers(1, 200), st.integers(2, 63))
def test_a_cycle_of_trusted_latency_costs_a_turn_of_the_walk(config, latency, trusted):
    """And the lookup's cycle beside it, where items come in the place of empty slots."""
    assert on_port(config, 2).host_cycles(latency) == config.host_cycles(latency)
    assert 0 <= on_port(config, trusted + 1).host_cycles(latency) \
        - on_port(config, trusted).host_cycles(latency) <= config.merges + 2 - config.appends


@settings(max_examples=300, deadline=None)
@given(configs(), st.integers(1, 40))
def test_interval_keeps_the_contract(config, latency):
    """4P + 8 and the host's latency on a shared bus, 2P + 8 on a duplex one.

    On a duplex bus two relocations of the index may take longer, and the first beat of an item
    of several can be taken five cycles after its request, at the earliest. Ciphers take longer,
    and so does a merge budget that was asked for.
    """
    assert config.interval == config.host_cycles(1) <= config.host_cycles(latency)
    assert config.host_cycles(latency + 1) - config.host_cycles(latency) in (0, 1)
    if config.sealed or config.merge_budget is not None:
        return
    if config.bus == "shared":
        assert config.host_cycles(latency) <= 4 * config.beats + 8 + latency
    else:
        least = 5 if config.parts > 1 else 1
        assert config.host_cycles(latency) <= max(
            config.relocated + 1, 2 * config.beats + 8 + max(latency, least))


@pytest.mark.parametrize("preset", ["one-line", "one-line-sealed"])
def test_an_operation_of_the_one_line_presets_moves_256_bytes(preset):
    config = load("omap-controller", preset=preset).config
    assert (config.mean_load, config.tuple_width) == (2, 96)
    assert (config.beats, config.host_bytes) == (1, 256)
    assert config.slots == (4 if config.sealed else 5)


@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_presets_hold_their_capacity_without_a_fatal_status(preset):
    config = load("omap-controller", preset=preset).config
    assert config.pending == config.pending_bound and not config.allow_fatal
    assert config.entropy == "stream" and config.index_hash == "drawn"


def test_an_operation_at_512_bits_a_beat_takes_20_cycles_beside_the_hosts_own():
    config = load("omap-controller", preset="bolt-u55c").config
    assert (config.mean_load, config.slots, config.beat_width) == (8, 12, 512)
    assert config.interval - 1 <= 20


def test_every_status_code_has_its_text():
    assert list(STATUS) == list(range(8))
    assert all(STATUS.values())


def test_the_configurations_under_test_take_every_value():
    small = [OmapConfig(**parameters) for parameters in SMALL.values()]
    for name, field in OmapConfig.model_fields.items():
        values = get_args(field.annotation) if field.annotation is not bool else (False, True)
        taken = {getattr(config, name) for config in small}
        if type(None) in values:
            assert None in taken and len(taken) > 1, name
        elif values:
            assert set(values) == taken, name
    for name, values in {"index_ways": {2, 4, 8}, "index_stash": {2, 3, 4, 16},
                         "parts": {1, 3, 4}, "lanes": {1, 2, 3, 4, 8},
                         "beats": {1, 2, 4}, "merges": {1, 2, 3, 4}}.items():
        assert values <= {getattr(config, name) for config in small}, name
    assert any(config.beats > config.slot_beats and not config.sealed for config in small)
    assert {(config.bus, config.appends) for config in small} == {
        (bus, appends) for bus in ("shared", "duplex") for appends in (False, True)}
