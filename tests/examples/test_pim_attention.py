"""The attention example of the PIM channel on few tokens, and what it says of errors."""

import json

import numpy as np
import pim_attention as example
import pim_attention_run as runs_of
import pytest

from pimlico.generators.errors import ToolError
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.pim.play import play

SMALL = ["--m", "4", "--head-dim", "8", "--tokens", "70", "--k", "16", "--topics", "9", "--banks",
         "2", "--lanes", "4", "--row-bytes", "256"]
TWO = ["--m", "4", "2", *SMALL[2:]]


@pytest.fixture
def model_only(monkeypatch):
    """The cycle model in place of Verilator and its minute of building."""
    monkeypatch.setattr(example, "emit", lambda block, config: None)
    monkeypatch.setattr(runs_of, "run_trace",
                        lambda config, played, design, progress: play(config, played))


def lines_of(out):
    """The cells of the tables' rows: of each stage, by the first cell."""
    stages = {}
    for line in out.splitlines():
        if line.startswith(("70 tokens", "Scores", "Output")):
            rows = stages.setdefault(line.partition(":")[0].strip(), {})
        elif line.startswith("│"):
            cells = [cell.strip() for cell in line.split("│")[1:-1]]
            rows[cells[0]] = cells[1:]
    return stages


def test_a_query_goes_through_the_rtl(seed, capsys):
    assert example.main([*SMALL, "--json", "--seed", str(seed)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["correct"] and result["failure"] is None and result["sweep"] is None
    dense, quantized = result["runs"]
    assert (dense["name"], quantized["name"]) == ("dense", "m = 4")
    for stage in ("scores", "output"):
        # 70 tokens are 35 a bank, and 48 where a column has 16 indices, 72 where one has 4
        assert dense[stage]["products"] == (70 if stage == "scores" else 72) * 8
        assert quantized[stage]["products"] == 2 * 16 * 8
        assert quantized[stage]["additions"] == 2 * 4 * 48
        assert dense[stage]["exact"] and quantized[stage]["exact"]
        assert dense[stage]["error"] < 2e-3 < quantized[stage]["error"] < 1
    assert (dense["stored"], dense["codebooks"]) == (2 * 70 * 8 * 2, 0)
    assert (quantized["stored"], quantized["codebooks"]) == (2 * 70 * 4 // 2, 2 * 16 * 8 * 2)


def test_what_is_counted_is_what_the_query_does(model_only, seed, capsys):
    assert example.main([*TWO, "--json", "--seed", str(seed)]) == 0
    dense, four, two = json.loads(capsys.readouterr().out)["runs"]
    assert dense["scores"]["columns"] == 70 * 8 // 4
    assert dense["scores"]["bytes"] == 70 * 8 * 2
    # codebooks, of 8 columns each in a segment of 2 and of 16 in one of 4; tables of 8 columns;
    # 3 columns of indices a subspace; a lookup a token; 24 columns of scores, written and read
    for run, m, book in ((four, 4, 8), (two, 2, 16)):
        assert run["scores"]["columns"] == 2 * (m * (book + 8 + 3 + 48) + 2 * 24)
        # weights are 12 columns, written once, and the codebooks have 4 columns an element
        assert run["output"]["columns"] == 2 * (m * (3 + 12) + 12 + 8 * 4)
        for stage, parts in (("scores", ["query", "tables", "scores"]),
                             ("output", ["weights", "bins", "products"])):
            assert list(run[stage]["parts"]) == parts
            assert sum(run[stage]["parts"].values()) == run[stage]["cycles"] > 0
            assert run[stage]["typical"] > 0
    assert four["scores"]["typical"] < two["scores"]["typical"]


def test_dense_cycles_leave_out_only_the_loading(model_only, monkeypatch, capsys):
    loads = []

    def player(config, played, design, progress):
        trace = play(config, played)
        loads.append(trace)
        return trace

    monkeypatch.setattr(runs_of, "run_trace", player)
    assert example.main([*SMALL, "--json"]) == 0
    dense = json.loads(capsys.readouterr().out)["runs"][0]
    for stage, trace in zip(("scores", "output"), loads, strict=False):
        assert trace.cycles / 5 < dense[stage]["cycles"] < trace.cycles


def test_the_tables_show_every_run(model_only, capsys):
    assert example.main(TWO) == 0
    out = capsys.readouterr().out
    lines = lines_of(out)
    assert lines["Scores"]["equal to NumPy"] == lines["Output"]["equal to NumPy"] == ["yes"] * 3
    assert lines["Scores"]["products"] == ["560", "256", "256"]
    assert lines["Scores"]["additions"] == ["0", "384", "192"]
    assert lines["Output"]["adding to bins"][0] == ""
    assert lines["70 tokens of 8 elements, 2 banks, hbm2_neupims"] == {
        "bytes of all tokens": ["2 240", "280", "140"],
        "codebooks, each bank": ["0", "512", "512"]}
    assert out.splitlines()[-1].startswith("all correct")


def test_the_plot_is_drawn_of_what_was_swept(model_only, seed, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    plot = tmp_path / "plot.png"
    assert example.main([*SMALL, "--head-dim", "16", "--json", "--seed", str(seed), "--plot",
                         str(plot)]) == 0
    swept = json.loads(capsys.readouterr().out)["sweep"]
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert [(each["m"], each["k"], each["weighed"]) for each in swept] == [
        (m, k, weighed) for m in (8, 16) for k in (16, 32, 64) for weighed in (True, False)]
    assert all(swept[0][stage] != swept[1][stage] for stage in ("scores", "output"))
    # with nearly as many centroids as tokens, nearly nothing is lost
    for few, many in zip(swept[::6], swept[4::6], strict=True):
        assert many["scores"] < few["scores"]


def test_important_tokens_are_those_that_queries_ask_for(seed):
    config = PimConfig(fmt="fp16", pq=True, rows=256)
    given = runs_of.tokens(config, 500, 40, np.random.default_rng(seed))
    assert given.keys.shape == given.values.shape == (500, 128)
    assert given.queries.shape == (runs_of.ASKED, 128)
    assert given.importance.mean() == pytest.approx(1)
    had = np.mean([runs_of.exact(given.keys, given.values, query)[1]
                   for query in given.queries], axis=0)
    assert np.corrcoef(had, given.importance)[0, 1] > 0.5
    assert (given.keys == given.keys.astype(np.float16)).all()


@pytest.mark.parametrize(("name", "said"), [("scores", "m = 4: 70 of scores are not"),
                                            ("outputs", "m = 4: 16 of output are not")])
def test_a_wrong_bit_is_named_and_ends_with_1(model_only, monkeypatch, capsys, name, said):
    honest = getattr(runs_of.golden, name)
    monkeypatch.setattr(runs_of.golden, name, lambda *given: honest(*given) ^ np.uint64(1))
    assert example.main(SMALL) == 1
    out = capsys.readouterr().out
    assert said in out
    assert "NOT CORRECT" in out.splitlines()[-1]
    assert "NO" in out


def test_wrong_dense_sums_and_counters_are_told(model_only, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        honest = runs_of.expected
        patch.setattr(runs_of, "expected", lambda *given: honest(*given) ^ np.uint64(1))
        assert example.main(SMALL) == 1
        assert "dense: 70 of scores are not" in capsys.readouterr().out
    monkeypatch.setattr(runs_of, "closed_form", lambda layout: ({"products": 1}, {}))
    assert example.main(SMALL) == 1
    assert "m = 4: scores: {'products': 256" in capsys.readouterr().out


def test_a_refused_command_is_told_and_ends_with_1(monkeypatch, model_only, capsys):
    def refuse(config, played, design, progress):
        trace = play(config, played)
        trace.result.cycles = trace.result.cycles[1:]
        trace.rdata.cycles = trace.rdata.cycles[1:]
        return trace

    monkeypatch.setattr(runs_of, "run_trace", refuse)
    assert example.main([*SMALL, "--json"]) == 1
    dense, quantized = json.loads(capsys.readouterr().out)["runs"]
    assert "results instead of" in dense["failure"]
    assert "beats of rdata instead of" in quantized["failure"]
    assert example.main(SMALL) == 1


def test_a_channel_that_cannot_be_or_a_missing_tool_ends_with_2(monkeypatch, model_only, capsys):
    for arguments, said in ((["--lanes", "5"], "lanes"), (["--k", "24"], "pq_k = 24"),
                            (["--m", "3"], "m = 3: must divide head_dim = 8"),
                            (["--rows", "4"], "rows = 4: must be at least 7")):
        assert example.main([*SMALL, *arguments]) == 2
        assert said in capsys.readouterr().err

    def missing(*args, **options):
        raise ToolError("verilator is missing")

    monkeypatch.setattr(runs_of, "run_trace", missing)
    assert example.main(SMALL) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: verilator is missing"


@pytest.mark.parametrize("arguments", [["--m", "0"], ["--seed", "-1"], ["--timing", "none"],
                                       ["--fmt", "int8"]])
def test_illegal_options_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        example.main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err
