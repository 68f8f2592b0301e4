"""The skipping example on few weights: its counts, its plot, and what it says of errors."""

import json

import bitslice_run
import bitslice_skipping as example
import numpy as np
import pytest
from bitslice_skipping import nonzero

SMALL = ["--sigma", "8", "40", "--weights", "32", "--columns", "1"]


@pytest.mark.deep
def test_counted_cycles_are_those_predicted(seed, tmp_path, capsys):
    plot = tmp_path / "plot.svg"
    assert example.main([*SMALL, "--json", "--seed", str(seed), "--plot", str(plot)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["correct"] and result["failure"] is None and result["seed"] == seed
    runs = {(run["encoding"], run["elide"]): run["points"] for run in result["runs"]}
    assert set(runs) == {("booth4", False), ("booth4", True), ("ent", False), ("ent", True)}
    for (encoding, elide), points in runs.items():
        assert [point["sigma"] for point in points] == [8, 40]
        for point, all_issued in zip(points, runs[encoding, False], strict=True):
            assert point["rtl"] == point["golden"] >= point["digits"]
            assert point["rtl"] <= all_issued["rtl"]
            if elide:
                # of each group of 8 a cycle remains if all of its weights are 0
                assert point["rtl"] - point["digits"] <= 1 / 8
    for few, booth in zip(runs["ent", True], runs["booth4", True], strict=True):
        assert few["digits"] <= booth["digits"]
    assert "cycles a weight" in plot.read_text() or plot.read_text().startswith("<?xml")


def test_the_table_shows_every_array_and_a_wrong_count_ends_with_1(monkeypatch, capsys):
    kept = {"verify": [], "_moved": []}

    def keep(name):
        honest = getattr(bitslice_run, name)
        return lambda *args, **options: kept[name].append(honest(*args, **options)) \
            or kept[name][-1]

    monkeypatch.setattr(example, "ENCODINGS", ("ent",))
    for name in kept:
        monkeypatch.setattr(bitslice_run, name, keep(name))
    assert example.main(SMALL) == 0
    out = capsys.readouterr().out
    assert "│ 1, ent, elide" in out and "│ mean digits not 0, ent" in out
    assert out.splitlines()[-1].startswith("all correct")
    kept["_moved"][0]["o"][0] += 1
    for name, values in kept.items():
        monkeypatch.setattr(bitslice_run, name,
                            lambda *args, values=values, **options: values.pop(0))
    assert example.main(SMALL) == 1
    out = capsys.readouterr().out
    assert "1 columns, ent, σ = 8: " in out and "cycles of digits instead of" in out
    assert "NOT CORRECT" in out.splitlines()[-1]


def test_digits_by_hand():
    """3 is 4 - 1, 6 is 8 - 2; 10 is 16 - 4 - 2 of Booth's, and 8 + 2."""
    assert nonzero(np.array([[0], [3], [10], [6]]), "booth4") == (0 + 2 + 3 + 2) / 4
    assert nonzero(np.array([[0], [3], [10], [6]]), "ent") == (0 + 2 + 2 + 2) / 4


@pytest.mark.parametrize("arguments", [["--sigma", "0"], ["--weights", "7"],
                                       ["--columns", "many"]])
def test_illegal_options_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        example.main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_weights_that_are_not_whole_groups_end_with_2(capsys):
    assert example.main(["--weights", "12"]) == 2
    assert "group" in capsys.readouterr().err
