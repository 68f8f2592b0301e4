"""The product example of the bit-sliced array on small matrices, and what it says of errors."""

import json
from copy import deepcopy

import bitslice_gemm as example
import bitslice_run
import numpy as np
import pytest
from bitslice_run import Task
from bitslice_tiles import Operation, cut

from pimlico.generators.errors import ToolError
from pimlico.hdl.bitslice.config import DRAFT, REFINE, BitsliceConfig
from pimlico.hdl.common.config import ConfigError

SMALL = ["--m", "3", "--k", "20", "--n", "5", "--rows", "2", "--cols", "2", "--max-k", "16"]


@pytest.mark.deep
def test_every_precision_of_a_core_is_right_in_one_simulation(seed, tmp_path, capsys):
    names = ["os, groups of 32", "os, W4A8, 2 products", "os, W2A8, 4 products"]
    plot = tmp_path / "plot.png"
    assert example.main(["--json", "--seed", str(seed), "--m", "3", "--k", "70", "--n", "5",
                         "--rows", "2", "--cols", "2", "--max-k", "32", "--plot", str(plot),
                         "--case", *names]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["correct"] and result["failure"] is None and result["seed"] == seed
    assert [each["case"] for each in result["runs"]] == names
    for each in result["runs"]:
        assert each["correct"] and each["lockstep"] and each["exact"]
        assert each["cycles"] == each["formula"] > each["steps"] > 0
        assert each["macs"] == 3 * 70 * 5
        assert each["rate"] == pytest.approx(each["macs"] / each["cycles"] / 4)
    groups, two, four = result["runs"]
    # K padded to 96, or three times 24; two tiles of rows, of columns three, two and one
    assert [each["steps"] for each in result["runs"]] == [96 * 2 * 3, 72 * 2 * 2, 72 * 2]
    assert four["utilisation"] == pytest.approx(four["rate"] / 4)
    assert two["utilisation"] == pytest.approx(two["rate"] / 2)
    assert groups["utilisation"] == groups["rate"]
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["ws, W4A8, 2 products", "skip, zero digits left out",
                                  "zero points, u8 by s8"])
def test_the_table_shows_a_product(name, capsys):
    assert example.main([*SMALL, "--case", name]) == 0
    out = capsys.readouterr().out
    lines = {line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:-1]]
             for line in out.splitlines() if line.startswith("│")}
    cycles, formula, *_, lockstep, exact = lines[name]
    assert cycles == formula
    assert (lockstep, exact) == ("yes", "yes")
    assert out.splitlines()[-1].startswith("all correct")


def test_a_wrong_answer_is_named_and_ends_with_1(monkeypatch, capsys):
    """What came out is other than the RTL's, and the lockstep bench does not notice."""
    honest, kept = bitslice_run.verify, []

    def flip(each):
        each["recorded"]["o"][1] ^= 1 << 3

    def lose(each):
        each["recorded"]["o"].pop()

    def break_off(each):
        each["failure"] = "o differs"
        each["traffic"], each["recorded"] = {}, {}

    for change, said in ((flip, "tree, 4 lanes: result 1, 0: "),
                         (lose, "beats of results came out instead of"),
                         (break_off, "tree, 4 lanes: o differs")):

        def verify(*args, change=change, **options):
            kept.append(kept[0] if kept else honest(*args, **options))
            wrong = deepcopy(kept[0])
            change(wrong["simulators"]["icarus"])
            return wrong

        monkeypatch.setattr(bitslice_run, "verify", verify)
        assert example.main([*SMALL, "--case", "tree, 4 lanes"]) == 1
        out = capsys.readouterr().out
        assert said in out
        assert "NOT CORRECT" in out.splitlines()[-1]


def test_cycles_that_are_not_as_the_closed_form_says_end_with_1():
    config = BitsliceConfig(rows=2, cols=2)
    a, w = np.ones((2, 4), np.int64), np.ones((4, 2), np.int64)
    made = bitslice_run.Product(result=a @ w, failure=None, cycles=30, formula=29, steps=4,
                                macs=16, beats={}, weight_bits=0, weights=0)
    told = example.check("os, W8A8", config, Task(a, w), made)
    assert told["failure"] == "30 cycles instead of 29" and not told["correct"]


def test_a_product_that_cannot_be_cut_is_refused():
    stationary = BitsliceConfig(rows=2, cols=2, dataflow="ws", max_k=4)
    with pytest.raises(ConfigError, match="groups"):
        cut(stationary, Operation(group_len=4), 4, 8, 4)
    nested = BitsliceConfig(rows=2, cols=2, nested=True, max_k=1)
    with pytest.raises(ConfigError, match="max_k"):
        cut(nested, Operation(nests=(DRAFT, REFINE)), 4, 8, 4)
    with pytest.raises(ConfigError, match="max_k"):
        cut(BitsliceConfig(max_k=16), Operation(group_len=32), 4, 8, 4)


@pytest.mark.parametrize("name", ["os, W8A8", "tree, 4 lanes", "ws, W8A8"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 40, 9), (4, 16, 4)])
def test_tiles_cover_a_product_once(name, shape):
    parameters = example.CORES[example.CASES[name].core].parameters
    made = cut(BitsliceConfig(rows=2, cols=2, max_k=16, **parameters), Operation(), *shape)
    covered = np.zeros(shape, int)
    for tile in (tile for job in made.jobs for tile in job):
        covered[tile.row:tile.row + made.rows, tile.k:tile.k + made.depth,
                tile.column:tile.column + made.columns] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize("arguments", [["--m", "0"], ["--seed", "-1"], ["--sim", "none"],
                                       ["--case", "none"]])
def test_illegal_options_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        example.main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_an_illegal_array_or_a_missing_tool_ends_with_2(monkeypatch, capsys):
    assert example.main(["--rows", "65", "--case", "os, W8A8"]) == 2
    assert "rows" in capsys.readouterr().err

    def missing(*args, **options):
        raise ToolError("iverilog is missing")

    monkeypatch.setattr(bitslice_run, "verify", missing)
    assert example.main([*SMALL, "--case", "os, W8A8"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: iverilog is missing"


@pytest.mark.parametrize(("file", "said"), [
    ("plot.doc", "name a file .png"), ("missing/plot.png", "there is no folder")])
def test_a_plot_that_cannot_be_written_is_refused_at_once(monkeypatch, capsys, tmp_path, file,
                                                          said):
    monkeypatch.setattr(example, "multiply", None)
    assert example.main(["--plot", str(tmp_path / file)]) == 2
    assert said in capsys.readouterr().err
