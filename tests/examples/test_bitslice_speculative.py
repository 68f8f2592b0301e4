"""The speculative example: its network, its passes on the RTL, and what it says of errors."""

import json

import bitslice_mlp
import bitslice_run
import bitslice_speculative as example
import numpy as np
import pytest
from bitslice_mlp import CONTEXT, SYMBOLS, drafted, language, train, truncated, windows

SMALL = ["--contexts", "2", "--rows", "2", "--cols", "2"]


@pytest.fixture(autouse=True)
def small_network(monkeypatch):
    """Few sums a context, so that Icarus has few cycles."""
    monkeypatch.setattr(bitslice_mlp, "VECTOR", 4)
    monkeypatch.setattr(bitslice_mlp, "HIDDEN", 10)
    monkeypatch.setattr(bitslice_mlp, "SYMBOLS", 6)
    monkeypatch.setattr(example, "TRAINED", 500)
    monkeypatch.setattr(example, "TESTED", 100)


def lines_of(out):
    return {line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:-1]]
            for line in out.splitlines() if line.startswith("│")}


def test_passes_read_the_bits_of_their_halves(seed, tmp_path, capsys):
    plot = tmp_path / "plot.png"
    assert example.main([*SMALL, "--json", "--seed", str(seed), "--plot", str(plot)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["correct"] and result["failure"] is None and result["seed"] == seed
    passes = {each["pass"]: each for each in result["passes"]}
    assert {name: each["bits_a_weight"] for name, each in passes.items()} == {
        "draft": 5, "refine": 4, "draft, then refine": 9, "full": 9}
    # 12 products for 10 columns, then 10 for 6; four columns a tile, two in full
    assert passes["draft"]["weights"] == 12 * 12 + 10 * 8
    assert passes["full"]["weights"] == 12 * 10 + 10 * 6
    assert passes["draft"]["issuing"] == 12 * 3 + 10 * 2
    assert passes["full"]["issuing"] == 12 * 5 + 10 * 3
    for each in passes.values():
        assert each["cycles"] == each["formula"] > each["issuing"]
    guesses = result["guesses"]
    assert 0 <= guesses["agree"] <= guesses["contexts"] == 2
    assert 1 < guesses["accepted"] <= 1 + example.AHEAD
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_the_table_shows_every_pass_and_a_wrong_sum_ends_with_1(monkeypatch, capsys):
    honest, kept = bitslice_run.verify, []

    def verify(*args, **options):
        kept.append(honest(*args, **options))
        return kept[-1]

    def replay(*args, **options):
        return kept.pop(0)

    monkeypatch.setattr(bitslice_run, "verify", verify)
    assert example.main(SMALL) == 0
    out = capsys.readouterr().out
    assert set(example.PASSES) <= set(lines_of(out))
    assert "of 2 contexts on the RTL" in " ".join(out.split())
    assert out.splitlines()[-1].startswith("all correct")
    kept[0]["simulators"]["icarus"]["recorded"]["o"][0] ^= 1
    monkeypatch.setattr(bitslice_run, "verify", replay)
    assert example.main(SMALL) == 1
    out = capsys.readouterr().out
    assert "layer 1, draft: sums are not as NumPy has them" in out
    assert "NOT CORRECT" in out.splitlines()[-1]


def test_the_network_guesses_better_than_chance_and_repeats(seed):
    def made():
        rng = np.random.default_rng(seed)
        seen, right = windows(language(rng, 600))
        return train(rng, seen, right, rounds=200), seen, right

    network, seen, right = made()
    again, *_ = made()
    assert (network.first == again.first).all() and (network.second == again.second).all()
    guessed = network.logits(seen, network.first.astype(int),
                             network.second.astype(int)).argmax(axis=1)
    common = np.bincount(right).max() / len(right)
    assert (guessed == right).mean() > common, f"seed {seed}"
    assert seen.shape[1] == CONTEXT and seen.max() < SYMBOLS


def test_halves_by_hand():
    w = np.array([-128, -9, -8, -1, 0, 7, 8, 127])
    assert drafted(w).tolist() == [-128, -16, 0, 0, 0, 0, 16, 128]
    assert truncated(w).tolist() == [-128, -16, -16, -16, 0, 0, 0, 112]


@pytest.mark.parametrize("arguments", [["--contexts", "0"], ["--contexts", "51"],
                                       ["--cols", "-2"]])
def test_illegal_options_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        example.main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_an_illegal_array_ends_with_2(capsys):
    assert example.main(["--rows", "65"]) == 2
    assert "rows" in capsys.readouterr().err
