"""The embedding example on a small table: its rows, its figures, and what the host learns."""

import json
import re
from copy import deepcopy

import numpy as np
import omap_embedding as example
import pytest
from omap_observer import Seen, busiest, chi_square, direct_mapped, kolmogorov_smirnov
from omap_text import repetitive, row, tokens, varied

from pimlico.generators.errors import ToolError
from pimlico.sim.omap_trace import run_trace

SMALL = ["--rows", "64", "--lookups", "900", "--seed", "1"]


@pytest.fixture(scope="module")
def honest():
    """The trace of the small table."""
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example, "run_trace",
                      lambda *args, **options: kept.append(run_trace(*args, **options)) or kept[0])
        assert example.main(SMALL) == 0
    return kept[0]


def corrupt(monkeypatch, trace, change):
    """The trace is other than the RTL's."""
    wrong = deepcopy(trace)
    change(wrong)
    monkeypatch.setattr(example, "run_trace", lambda *args, **options: wrong)
    monkeypatch.setattr(example, "emit", lambda block, config: None)


def test_every_row_is_right_and_the_host_learns_nothing(tmp_path, capsys, seed):
    plot = tmp_path / "plot.png"
    assert example.main([*SMALL, "--seed", str(seed), "--json", "--plot", str(plot)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["correct"] and result["failure"] is None and result["seed"] == seed
    rtl = result["rtl"]
    assert (rtl["rows"], rtl["operations"], rtl["lookups"], rtl["wrong"]) == (64, 1864, 1800, 0)
    assert rtl["shortest"] == rtl["longest"] == rtl["cycles_per_operation"] == rtl["interval"]
    assert rtl["host_bytes_per_operation"] == rtl["host_bytes"] == 4 * 45 * 8
    assert 0 < rtl["peak_pending"] <= rtl["pending_bound"]
    plain, oblivious = (result["host"][name] for name in (example.PLAIN, example.OBLIVIOUS))
    for text in "AB":
        assert plain[text]["p"] < 1e-9 < 1e-6 < oblivious[text]["p"]
        assert oblivious[text]["reads"] == 1800 > plain[text]["reads"]
        assert oblivious[text]["addresses"] == oblivious[text]["of"] == 32
        assert plain[text]["of"] == 64
    assert plain["ks_p"] < 1e-9 < 1e-6 < oblivious["ks_p"]
    assert oblivious["ks"] < plain["ks"] and oblivious["A"]["busiest"] < plain["A"]["busiest"]
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_the_tables_show_every_figure(capsys):
    assert example.main(SMALL) == 0
    out = capsys.readouterr().out
    lines = {line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:-1]]
             for line in out.splitlines() if line.startswith("│")}
    assert lines["operations"] == ["1 864", "64 loads + 1 800 lookups"]
    assert lines["rows right"] == ["1 864", "1 864"]
    assert lines["host bytes an operation"] == ["1440", "1440"]
    assert lines["reads"][2:] == ["1 800", "1 800"]
    assert [bool(cell) for cell in lines["KS distance, A to B"]] == [False, True, False, True]
    assert "text A: the drum goes round and round, the drum …" in out
    assert out.splitlines()[-1].startswith("every row right")


def flip(at, element, bit):
    def change(trace):
        trace.octets[at, element] ^= 1 << bit
    return change


def tell(at, column, value):
    def change(trace):
        trace.responses[at, column] = value
    return change


@pytest.mark.parametrize(("change", "said"), [
    (flip(64 + 17, 3, 7), r"lookup 17: element 3 is -?\d+ instead of -?\d+"),
    (flip(5, 63, 0), r"load of row 5: element 63 is "),
    (tell(64 + 900, 1, 1), r"lookup 900: status 1 \(get or del of a key that is not there\), fo"),
    (tell(64, 2, 0), r"lookup 0: status 0 \(done\), found 0"),
    (tell(3, 2, 1), r"load of row 3: status 0 \(done\), found 1")],
    ids=["lookup", "load", "miss", "not found", "found too early"])
def test_a_wrong_row_is_named_and_ends_with_1(monkeypatch, capsys, honest, change, said):
    corrupt(monkeypatch, honest, change)
    assert example.main(SMALL) == 1
    out = capsys.readouterr().out
    assert "1 WRONG" in out
    assert any(re.match(said, line) for line in out.splitlines())
    assert "NOT CORRECT" in out.splitlines()[-1]


