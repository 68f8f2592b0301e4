import json
from dataclasses import replace

import pytest
from running_sum import BLOCK
from running_sum.config import RunningSumConfig

from pimlico.generators.errors import ToolError
from pimlico.sim.tools import TOOLS
from pimlico.sim.verify import ICARUS_CYCLES, _wave_path, verify

CONFIG = RunningSumConfig()


@pytest.fixture
def fst_headers():
    if TOOLS["fst-headers"].path() is None:
        pytest.skip("no headers for FST")


def test_both_simulators_agree_with_the_model(seed):
    seen = []
    result = verify(BLOCK, CONFIG, cycles=8000, seed=seed,
                    progress=lambda what, done, total: seen.append((what, done, total)))
    assert result["passed"], result["mismatch"]
    assert list(result["simulators"]) == ["verilator", "icarus"]
    verilator, icarus = result["simulators"].values()
    assert (verilator["cycles"], icarus["cycles"]) == (8000, ICARUS_CYCLES)
    assert result["cycles"] == 8000 + ICARUS_CYCLES
    assert result["comparisons"] == verilator["comparisons"] + icarus["comparisons"]
    assert verilator["comparisons"] > 3 * 7000
    assert verilator["tests"] == icarus["tests"] == 1
    assert verilator["cycles_per_second"] > 0
    assert json.loads(json.dumps(result)) == result
    assert ("verilator: running", 8000, 8000) in seen


def test_seed_is_drawn_and_repeats_a_run():
    first, second = (verify(BLOCK, CONFIG, simulators=["icarus"], cycles=600, record=True)
                     for _ in range(2))
    again = verify(BLOCK, CONFIG, simulators=["icarus"], cycles=600, record=True,
                   seed=first["seed"])
    assert first["seed"] != second["seed"]
    streams = [result["simulators"]["icarus"]["recorded"]["o"]
               for result in (first, second, again)]
    assert streams[0] == streams[2] != streams[1]


def test_icarus_alone_runs_every_cycle():
    cycles = ICARUS_CYCLES + 1000
    assert verify(BLOCK, CONFIG, simulators=["icarus"], cycles=cycles)["cycles"] == cycles


@pytest.mark.parametrize(("suffix", "starts"), [(".fst", b"\0"), (".vcd", b"$"), ("", b"\0")])
def test_icarus_writes_the_waves_that_are_named(tmp_path, suffix, starts):
    result = verify(BLOCK, CONFIG, simulators=["icarus"], cycles=100,
                    waves=tmp_path / "new" / f"sum{suffix}")
    assert result["passed"]
    written = tmp_path / "new" / f"sum{suffix or '.fst'}"
    assert result["simulators"]["icarus"]["waves"] == str(written)
    assert written.read_bytes().startswith(starts)


@pytest.mark.deep
def test_two_simulators_write_a_file_each(tmp_path, fst_headers):
    result = verify(BLOCK, CONFIG, cycles=100, waves=tmp_path / "sum.fst")
    assert result["passed"]
    assert result["notes"] == []
    for simulator in ("verilator", "icarus"):
        assert (tmp_path / f"sum_{simulator}.fst").read_bytes().startswith(b"\0")


@pytest.mark.deep
def test_verilator_writes_vcd(tmp_path):
    result = verify(BLOCK, CONFIG, simulators=["verilator"], cycles=100, waves=tmp_path / "a.vcd")
    assert result["passed"]
    text = (tmp_path / "a.vcd").read_text()
    assert "m_axis_o_tdata" in text
    assert "#990" in text


def test_verilator_without_fst_headers_is_to_write_vcd(tmp_path, monkeypatch):
    monkeypatch.setitem(TOOLS, "fst-headers", replace(TOOLS["fst-headers"], path=lambda: None))
    notes = []
    assert _wave_path(tmp_path / "a.fst", "verilator", False, notes) == tmp_path / "a.vcd"
    assert notes == ["verilator writes VCD: the headers for FST are missing; "
                     "get them with: apt-get install liblz4-dev zlib1g-dev"]


def test_unknown_wave_format_is_refused(tmp_path):
    with pytest.raises(ToolError, match=r"^waves cannot be written as \.lxt; name a file"):
        verify(BLOCK, CONFIG, waves=tmp_path / "a.lxt")
    assert list(tmp_path.iterdir()) == []


def test_missing_simulator_is_one_line(monkeypatch):
    monkeypatch.setitem(TOOLS, "iverilog", replace(TOOLS["iverilog"], path=lambda: None))
    with pytest.raises(ToolError, match=r"^iverilog is missing.*apt-get install iverilog$"):
        verify(BLOCK, CONFIG, simulators=["icarus"])
