"""The files of an OMAP controller whose trusted memories are behind ports."""

import json
import re
import subprocess

import pytest

from pimlico.generators.deliver import generate
from pimlico.generators.load import load
from pimlico.sim.tools import require

TOP = "pimlico_core"


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    design = load("omap-controller", preset="hbm-port",
                  settings=["capacity=64", "log2_pages=3", "trusted_latency=5"])
    out = tmp_path_factory.mktemp("port") / "out"
    generate(design.block, design.config, out, "core")
    return out, design.config


def verdict(folder, verilog):
    program = folder / "tb.vvp"
    subprocess.run([require("iverilog"), "-g2005", "-Wall", "-Wno-timescale", "-o", program,
                    verilog, f"{TOP}_tb.v"], cwd=folder, check=True)
    run = subprocess.run([require("vvp"), program], cwd=folder, check=True, capture_output=True,
                         text=True)
    return run.stdout.splitlines()


def test_the_testbench_answers_for_the_memories(core):
    passed = re.fullmatch(r"PASS: (\d+) cycles, (\d+) result beats", verdict(
        core[0], f"{TOP}.v")[-1])
    assert int(passed[1]) > 300 and int(passed[2]) > 40


@pytest.mark.parametrize(("right", "wrong", "says"), [
    (r"(assign lower_address = )(.*);", r"\1~(\2);", "lower_address is"),
    (r"(assign next_data = )(.*);", r"\1(\2) ^ 2;", "next_data is"),
    (r"(assign lower_enable = )(.*);", r"\1(\2) & ~lower_write;", "lower_enable is"),
])
def test_a_wrong_question_fails_the_testbench(core, right, wrong, says):
    out, _ = core
    text, count = re.subn(right, wrong, (out / f"{TOP}.v").read_text())
    assert count
    (out / "wrong.v").write_text(text)
    lines = verdict(out, "wrong.v")
    assert lines[-1].startswith("FAIL") and any(says in line for line in lines), lines[-3:]


def test_the_manifest_says_when_a_wire_counts(core):
    out, config = core
    ports = {port["name"]: port for port in json.loads((out / f"{TOP}.json").read_text())["ports"]}
    for name, (words, bits) in config.memories.items():
        assert ports[f"{name}_address"]["when"] == f"{name}_enable"
        assert ports[f"{name}_data"]["when"] == f"{name}_write"
        assert ports[f"{name}_q"]["width"] == ports[f"{name}_data"]["width"] == bits
        assert 1 << ports[f"{name}_address"]["width"] >= words
        assert "when" not in ports[f"{name}_enable"]
    assert not any(name.endswith("_q") and name[:-2] not in config.memories for name in ports)