def test_a_cache_hides_hits_only():
    seen = direct_mapped(np.array([5, 5, 1, 5, 3, 1, 3]), 8, 4)
    assert seen.time.tolist() == [0, 2, 3, 4, 5]
    assert seen.address.tolist() == [5, 1, 5, 3, 1]
    assert busiest(seen) == 2 / 5


def test_chi_square_by_hand():
    """Counts 10, 20, 30, 40 in four places: (225 + 25 + 25 + 225) / 25 over 3."""
    seen = Seen(np.arange(100), np.repeat(np.arange(4), [10, 20, 30, 40]), 4)
    ratio, p = chi_square(seen)
    assert ratio == pytest.approx(20 / 3)
    assert p < 1e-3
    even = Seen(np.arange(100), np.repeat(np.arange(4), [20, 30, 25, 25]), 4)
    assert chi_square(even) == pytest.approx((2 / 3, 0.572), abs=0.01)
    few = Seen(np.arange(10), np.repeat(np.arange(4), [1, 2, 3, 4]), 4)
    assert chi_square(few)[0] == pytest.approx((4 + 4) / 5)
    halves = Seen(np.arange(120), np.repeat(np.arange(4), [25, 35, 20, 40]), 4, parts=2)
    assert chi_square(halves)[0] == pytest.approx((50 / 30 + 200 / 30) / 2)


def test_kolmogorov_smirnov_by_hand():
    one = Seen(np.arange(50), np.repeat(np.arange(4), [20, 10, 10, 10]), 4)
    other = Seen(np.arange(50), np.repeat(np.arange(4), [10, 10, 10, 20]), 4)
    distance, p = kolmogorov_smirnov(one, other)
    assert distance == pytest.approx(0.2)
    assert p == pytest.approx(0.2700, abs=1e-4)  # of the Kolmogorov distribution at 1
    assert kolmogorov_smirnov(one, one) == (0, 1)


def test_uniform_addresses_are_found_to_be_so(seed):
    rng = np.random.default_rng(seed)
    runs = [Seen(np.arange(2000), rng.permuted(np.stack([
        rng.integers(0, 512, 1000), rng.integers(512, 1024, 1000)]), axis=0).ravel(), 1024, 2)
        for _ in range(200)]
    chances = np.array([chi_square(run)[1] for run in runs])
    # a mean of 200 uniform numbers, five standard deviations either way
    assert abs(chances.mean() - 0.5) < 5 / np.sqrt(12 * 200)
    alike = [kolmogorov_smirnov(one, other)[1]
             for one, other in zip(runs[::2], runs[1::2], strict=True)]
    assert np.mean(np.array(alike) < 0.05) < 0.2


def test_texts_are_different_and_repeat_by_seed(seed):
    rhyme = tokens(repetitive(), 500)
    prose, again, other = (tokens(varied(np.random.default_rng(each)), 500)
                           for each in (seed, seed, seed + 1))
    assert prose == again != other
    assert len(rhyme) == len(prose) == 500
    assert len(set(rhyme)) < 20 < 80 < len(set(prose))
    assert {",", ";", "."} <= set(rhyme)
    assert {row(token, 64) for token in prose} <= set(range(64))


def test_a_missing_tool_ends_with_2(monkeypatch, capsys):
    def missing(*args, **options):
        raise ToolError("verilator is missing")

    monkeypatch.setattr(example, "run_trace", missing)
    assert example.main(SMALL) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: verilator is missing"


@pytest.mark.parametrize(("file", "said"), [
    ("plot.doc", "name a file .png"), ("missing/plot.png", "there is no folder")])
def test_a_plot_that_cannot_be_written_is_refused_at_once(monkeypatch, capsys, tmp_path, file,
                                                          said):
    monkeypatch.setattr(example, "run_trace", None)
    assert example.main(["--plot", str(tmp_path / file)]) == 2
    assert said in capsys.readouterr().err


def test_a_plot_without_matplotlib_says_how_to_get_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(example, "find_spec", lambda name: None)
    assert example.main(["--plot", str(tmp_path / "plot.png")]) == 2
    assert "pip install 'pimlico[figures]'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    ["--rows", "8"], ["--rows", "100"], ["--rows", "131072"], ["--lookups", "99"],
    ["--seed", "-1"]])
def test_illegal_options_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        example.main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err
