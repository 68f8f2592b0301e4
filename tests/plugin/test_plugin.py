import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder apart from this environment's own, laid out as an installer leaves the package.

    By hand, since a build backend may be neither installed nor to be had.
    """
    target = tmp_path_factory.mktemp("installed")
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    shutil.copytree(HERE / "running_sum", target / "running_sum")
    about = target / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (about / "entry_points.txt").write_text("".join(
        f"[{group}]\n" + "".join(f"{name} = {thing}\n" for name, thing in points.items())
        for group, points in project["entry-points"].items()))
    return target


def pimlico(installed, *arguments):
    run = subprocess.run([sys.executable, "-m", "pimlico", *arguments, "--json"],
                         capture_output=True, text=True, check=False, cwd="/",
                         env={**os.environ, "PYTHONPATH": str(installed)})
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


def test_outside_block_is_listed(installed):
    assert "running-sum" in json.dumps(pimlico(installed, "list"))


def test_outside_block_is_shown_with_its_presets(installed):
    shown = pimlico(installed, "show", "running-sum")
    assert shown["block"] == "running-sum"
    assert shown["presets"] == ["narrow"]


def test_outside_block_is_verified(installed, seed):
    result = pimlico(installed, "verify", "running-sum", "--preset", "narrow", "--set", "width=5",
                     "--sim", "both", "--cycles", "2000", "--seed", str(seed))
    assert result["passed"]
    assert result["seed"] == seed
    assert {name: part["cycles"] for name, part in result["simulators"].items()} == {
        "verilator": 2000, "icarus": 2000}
