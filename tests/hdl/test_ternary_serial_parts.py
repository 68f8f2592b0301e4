"""The order of a serial build, and the numbers that the configuration gives of it."""

import pytest

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.hdl.ternary.serial_table import LONE, PORTS, groups
from pimlico.hdl.ternary.serial_walk import walk
from pimlico.hdl.ternary.table import entry_digits


@pytest.mark.parametrize("mu", range(1, 6))
def test_the_walk_makes_every_entry_once_from_the_one_before(mu):
    digits = [0] * mu
    for step in walk(mu):
        digits[step.digit] += -1 if step.subtract else 1
        assert digits == entry_digits(step.entry, mu)
    assert sorted(step.entry for step in walk(mu)) == list(range(1, (3**mu - 1) // 2 + 1))


@pytest.mark.parametrize("ports", [1, 4, 5, 7, 8, 16, 22, 256])
def test_read_ports_are_grouped_in_order(ports):
    found = groups(ports)
    assert [first + size for first, size in found] == [first for first, _ in found[1:]] + [ports]
    assert all(size == 1 or LONE < size <= PORTS for _, size in found)


def test_numbers_of_a_serial_build():
    config = TernaryConfig(table="lutram", luts=4, keys=16)
    assert (config.mu, config.build_cycles, config.interval, config.latency) == (3, 13, 13, 16)
    assert config.row_tiles == 1024
    assert TernaryConfig(table="lutram", mu=1).interval == 2


def test_a_build_that_is_not_hidden_is_refused():
    with pytest.raises(ConfigError, match="raise m_max to 193"):
        TernaryConfig(table="lutram", luts=4, keys=16, m_max=192)
    TernaryConfig(table="lutram", luts=4, keys=16, m_max=193)
    TernaryConfig(table="lutram", luts=4, keys=16, m_max=1, allow_exposed_build=True)
