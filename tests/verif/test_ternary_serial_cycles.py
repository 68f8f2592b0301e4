"""The cycle model of the serially built ternary core against golden functions and contract."""

import numpy as np
import pytest
from ternary_play import make_job, rows_of, run
from ternary_serial_configs import SERIAL

from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.verif.ternary.formats import activation_beats, beats
from pimlico.verif.ternary.models import cycles
from pimlico.verif.ternary.random_jobs import Jobs
from pimlico.verif.ternary.serial_cycles import SerialCycles

CASES = [name for name in SERIAL if name != "smallest"]


@pytest.mark.parametrize("case", CASES)
def test_whole_jobs_equal_numpy(case, seed):
    config = TernaryConfig(**SERIAL[case])
    rng = np.random.default_rng(seed)
    for _ in range(3):
        sources, values = make_job(config, rng, *Jobs(config, rng).size())
        results, _ = run(config, sources, lambda name: rng.random() < 0.3)
        rows, lasts = rows_of(config, results)
        np.testing.assert_array_equal(rows, values)
        assert lasts == [0] * (len(lasts) - 1) + [1]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("more", [-1, 0, 1, 4])
def test_latency_interval_and_length_are_the_configs(case, more, seed):
    """`more` row tiles than a build takes cycles: the job's beats, or a build a column tile."""
    config = TernaryConfig(**SERIAL[case])
    rng = np.random.default_rng(seed)
    tiles = min(max(1, config.interval + more), config.row_tiles)
    n, _ = Jobs(config, rng).size(3)
    m = min(tiles * config.keys, config.m_max)
    first, _ = make_job(config, rng, n, m)
    second, _ = make_job(config, rng, n, m)
    sources = {name: words + second[name] for name, words in first.items()}
    results, accepted = run(config, sources)
    columns, pace = config.tile_beats(n), max(tiles, config.interval)
    last = max(tiles, config.build_cycles)
    starts = [(columns - 1) * pace, 2 * (columns - 1) * pace + last]
    assert [now for now, _ in results] == [
        accepted[0] + start + tile + config.latency for start in starts for tile in range(tiles)]
    assert accepted[1] - accepted[0] == config.build_cycles or len(accepted) < 2
    if pace == last:
        assert np.diff(accepted[2:]).tolist() == [pace] * max(0, 2 * columns - 3)
    if tiles >= config.interval:
        assert results[-1][0] == accepted[0] - 1 + 2 * config.job_beats(n, m) + config.latency


def test_beats_go_column_tile_by_column_tile(seed):
    rng = np.random.default_rng(seed)
    serial = TernaryConfig(table="lutram", mu=2, luts=2, keys=3)
    parallel = TernaryConfig(mu=2, luts=2, keys=3)
    weights = rng.integers(-1, 2, (8, 11)).astype(np.int8)
    x = rng.integers(-128, 128, 11)
    by_row = np.reshape(np.array(beats(parallel, weights), dtype=object), (3, 3))
    assert beats(serial, weights) == by_row.T.ravel().tolist()
    assert activation_beats(serial, x, 8) == activation_beats(parallel, x, 8)[:3]


def test_the_model_is_that_of_the_build():
    assert isinstance(cycles(TernaryConfig(table="lutram")), SerialCycles)
    assert not isinstance(cycles(TernaryConfig()), SerialCycles)
