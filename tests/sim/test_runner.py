import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from running_sum import BLOCK
from running_sum.config import RunningSumConfig

from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import emit
from pimlico.sim.cache import cache_folder
from pimlico.sim.runner import IcarusRunner, build


@pytest.fixture(scope="module")
def design():
    return emit(BLOCK, RunningSumConfig())


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PIMLICO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "builds"


@pytest.fixture
def commands(monkeypatch):
    """The commands that Icarus's runner executes."""
    executed = []
    plain = IcarusRunner._execute_cmds

    def execute(self, cmds, *arguments):
        executed.extend(cmds)
        plain(self, cmds, *arguments)

    monkeypatch.setattr(IcarusRunner, "_execute_cmds", execute)
    return executed


def test_cache_is_in_the_home_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("PIMLICO_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "pimlico"


def test_same_design_is_built_once(design, cache, commands):
    first, second = build("icarus", design), build("icarus", design)
    assert first == second
    assert len(commands) == 1
    assert first.folder.parent == cache


@pytest.mark.parametrize("change", ["verilog", "waves", "version"])
def test_another_design_option_or_tool_is_built_anew(design, cache, monkeypatch, change):
    first = build("icarus", design)
    if change == "verilog":
        second = build("icarus", replace(design, text=design.text + "\n"))
    elif change == "waves":
        second = build("icarus", design, waves="fst")
    else:
        monkeypatch.setattr("pimlico.sim.runner.tool_version", lambda name: "0.0")
        second = build("icarus", design)
    assert second.folder != first.folder


def test_builders_at_once_leave_one_build(design, cache):
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: build("icarus", design), range(4)))
    assert len(set(built)) == 1
    assert list(cache.iterdir()) == [built[0].folder]


def test_failed_build_shows_the_tools_words_and_leaves_nothing(design, cache):
    broken = replace(design, text=design.text.replace("endmodule", "endmodul", 1))
    with pytest.raises(ToolError, match=r"(?s)^iverilog failed \(exit code \d+\)\n.*syntax error"):
        build("icarus", broken)
    assert list(cache.iterdir()) == []


def test_verilator_stops_at_a_warning_that_is_not_waived(design, cache):
    latch = design.text.replace("endmodule", "  reg latch;\n  always @* if (clk) latch = 1;\n"
                                             "endmodule", 1)
    with pytest.raises(ToolError, match=r"(?s)^verilator failed .*LATCH"):
        build("verilator", replace(design, text=latch))


def test_cache_that_cannot_be_written(design, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PIMLICO_CACHE", str(tmp_path / "file"))
    with pytest.raises(ToolError, match=re.escape(
            f"cannot write to the cache folder {tmp_path}/file/builds: Not a directory; "
            "set PIMLICO_CACHE to one that you can write") + "$"):
        build("icarus", design)


def test_verbose_build_writes_to_stderr_only(design, cache, capfd):
    broken = replace(design, text=design.text.replace("endmodule", "endmodul", 1))
    with pytest.raises(ToolError, match=r"^iverilog failed \(exit code \d+\)$"):
        build("icarus", broken, verbose=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "syntax error" in shown.err
