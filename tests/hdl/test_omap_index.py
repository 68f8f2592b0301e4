"""The index of the OMAP controller in Amaranth's simulator, and its golden model by itself."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from omap_configs import BASE, keys_of

from pimlico.hdl.omap.config import RELOCATIONS, OmapConfig
from pimlico.hdl.omap.hashing import IndexHash
from pimlico.hdl.omap.index import Index as IndexRtl
from pimlico.verif.omap.collisions import colliding
from pimlico.verif.omap.index import Entry, Index

MAKES = {
    "two-ways": {"index_ways": 2, "index_stash": 2},
    "three-ways": {"index_ways": 3, "index_stash": 4, "key_width": 9, "capacity": 16},
    "eight-ways": {"index_ways": 8, "index_stash": 3, "key_width": 30, "capacity": 16},
    "five-ways": {"index_ways": 5, "index_stash": 16, "log2_pages": 6, "capacity": 128,
                  "key_width": 64},
}


def config_of(make):
    return OmapConfig(**BASE | MAKES[make])


def seed_of(config, rng):
    return int.from_bytes(rng.bytes(64), "little") & (1 << config.seed_bits) - 1


def simulate(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6, if_exists=True)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("make", MAKES)
def test_addresses_are_those_of_the_golden_hash(make, seed):
    config = config_of(make)
    rng = np.random.default_rng(seed)
    dut = IndexHash(config)

    async def bench(context):
        for _ in range(20):
            golden = Index(config, seed_of(config, rng))
            context.set(dut.seed, golden._seed)
            for key in [0, 1, (1 << config.key_width) - 1, *keys_of(config, rng, 10)]:
                context.set(dut.key, key)
                await context.delay(1e-6)
                word = context.get(dut.addresses)
                assert [word >> way * config.index_bits & (1 << config.index_bits) - 1
                        for way in range(config.index_ways)] == golden.hash(key)

    simulate(dut, bench)


@pytest.mark.parametrize("make", ["two-ways", "three-ways", "eight-ways"])
def test_operations_equal_those_of_the_golden_index(make, seed):
    """Keys come, change and go, up to a full stash; all take the same number of cycles."""
    config = config_of(make)
    rng = np.random.default_rng(seed)
    golden = Index(config, seed_of(config, rng))
    dut = IndexRtl(config)
    keys = colliding(config, golden, 8) + keys_of(config, rng, config.capacity)
    times, stashed = set(), set()

    def entry_of(key):
        return Entry(key, *(int(rng.integers(1 << bits)) for bits in (
            config.half_bits, config.half_bits, 1, config.pointer_bits)))

    async def operate(context):
        key = int(rng.choice(np.array(keys, object)))
        place = golden.find(key)
        context.set(dut.start, 1)
        context.set(dut.start_key, key)
        await context.tick()
        context.set(dut.start, 0)
        context.set(dut.key, key)
        cycles = 0
        for _ in range(RELOCATIONS):
            golden.relocate(key)
        while not context.get(dut.settled):
            if context.get(dut.done):
                assert context.get(dut.found) == (place is not None)
            await context.tick()
            cycles += 1
        times.add(cycles)
        if place is not None:
            target = context.get(dut.target)
            assert (target.a, target.b, target.which, target.pointer) == (
                place.entry.a, place.entry.b, place.entry.which, place.entry.pointer)
        changed = entry_of(key)
        for name in ("a", "b", "which", "pointer"):
            context.set(getattr(dut.updated, name), getattr(changed, name))
        wire = "retire"
        if place is None and not golden.full and rng.random() < 0.8:
            wire = "update"
            golden.add(changed)
        elif place is not None and rng.random() < 0.7:
            wire = "update"
            if rng.random() < 0.4:
                golden.remove(place)
                context.set(dut.remove, 1)
            else:
                golden.update(place, a=changed.a, b=changed.b, which=changed.which,
                              pointer=changed.pointer)
        context.set(dut.insert, int(place is None))
        context.set(getattr(dut, wire), 1)
        await context.tick()
        for name in (wire, "remove", "insert"):
            context.set(getattr(dut, name), 0)
        assert context.get(dut.stashed) == golden.stashed
        assert context.get(dut.full) == golden.full
        stashed.add(golden.stashed)

    async def bench(context):
        context.set(dut.seed, golden._seed)
        context.set(dut.clear, 1)
        for address in range(1 << config.index_bits):
            context.set(dut.clear_address, address)
            await context.tick()
        context.set(dut.clear, 0)
        await context.tick()
        for _ in range(250):
            await operate(context)

    simulate(dut, bench)
    assert times == {config.relocated}
    assert len(stashed) > 1


@pytest.mark.parametrize("kind", ["counting", "random", "strided"])
def test_a_map_at_capacity_fits_its_index(kind, seed):
    """Keys that count up, too, of which a linear hash would overflow the stash by one in 20."""
    config = OmapConfig(log2_pages=6, slots=4, capacity=128, key_width=24)
    rng = np.random.default_rng(seed)
    overflows = sum(_overflows(config, rng, kind) for _ in range(150))
    assert overflows <= 3


def _overflows(config, rng, kind):
    index = Index(config, seed_of(config, rng))
    keys = {"counting": range(128), "random": keys_of(config, rng, 128),
            "strided": range(0, 128 << 10, 1 << 10)}[kind]
    for key in keys:
        for _ in range(RELOCATIONS):
            index.relocate(key)
        index.add(Entry(key, 0, 0, 0, 0))
        if index.full:
            return True
    assert sorted(entry.key for entry in index.entries()) == sorted(keys)
    return False


def test_relocation_keeps_all_entries_and_never_moves_the_key_in_hand(seed):
    config = config_of("two-ways")
    rng = np.random.default_rng(seed)
    index = Index(config, seed_of(config, rng))
    keys = keys_of(config, rng, config.capacity)
    for key in keys[:-1]:
        for _ in range(20):
            index.relocate(-1)
        if not index.full:
            index.add(Entry(key, 1, 2, 0, 3))
    known = sorted(entry.key for entry in index.entries())
    for _ in range(200):
        held = int(rng.choice(known))
        place = index.find(held)
        index.relocate(held)
        assert index.find(held) == place
        assert sorted(entry.key for entry in index.entries()) == known
        index.relocate(int(rng.choice(keys)))


def test_colliding_keys_share_every_address(seed):
    config = config_of("eight-ways")
    index = Index(config, seed_of(config, np.random.default_rng(seed)))
    keys = colliding(config, index, 20)
    assert len(set(keys)) == 20 and max(keys) < 1 << config.key_width
    assert len({tuple(index.hash(key)) for key in keys}) == 1
