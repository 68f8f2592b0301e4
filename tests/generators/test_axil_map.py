"""The AXI4-Lite wrapper's files: the register map in each of its forms, and the Verilog."""

import json
import re
import subprocess

import pytest
from running_sum import BLOCK as RUNNING_SUM
from systemrdl import RDLCompiler, RDLListener, RDLWalker
from test_deliver import verilator_environment

from pimlico.generators.axil import wrap
from pimlico.generators.block import blocks
from pimlico.generators.deliver import deliverables, generate
from pimlico.generators.load import load
from pimlico.generators.registers import describe_registers, register_files
from pimlico.generators.verilog import Emitted, clock_and_reset, emit, top_ports
from pimlico.hdl.axil.registers import NARROW, RegisterMap, is_narrow
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Field, Stream, Wire
from pimlico.sim.tools import require

TOP = "pimlico_core"
PRESETS = [(block.name, preset) for block in blocks().values() for preset in block.preset_names]
SMALL = {"ascon-aead128": "compact", "bitslice-array": "ice40-tiny", "kv-history": "ecp5-256",
         "omap-controller": "ecp5-small", "pim-bank": "ecp5-int8", "pim-channel": "hbm-pim",
         "ternary-gemm": "tiny"}
BULK = {"ascon-aead128": ["ad", "text", "result"], "bitslice-array": ["a", "w", "o"],
        "kv-history": ["fresh", "kv"], "omap-controller": ["wdata", "rdata"],
        "pim-bank": ["wdata", "rdata", "result"], "pim-channel": ["wdata", "rdata", "result"],
        "ternary-gemm": ["a", "w", "o"]}
SOMETIMES = {"addend", "append", "d", "w_low", "cmd", "rsp"}
"""Bulk streams of some configurations; commands of the OMAP are bulk where items are large."""


def wrapper_of(block, config, reset="high"):
    """The wrapper of a core that is left out, as only its ports matter."""
    ports = clock_and_reset(reset) + [pin for port in config.ports for pin in top_ports(port)]
    return wrap(block, config, Emitted(TOP, "", ports))


class Found(RDLListener):
    """Registers of a compiled map: address, access, and bits in use."""

    def __init__(self):
        self.registers, self.fields = {}, {}

    def enter_Reg(self, node):  # noqa: N802
        self.registers[node.inst_name] = (
            node.absolute_address, node.get_property("desc"),
            "rw" if node.has_sw_writable else "ro",
            sum(field.width for field in node.fields()))
        self.fields[node.inst_name] = list(node.fields())


def compiled(text, folder):
    path = folder / "map.rdl"
    path.write_text(text)
    compiler = RDLCompiler()
    compiler.compile_file(str(path))
    found = Found()
    RDLWalker(unroll=True).walk(compiler.elaborate(), found)
    return found


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_preset_has_a_map(name, preset):
    design = load(name, preset=preset)
    registers = RegisterMap(design.config.ports, 0).registers
    names = [entry.name for entry in registers]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", entry) for entry in names)
    assert [entry.address for entry in registers] == list(range(0, 4 * len(registers), 4))
    bulk = [port.name for port in design.config.ports
            if isinstance(port, Stream) and not is_narrow(port)]
    assert [port for port in bulk if port not in SOMETIMES] == BULK[name]
    # every bit of a port that is behind registers has its place, once
    for port in design.config.ports:
        own = [entry for entry in registers if entry.port == port and entry.kind in
               ("payload", "wire")]
        bits = [bit for entry in own for bit in range(entry.lsb, entry.lsb + entry.width)]
        assert sorted(bits) == (list(range(port.width)) if is_narrow(port) else [])


def test_what_is_narrow():
    def narrow(*fields):
        return is_narrow(Stream("s", "in", fields))

    assert narrow(Field("n", NARROW))
    assert not narrow(Field("n", NARROW + 1))
    assert not narrow(Field("data", 1)) and not narrow(Field("n", 1), Field("last", 1))
    assert is_narrow(Wire("w", "in", 1)) and not is_narrow(Wire("w", "in", 1, group="memory"))


def test_ports_that_are_kept():
    config = load("omap-controller", preset="one-line").config
    registers = RegisterMap(config.ports, 0, ["req", "random"])
    assert [port.name for port in registers.outside] == ["random", "req", "wdata", "rdata"]
    with pytest.raises(ConfigError) as caught:
        RegisterMap(config.ports, 0, ["rec"])
    assert str(caught.value).startswith("--keep = rec: must be one of cmd, random, req, ")
    assert str(caught.value).endswith("; did you mean req?")


def test_memory_pins_stay_pins():
    config = load("omap-controller", preset="hbm-port").config
    registers = RegisterMap(config.ports, 0)
    assert {"lower_enable", "lower_q"} <= {port.name for port in registers.outside}
    assert {"init", "fatal"} <= {port.name for port in registers.narrow}


