import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from pimlico.verif.testplan import Testplan

ROOT = Path(__file__).parents[2]
FAMILIES = sorted(path.parent.name for path in ROOT.glob("verif/*/__init__.py"))

SMOKE = {"name": "smoke", "shows": "it runs", "stage": "V1", "tests": ["tests/test_a.py::test_x"]}


def plan(*points):
    return Testplan.model_validate({"family": "toy", "points": list(points)})


@pytest.mark.parametrize("family", FAMILIES)
def test_plan_names_real_tests(family):
    loaded = Testplan.load(ROOT / "verif" / family / "testplan.yaml")
    assert loaded.family == family
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "--deep", "-p", "no:xdist",
         "-p", "no:cacheprovider", *loaded.files],
        cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    collected = [line for line in run.stdout.splitlines() if "::" in line]
    assert loaded.unknown(collected) == []


def test_id_must_have_been_collected():
    checked = plan({**SMOKE, "tests": ["t.py::test_x", "t.py::test_y[1]", "t.py::test_z"]})
    assert checked.unknown(["t.py::test_x[a]", "t.py::test_x[b]", "t.py::test_y[2]"]) == [
        "smoke: t.py::test_y[1]", "smoke: t.py::test_z"]


def test_files_are_listed_once():
    other = {**SMOKE, "name": "other", "tests": ["tests/test_a.py::test_y", "b.py::test_z"]}
    assert plan(SMOKE, other).files == ["b.py", "tests/test_a.py"]


@pytest.mark.parametrize(("points", "message"), [
    ([SMOKE, SMOKE], "points named twice: smoke"),
    ([{**SMOKE, "stage": "V2"}], "no point of stage V1"),
    ([{**SMOKE, "stage": "V4"}], "'V1', 'V2' or 'V3'"),
    ([{**SMOKE, "tests": []}], "at least 1 item"),
    ([{**SMOKE, "test": "t.py::test_x"}], "Extra inputs"),
    ([], "at least 1 item"),
])
def test_plan_without_meaning_is_refused(points, message, tmp_path):
    path = tmp_path / "testplan.yaml"
    path.write_text(yaml.safe_dump({"family": "toy", "points": points}))
    with pytest.raises(ValidationError, match=message):
        Testplan.load(path)
