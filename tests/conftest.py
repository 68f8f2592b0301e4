"""Seeds that vary from run to run, and tests that only ``--deep`` selects."""

import os
import secrets
import sys
import zlib
from pathlib import Path

import pytest

SEED = "PIMLICO_SEED"

# The outside package is imported from its source where a test does not install it.
sys.path.insert(0, str(Path(__file__).parent / "plugin"))


def pytest_addoption(parser):
    parser.addoption("--deep", action="store_true", help="run the long campaigns too")


def pytest_configure(config):
    # Set before pytest-xdist starts its workers, so that all share one.
    os.environ.setdefault(SEED, str(secrets.randbits(32)))


def pytest_report_header(config):
    return f"seed: {os.environ[SEED]} (repeat with {SEED}={os.environ[SEED]})"


def pytest_collection_modifyitems(config, items):
    if config.getoption("--deep"):
        return
    deep = [item for item in items if item.get_closest_marker("deep")]
    if deep:
        config.hook.pytest_deselected(items=deep)
        items[:] = [item for item in items if item not in deep]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and "seed" in getattr(item, "fixturenames", ()):
        report.sections.append(("seed", f"repeat with {SEED}={os.environ[SEED]}"))
    return report


@pytest.fixture
def seed(request):
    """An integer of 32 bits, another for each test and each run."""
    return zlib.crc32(request.node.nodeid.encode(), int(os.environ[SEED]) & 0xFFFFFFFF)
