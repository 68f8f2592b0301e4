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


def python(installed, code, *arguments):
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True,
                         check=False, env={**os.environ, "PYTHONPATH": str(installed)}, cwd="/")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_outside_block_is_listed(installed):
    names = python(installed, """
import json
from pimlico.generators.block import blocks
print(json.dumps({name: block.preset_names for name, block in blocks().items()}))
""")
    assert names["running-sum"] == ["narrow"]
    assert "ternary-gemm" in names


def test_outside_block_is_verified(installed, seed):
    result = python(installed, """
import json, sys
from pimlico.generators.load import load
from pimlico.sim.verify import verify
block, config, name = load("running-sum", preset="narrow", settings=["width=5"])
print(json.dumps(verify(block, config, name=name, cycles=2000, seed=int(sys.argv[1]))))
""", str(seed))
    assert result["passed"], result["mismatch"]
    assert result["seed"] == seed
    assert all(part["cycles"] == 2000 for part in result["simulators"].values())
