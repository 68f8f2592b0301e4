"""The ``.core`` file and the testbench in FuseSoC, and by themselves, for every block."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_axil_map import SMALL
from test_deliver import TOP, run_testbench, verilator_environment

from pimlico.generators.deliver import generate
from pimlico.generators.load import load

QUICK = "ternary-gemm"
BLOCKS = [pytest.param(name, marks=[] if name == QUICK else pytest.mark.deep) for name in SMALL]


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """A function that generates a block's core, once."""
    made = {}

    def make(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name) / "out"
            design = load(name, preset=SMALL[name])
            generate(design.block, design.config, made[name], "core", axil=name == QUICK)
        return made[name]
    return make


def fusesoc(folder, work, name, *arguments):
    """What FuseSoC prints, which finds the tools of this environment and nothing of the user's."""
    environment = verilator_environment()
    program = Path(sys.executable).with_name("fusesoc")
    run = subprocess.run(
        [program, "--config", os.devnull, "--cores-root", folder, "run", "--build-root", work,
         *arguments, f"pimlico:{name}:{TOP}"],
        cwd=work, env=environment | {"XDG_CACHE_HOME": str(work), "XDG_DATA_HOME": str(work)},
        capture_output=True, text=True)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    return run.stdout + run.stderr


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("tool", ["icarus", pytest.param("verilator", marks=pytest.mark.deep)])
def test_fusesoc_runs_the_testbench(core, tmp_path, name, tool):
    told = fusesoc(core(name), tmp_path, name, "--target=sim", f"--tool={tool}")
    passed = re.search(r"^PASS: (\d+) cycles, (\d+) result beats$", told, flags=re.M)
    assert passed and int(passed[1]) >= 250 and int(passed[2]) > 0


@pytest.mark.parametrize("name", BLOCKS)
def test_fusesoc_lints_the_core(core, tmp_path, name):
    assert "%Warning" not in fusesoc(core(name), tmp_path, name, "--target=lint")


def test_fusesoc_sets_up_the_wrapper(core, tmp_path):
    fusesoc(core(QUICK), tmp_path, QUICK, "--target=axil", "--setup", "--tool=icarus")
    script = next(tmp_path.rglob("*.scr")).read_text()
    assert re.findall(r"\w+\.v$", script, flags=re.M) == [f"{TOP}.v", f"{TOP}_axil.v"]


@pytest.mark.parametrize("name", BLOCKS)
def test_a_vector_file_with_one_wrong_bit_fails(core, tmp_path, seed, name):
    """Of an output that is compared in every cycle: the ready of the first input stream."""
    out = core(name)
    assert run_testbench(out).startswith("PASS: ")
    header = (out / f"{TOP}_tb.v").read_text()
    bit = int(re.search(r"wire expect_s_axis_\w+_tready = vector\[(\d+)\];", header)[1])
    reset = re.search(r"wire rst = vector\[0\];", header)
    lines = (out / f"{TOP}_tb.hex").read_text().split()
    running = [number for number, line in enumerate(lines) if not int(line, 16) & 1]
    assert reset and running
    wrong = running[seed % len(running)]
    broken = int(lines[wrong], 16) ^ 1 << bit
    for path in out.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / f"{TOP}_tb.hex").write_text(
        "\n".join([*lines[:wrong], f"{broken:0{len(lines[wrong])}x}", *lines[wrong + 1:]]) + "\n")
    assert run_testbench(tmp_path).startswith("FAIL: 1 mismatches")
