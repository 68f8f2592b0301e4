"""What `make report` runs is there."""

import sys
from pathlib import Path

import pytest

from pimlico.generators.block import blocks
from pimlico.generators.load import load

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
from results import CORES, commands

COMMANDS = dict(commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_names_a_core_that_loads(name):
    _, block, *options = COMMANDS[name]
    given = [options[at + 1] for at, option in enumerate(options) if option == "--preset"]
    settings = [options[at + 1] for at, option in enumerate(options) if option == "--set"]
    assert load(block, preset=given[0] if given else None, settings=settings).block.name == block


def test_every_block_is_in_the_report():
    """The channel is several of the banks."""
    assert set(CORES) == set(blocks()) - {"pim-channel"}


def test_every_file_has_a_name_of_its_own():
    assert len(COMMANDS) == len(commands())