@pytest.mark.parametrize(("ports", "message"), [
    ([Stream(f"c{number}", "in", tuple(Field(f"f{bit}", 1) for bit in range(256)))
      for number in range(4)], "--axil = 1030 registers: must be at most 1024; configure narrower "
                               "commands, or --keep some"),
    ([Stream(f"c{number}", "in", (Field("n", 1),)) for number in range(33)],
     "--axil = 33 narrow streams: must be at most 32, a bit each in STREAM_STATUS; --keep some")])
def test_a_map_that_does_not_fit_is_refused(ports, message):
    with pytest.raises(ConfigError) as caught:
        RegisterMap(ports, 0)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", SMALL)
def test_systemrdl_and_header_say_what_the_map_says(name, tmp_path):
    design = load(name, preset=SMALL[name])
    axil = wrapper_of(design.block, design.config)
    files = register_files(axil)
    registers = axil.registers
    found = compiled(files[f"{TOP}_axil.rdl"], tmp_path)
    assert found.registers == {entry.name: (entry.address, entry.doc, entry.access, entry.width)
                               for entry in registers.registers}
    assert [field.inst_name for field in found.fields["STREAM_STATUS"]] == [
        f"{port.name}_ready" for port in registers.streams]
    assert found.fields["CORE_ID"][0].get_property("reset") == registers.identity

    (tmp_path / "map.h").write_text(files[f"{TOP}_axil.h"])
    program = "\n".join(f'printf("{entry.name} %u\\n", PIMLICO_CORE_AXIL_{entry.name}_OFFSET);'
                        for entry in registers.registers)
    (tmp_path / "map.c").write_text(
        '#include "map.h"\n#include "map.h"\n#include <stdio.h>\n'
        f"int main(void) {{ {program} return 0; }}\n")
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "map.c", "-o",
                    "map"], cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "map"], capture_output=True, text=True, check=True).stdout
    assert said == "".join(f"{entry.name} {entry.address}\n" for entry in registers.registers)

    table = re.findall(r"^\| `0x(\w+)` \| `(\w+)` \| (\w+) \|", files[f"{TOP}_axil.md"], flags=re.M)
    assert table == [(f"{entry.address:03x}", entry.name, entry.access)
                     for entry in registers.registers]


def test_bits_of_the_status_are_in_the_header():
    design = load("ascon-aead128", preset="compact")
    text = register_files(wrapper_of(design.block, design.config))[f"{TOP}_axil.h"]
    assert re.findall(r"STREAM_STATUS_BIT_(\w+) \(1u << (\d+)\)", text) == [
        ("CMD", "0"), ("TAG", "1"), ("DONE", "2")]


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[] if name == "ternary-gemm" else pytest.mark.deep)
    for name in SMALL])
def test_the_wrapper_is_clean_and_fits_its_core(name, tmp_path):
    """Both tools read core and wrapper together; every pin of the core is connected."""
    design = load(name, preset=SMALL[name])
    out = tmp_path / "out"
    generate(design.block, design.config, out, "core", "active-low", axil=True)
    sources = [f"{TOP}.v", f"{TOP}_axil.v"]
    run = subprocess.run([require("verilator"), "--lint-only", "-Wall", "--top-module",
                          f"{TOP}_axil", f"{TOP}.vlt", f"{TOP}_axil.vlt", *sources], cwd=out,
                         capture_output=True, text=True, env=verilator_environment())
    assert run.returncode == 0 and "Warning" not in run.stderr, run.stderr
    run = subprocess.run([require("iverilog"), "-g2005", "-Wall", "-Wno-timescale", "-s",
                          f"{TOP}_axil", "-o", "axil.vvp", *sources], cwd=out,
                         capture_output=True, text=True)
    assert run.returncode == 0 and not run.stderr, run.stderr
    assert "\\" not in (out / f"{TOP}_axil.v").read_text()


def test_the_core_itself_is_the_same_with_a_wrapper():
    config = RUNNING_SUM.config()
    without = deliverables(RUNNING_SUM, config, "core")
    beside = deliverables(RUNNING_SUM, config, "core", axil=True)
    assert beside.keys() - without.keys() == {
        f"{TOP}_axil{suffix}" for suffix in (".v", ".vlt", ".md", ".h", ".rdl")}
    assert {name for name in without if without[name] != beside[name]} == {
        f"{TOP}.core", f"{TOP}.json"}
    assert beside == deliverables(RUNNING_SUM, config, "core", axil=True)
    told = json.loads(beside[f"{TOP}.json"])
    axil = wrap(RUNNING_SUM, config, emit(RUNNING_SUM, config, "core"))
    assert told.pop("axil") == describe_registers(axil)
    assert told["files"].keys() == beside.keys() - {f"{TOP}.json"}


def test_a_block_from_outside_can_be_wrapped():
    axil = wrapper_of(RUNNING_SUM, RUNNING_SUM.config())
    assert [port.name for port in axil.registers.narrow] == ["negate", "count"]
