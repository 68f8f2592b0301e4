"""The matrix example of the PIM channel on small matrices, and what it says of errors."""

import json

import numpy as np
import pim_gemv as example
import pytest

from pimlico.generators.errors import ToolError
from pimlico.verif.pim.play import play

SMALL = ["--m", "24", "--k", "200", "--piece", "9", "--banks", "2", "--lanes", "4", "--gb-cols",
         "8", "--load-rows", "1"]


@pytest.fixture
def model_only(monkeypatch):
    """The cycle model in place of Verilator and its minute of building."""
    monkeypatch.setattr(example, "emit", lambda block, config: None)
    monkeypatch.setattr(example, "run_trace",
                        lambda config, played, design, progress: play(config, played))


def lines_of(out):
    return {line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:-1]]
            for line in out.splitlines() if line.startswith("│")}


def test_a_matrix_goes_through_the_rtl(seed, capsys):
    assert example.main([*SMALL, "--json", "--seed", str(seed), "--fmt", "int8", "--timing",
                         "hbm2_samsung", "--buffers", "dual"]) == 0
    result = json.loads(capsys.readouterr().out)
    run, = result["runs"]
    assert result["correct"] and result["failure"] is None and run["exact"]
    assert (run["rows"], run["k"], run["banks"], run["error"]) == (9, 200, 1, 0)
    assert run["rate"] > 0


@pytest.mark.parametrize("fmt", [["int8", "--arith", "lane_mac"], ["bf16", "--vectors", "2"],
                                 ["fp16", "--slots", "1"]])
def test_every_timing_is_correct_and_its_numbers_agree(fmt, model_only, seed, capsys):
    assert example.main([*SMALL, "--json", "--seed", str(seed), "--fmt", *fmt]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [(run["timing"], run["buffers"]) for run in runs] == [
        (timing, buffers) for timing in example.TIMINGS for buffers in example.BUFFERS]
    assert [run["rows"] for run in runs] == [24, 24] + [9] * 6
    for single, dual in zip(runs[::2], runs[1::2], strict=True):
        assert single["exact"] and dual["exact"]
        assert single["overlap"] == 0 and single["speedup"] is None
        assert dual["speedup"] == single["cycles"] / dual["cycles"]
        assert single["loads"] == dual["loads"] > 1
        assert 0 < single["utilisation"] < 1
        assert single["error"] < 0.01


def test_the_table_shows_every_run(model_only, capsys):
    assert example.main([*SMALL, "--timing", "hbm2_neupims", "hbm3_attacc"]) == 0
    out = capsys.readouterr().out
    lines = lines_of(out)
    assert lines["equal to NumPy"] == ["yes"] * 4
    assert lines["banks"] == ["2", "2", "1", "1"]
    assert lines["dual to single"][0] == "" and lines["dual to single"][1].endswith("x")
    assert out.splitlines()[-1].startswith("all correct")


def test_a_wrong_sum_is_named_and_ends_with_1(model_only, monkeypatch, capsys):
    honest = example.expected

    def other(plan, matrix, vectors):
        wrong = honest(plan, matrix, vectors)
        wrong[4] ^= np.uint64(1)
        return wrong

    monkeypatch.setattr(example, "expected", other)
    assert example.main([*SMALL, "--timing", "gddr6_aim", "--buffers", "single"]) == 1
    out = capsys.readouterr().out
    assert "gddr6_aim, single: row 4, vector 0: " in out
    assert "NOT CORRECT" in out.splitlines()[-1]


def test_a_refused_command_is_told_and_ends_with_1(monkeypatch, model_only, capsys):
    def refuse(config, played, design, progress):
        trace = play(config, played)
        trace.result.cycles = trace.result.cycles[1:]
        return trace

    monkeypatch.setattr(example, "run_trace", refuse)
    assert example.main([*SMALL, "--timing", "gddr6_aim"]) == 1
    assert "results instead of" in capsys.readouterr().out


def test_an_illegal_channel_or_a_missing_tool_ends_with_2(monkeypatch, model_only, capsys):
    assert example.main(["--lanes", "5"]) == 2
    assert "lanes" in capsys.readouterr().err

    def missing(*args, **options):
        raise ToolError("verilator is missing")

    monkeypatch.setattr(example, "run_trace", missing)
    assert example.main(SMALL) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: verilator is missing"


@pytest.mark.parametrize("arguments", [["--m", "0"], ["--seed", "-1"], ["--timing", "none"],
                                       ["--buffers", "three"]])
def test_illegal_options_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        example.main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err
