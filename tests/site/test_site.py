"""The page about all blocks: what it reads, what it shows, and how a browser sees it."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.image
import pytest

from pimlico.generators.block import blocks
from pimlico.hdl.common.config import ConfigError
from pimlico.site.build import build
from pimlico.site.collect import outcome, read_results, read_tests
from pimlico.site.plots import front
from pimlico.site.sections import label

NONE = dict.fromkeys(("transistors", "depth", "lut", "ff", "dsp", "bram", "lutram", "fmax_mhz",
                      "per_mac", "macs"))
RESULTS = [
    {"command": "synth", "block": "ternary-gemm", "preset": "tiny", "settings": [], **NONE,
     "target": "ice40", "lut": 186, "ff": 110, "macs": 4, "per_mac": 46.5},
    {"command": "synth", "block": "ternary-gemm", "preset": None, "settings": ["keys=3"], **NONE,
     "target": "ice40", "lut": 12345, "ff": 110, "macs": 8, "per_mac": 9.25},
    {"command": "verify", "block": "ternary-gemm", "preset": "tiny", "settings": [],
     "passed": True, "seed": 7, "simulators": {"icarus": {
         "passed": True, "cycles": 2000, "comparisons": 65432, "cycles_per_second": 99}}},
    {"command": "prove", "block": "kv-history", "preset": "ecp5-256", "settings": [],
     "passed": False, "properties": {"held": {
         "status": "failed", "mode": "bounded", "depth": 12, "shows": "beats < hold"}}},
    {"command": "mutate", "block": "kv-history", "preset": None, "settings": [], "killed": 9,
     "total": 10, "equivalent": 2, "score": 90.0, "cycles": 500, "seed": 3,
     "coverage": {"line": 99.5, "toggle": 88.5},
     "survivors": [{"number": 1, "change": "inverted", "signal": "core.a[0]", "line": 12,
                    "text": "assign a = b < c;"}]},
    {"command": "build", "block": "ternary-gemm", "preset": "tiny", "settings": [],
     "board": "icebreaker", "fmax_mhz": 30.5, "timing_met": True},
]
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.sim.test_a" name="test_one[x]"/>
<testcase classname="tests.sim.test_a" name="test_one[y]"><failure/></testcase>
<testcase classname="tests.sim.test_a" name="test_two"/>
<testcase classname="tests.sim.test_a" name="test_three"><skipped/></testcase>
</testsuite></testsuites>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page's path, made of `RESULTS`."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "results").mkdir()
    for number, result in enumerate(RESULTS):
        (folder / "results" / f"{number}.json").write_text(json.dumps(result))
    told = build(folder / "out", folder / "results")
    assert (told["blocks"], told["results"]) == (len(blocks()), len(RESULTS))
    return Path(told["page"])


def test_every_block_and_result_is_there(site):
    page = site.read_text()
    assert re.findall(r'<section id="([\w-]+)">', page) == list(blocks())
    for shown in ("12 345", "46.5", "65 432", "30.5", "keys=3", "percent of iCE40 UP5K",
                  "MAC a cycle", "9 of 10 killed, 90.0 %", "assign a = b &lt; c;",
                  "beats &lt; hold", "12 cycles"):
        assert shown in page, shown
    assert page.count("<svg") >= 2 * len(blocks())


def test_the_page_needs_nothing_else(site):
    page = site.read_text()
    assert not re.search(r'(?:src|href)="(?!#)', page)
    names = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert [name for name, number in names.items() if number > 1] == []
    for picture in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        ElementTree.fromstring(re.sub(r"\sxlink:href", " href", picture))


def test_a_browser_shows_it(site, tmp_path):
    shot = tmp_path / "shot.png"
    run = subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1200,3000",
         f"--screenshot={shot}", site.as_uri()],
        capture_output=True, text=True, timeout=120)
    assert shot.exists(), run.stderr
    picture = matplotlib.image.imread(shot)[..., :3]
    assert picture.shape == (3000, 1200, 3)
    bar, body = picture[5:35], picture[60:]
    assert bar.mean() < 0.3, "the dark bar with the blocks' names"
    inked = (body.min(axis=2) < 0.5).mean(axis=1)
    assert 0.3 < (inked > 0).mean() < 0.95, "lines of text and drawings, and space between them"
    assert (inked[-500:] > 0).any(), "down to the foot of the picture"
    white = (body > 0.99).all(axis=2)
    assert white[:, -20:].all(), "nothing runs out on the right"


@pytest.mark.parametrize("text", ["no json", "[]", '{"command": "show", "block": "x"}',
                                  '{"command": "synth"}'])
def test_what_no_command_printed_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ConfigError, match=r"^--results = .*a\.json: must hold the object that a "
                                          r"command printed with --json"):
        build(tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"^--results = .*: must be a folder of what commands"):
        read_results(tmp_path / "none")


def test_the_state_of_a_plan(tmp_path):
    path = tmp_path / "tests.xml"
    path.write_text(JUNIT)
    outcomes = read_tests(path)
    assert outcome(["tests/sim/test_a.py::test_one"], outcomes) == "failed"
    assert outcome(["tests/sim/test_a.py::test_one[x]"], outcomes) == "passed"
    assert outcome(["tests/sim/test_a.py::test_two", "tests/sim/test_a.py::test_one"],
                   outcomes) == "failed"
    assert outcome(["tests/sim/test_a.py::test_three"], outcomes) == "skipped"
    assert outcome(["tests/sim/test_a.py::test_four"], outcomes) == "not run"
    assert outcome(["tests/sim/test_a.py::test_two"], None) == "not run"
    path.write_text("no xml")
    with pytest.raises(ConfigError, match=r"^--tests = .*: must be a file of pytest --junitxml"):
        read_tests(path)


def test_the_front_is_what_no_other_beats():
    points = [("a", 1.0, 1.0), ("b", 2.0, 1.0), ("c", 2.0, 3.0), ("d", 5.0, 3.0), ("e", 9.0, 4.0)]
    assert [name for name, *_ in front(points)] == ["a", "c", "e"]


def test_a_configuration_is_named_as_it_was_asked_for():
    assert label({"preset": "tiny", "settings": ["keys=3"]}) == "tiny, keys=3"
    assert label({"preset": None}) == "defaults"
