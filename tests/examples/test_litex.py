"""The LiteX example: what it elaborates, and that its Verilog and the core's fit together."""

import json
import re
import subprocess
import sys
from pathlib import Path

import litex_core as example
import pytest
from litex.build.sim import SimPlatform
from litex.soc.integration.export import get_csr_json
from migen.fhdl.structure import _Fragment

from pimlico.generators.deliver import generate
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.sim.tools import require


@pytest.fixture(scope="module")
def soc_verilog(tmp_path_factory):
    """What the script writes, at the place that its last line tells."""
    out = tmp_path_factory.mktemp("litex") / "out"
    run = subprocess.run([sys.executable, example.__file__, "--out", out], capture_output=True,
                         text=True, check=True)
    path = Path(run.stdout.splitlines()[-1])
    assert path == out / "ternary_soc.v"
    return path


def test_the_soc_elaborates_around_the_core(soc_verilog):
    design = load("ternary-gemm", preset="tiny")
    text = soc_verilog.read_text()
    instance = re.search(rf"^{example.TOP} pimlico\((.*?)^\);", text, flags=re.M | re.S)[1]
    pins = re.findall(r"\.(\w+)\s*\(\w+\)", instance)
    assert sorted(pins) == sorted(port.name for port in emit(
        design.block, design.config, "ternary").ports)
    run = subprocess.run(
        [require("iverilog"), "-g2005", "-Wall", "-Wno-timescale", "-s", "ternary_soc", "-o",
         "soc.vvp", soc_verilog.name, f"{example.TOP}.v"], cwd=soc_verilog.parent,
        capture_output=True, text=True)
    assert run.returncode == 0
    # pins of a wrong width or left open would be told
    assert not re.findall(r".*(?:port|pin|pad|prun|implicit).*", run.stderr)


def test_registers_of_the_soc(soc_verilog):
    platform = SimPlatform("SIM", example.IO)
    soc = example.TernarySoC(platform, soc_verilog.parent)
    assert isinstance(soc.get_fragment(), _Fragment)
    csrs = json.loads(get_csr_json(soc.csr_regions, soc.constants, soc.mem_regions))
    told = csrs["csr_registers"]
    assert {"core_status", "core_status_clear", "jobs_job", "jobs_busy", "a_reader_base",
            "w_reader_length", "o_writer_enable"} <= told.keys()
    assert (told["core_status"]["type"], told["core_status_clear"]["type"]) == ("ro", "rw")
    job = [(field.name, field.offset, field.size) for field in soc.jobs.job.fields.fields]
    assert job == [("n", 0, 9), ("m", 9, 9), ("tag", 18, 4)]


@pytest.mark.parametrize(("name", "preset"), [
    ("kv-history", "ecp5-256"), pytest.param("ascon-aead128", "compact", marks=pytest.mark.deep)])
def test_other_cores_fit_too(tmp_path, name, preset):
    """Their streams become endpoints, their wires CSRs."""
    design = load(name, preset=preset)
    generate(design.block, design.config, tmp_path, "other", "active-low")
    core = example.LitexCore(SimPlatform("SIM", example.IO), tmp_path, "pimlico_other")
    for port in core.manifest["ports"]:
        end = getattr(core, port["name"])
        if port["kind"] == "stream":
            assert len(end.data) == port["signals"]["tdata"]["width"]
        else:
            assert end.size == port["width"]
