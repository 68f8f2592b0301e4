"""The workloads do what their names say, whatever the configuration."""

import numpy as np
import pytest
from omap_faults import CONFIG, answers

from pimlico.hdl.omap.config import DEL, FULL, GET, MISS, NOP, OK, PUT, OmapConfig
from pimlico.verif.omap.golden import Draw, ObliviousMap
from pimlico.verif.omap.workloads import WORKLOADS, generate

N = 3000
SMALLEST = OmapConfig(log2_pages=3, slots=3, capacity=1, key_width=8, value_width=8)
ALL_KEYS = OmapConfig(log2_pages=6, slots=6, capacity=256, key_width=8, value_width=8)
WIDE = OmapConfig(key_width=128, value_width=4096)


def run(name, config=CONFIG, n=N):
    work = generate(name, config, n, np.random.default_rng(3))
    return work, answers(config, work)


def filled(name, config=CONFIG):
    """Operations, keys and statuses after the map was filled."""
    work, given = run(name, config)
    fill = config.capacity
    assert (work.op[:fill] == PUT).all() and len(set(work.key[:fill].tolist())) == fill
    return work.op[fill:], work.key[fill:], given[fill:, 0]


def test_repeat_gets_one_key():
    op, key, status = filled("repeat")
    assert (op == GET).all() and (status == OK).all() and len(set(key.tolist())) == 1


def test_scan_gets_every_key_in_turn():
    op, key, status = filled("scan")
    assert (op == GET).all() and (status == OK).all()
    assert len(set(key[:CONFIG.capacity].tolist())) == CONFIG.capacity
    assert (key[CONFIG.capacity:] == key[:-CONFIG.capacity]).all()


def test_misses_only_miss():
    work, given = run("misses")
    assert set(work.op.tolist()) == {GET, DEL} and (given[:, 0] == MISS).all()


def test_put_only_puts_and_never_in_vain():
    work, given = run("put")
    assert (work.op == PUT).all() and (given[:, 0] == OK).all()
    assert given[:, 1].sum() == N - CONFIG.capacity


def test_put_and_del_take_turns():
    op, key, status = filled("put and del")
    assert (op[::2] == DEL).all() and (op[1::2] == PUT).all() and (status == OK).all()
    assert len(set(key.tolist())) == CONFIG.capacity


def test_full_puts_in_vain_and_gets():
    op, _, status = filled("full")
    assert (op[::2] == PUT).all() and (status[::2] == FULL).all()
    assert (op[1::2] == GET).all() and (status[1::2] == OK).all()


def test_spill_fills_pages_beyond_their_slots():
    work, _ = run("spill")
    rng = np.random.default_rng(4)
    half = CONFIG.pages // 2
    golden, beyond = ObliviousMap(CONFIG), 0
    host = [[0] * CONFIG.beats for _ in range(CONFIG.pages)]
    for command in zip(*(column.tolist() for column in work), strict=True):
        draw = Draw(*rng.integers(0, half, 4).tolist())
        access = golden.operate(*command, draw, host)
        assert access.written is not None and not golden.fatal
        for number, page in enumerate(access.pages):
            host[page + number * half] = access.written[number]
        beyond += any(record.load > CONFIG.slots for each in golden.records for record in each)
    assert beyond > N / 50


def test_mix_has_every_operation_and_end():
    work, given = run("mix")
    assert set(work.op.tolist()) == {NOP, GET, PUT, DEL}
    assert {OK, MISS} <= set(given[:, 0].tolist()) and set(given[:, 1].tolist()) == {0, 1}
    counts = np.sort(np.unique(work.key, return_counts=True)[1])
    assert counts[-1] > 10 * np.median(counts)


@pytest.mark.parametrize("config", [CONFIG, SMALLEST, ALL_KEYS, WIDE],
                         ids=["few-pages", "smallest", "all-keys", "wide"])
@pytest.mark.parametrize("name", WORKLOADS)
def test_commands_fit_the_configuration(name, config):
    work = generate(name, config, 700, np.random.default_rng(5))
    assert [len(column) for column in work] == [700] * 3
    assert all(key >> config.key_width == 0 for key in work.key.tolist())
    assert all(value >> config.value_width == 0 for value in work.value.tolist())
    assert not work.value[work.op != PUT].any()
    again = generate(name, config, 700, np.random.default_rng(5))
    assert all((one == other).all() for one, other in zip(work, again, strict=True))


def test_half_of_few_commands_fill_the_map():
    work = generate("scan", CONFIG, 100, np.random.default_rng(6))
    assert (work.op == [PUT] * 50 + [GET] * 50).all()


def test_there_is_no_other_workload():
    with pytest.raises(ValueError, match=r"must be one of repeat, scan, .*, not skan"):
        generate("skan", CONFIG, 10, np.random.default_rng(7))
