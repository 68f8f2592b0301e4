"""The KV history example on short prompts: its model, its numbers, and what it says of errors."""

import json
from itertools import pairwise

import kv_history as example
import kv_run
import numpy as np
import pytest
from kv_model import Decoder, Shape, Visit
from kv_run import Case, count, generate, job

from pimlico.generators.errors import ToolError
from pimlico.hdl.kv.config import KvConfig
from pimlico.verif.kv.golden import History

SMALL = ["--prompt", "12", "--steps", "2", "--keep", "0.7", "0.4"]


def small_config(quant="none"):
    return KvConfig(row_elems=64, beat_elems=8, tokens=14, append=True, quant=quant)


@pytest.fixture
def icarus_only(monkeypatch):
    """One short run, without Verilator's minute of building."""
    monkeypatch.setattr(example, "cases",
                        lambda keeps, prompt, steps: [Case(0.6, 6, 1, 4, simulator="icarus")] * 2)


def corrupt(monkeypatch, stream, beat, bit):
    """One bit of one beat comes out wrong, and the lockstep bench does not notice."""
    honest = kv_run.verify

    def verify(*args, **options):
        result = honest(*args, **options)
        for each in result["simulators"].values():
            each["recorded"][stream][beat] ^= 1 << bit
        return result

    monkeypatch.setattr(kv_run, "verify", verify)


@pytest.mark.parametrize("keep", [1.0, 0.7, 0.2])
def test_attention_uses_the_rows_of_the_last_layer_executed(seed, keep):
    visits = generate(Case(keep, 12, 3), seed).visits
    assert len(visits) == 4 * Shape.layers
    for before, visit in pairwise(visits):
        held = ~visit.executed
        if visit.layer == 0:
            assert not held.any()
        else:
            assert (visit.rows[held] == before.rows[held]).all()
            assert (visit.rows[visit.executed] != before.rows[visit.executed]).any(axis=1).all()
        assert (visit.executed[:12].sum() == round(12 * (keep if visit.layer else 1)))


def test_decoding_a_token_gives_the_rows_of_a_longer_prompt(seed):
    model = Decoder(Shape(layers=4), np.random.default_rng(seed))
    prompt = np.random.default_rng(seed).integers(0, 256, 9).tolist()
    decoded = model.generate(prompt, 2, 1.0)
    at_once = model.generate(decoded.tokens[:-1], 0, 1.0)
    for step, whole in zip(decoded.visits[4:8], at_once.visits, strict=True):
        # sums in another order may round a last bit the other way
        assert np.abs(step.rows - whole.rows[:10]).max() <= 1


@pytest.mark.parametrize("quant", ["none", "int8", "int2"])
def test_the_golden_history_gives_the_rows_that_the_model_computes_with(seed, quant):
    config = small_config(quant)
    history = History(config)
    for visit in generate(Case(0.5, 12, 2, quant=quant), seed).visits:
        output = history.run(job(config, visit))
        assert (output.data.reshape(visit.rows.shape) == visit.rows).all()
        assert output.code == 0


def test_a_row_written_late_is_an_irregular_read():
    config = KvConfig(tokens=3)
    masks = [(0, [1, 1, 1]), (1, [1, 0, 1]), (0, [1, 1, 1]), (1, [1, 1, 1])]
    counted = count(config, [Visit(layer, np.array(mask, bool), np.zeros((3, 32)), False)
                             for layer, mask in masks])
    assert counted["irregular_reads"] == 2
    assert counted["gathers"] == counted["held_rows"] == 1
    assert counted["kept"] == 1
    assert counted["dense_bytes"] == 4 * 3 * config.row_bytes


def test_every_run_is_correct_and_its_numbers_agree(seed, tmp_path, capsys):
    plot = tmp_path / "plot.png"
    assert example.main([*SMALL, "--json", "--seed", str(seed), "--plot", str(plot)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["correct"] and result["seed"] == seed
    runs = result["runs"]
    assert [(each["keep"], each["layers"], each["quant"], each["simulator"]) for each in runs] == [
        (0.7, 8, "none", "verilator"), (0.4, 8, "none", "verilator"),
        (0.738, 32, "none", "verilator"), (0.738, 8, "int8", "verilator"),
        (0.738, 8, "none", "icarus")]
    for each in runs:
        rows = (12 * (each["steps"] + 1) + sum(range(each["steps"] + 1))) * each["layers"]
        assert each["passes"] == (each["steps"] + 1) * each["layers"]
        assert each["fresh_rows"] + each["held_rows"] <= rows
        assert each["saved"] == pytest.approx(1 - each["kept"])
        assert each["irregular_reads"] == 0 and each["gathers"] == each["held_rows"] > 0
        assert each["traffic"] == each["offchip_bytes"] / each["dense_bytes"] < 1
        assert each["cycles"] == each["formula"] + each["waits"]
        assert (each["waits"] == each["worst_error"] == 0) == (each["quant"] == "none")
    assert runs[1]["saved"] > runs[0]["saved"]
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_the_table_shows_every_run(icarus_only, capsys):
    assert example.main(["--keep", "0.6"]) == 0
    out = capsys.readouterr().out
    lines = {line.split("│")[1].strip(): line.split("│")[2:-1] for line in out.splitlines()
             if line.startswith("│")}
    assert [cell.strip() for cell in lines["equal to NumPy"]] == ["yes"]
    assert [cell.strip() for cell in lines["irregular reads"]] == ["0"]
    assert lines["cycles"] == lines["by formula"]
    assert out.splitlines()[-1].startswith("all correct")


@pytest.mark.parametrize(("stream", "beat", "bit", "said"), [
    ("kv", 3 * 8 + 1, 16 * 2, "pass 0, layer 0, token 3, element 10: "),
    ("kv", 7, 128, "pass 0, layer 0, token 0: flags are wrong"),
    ("done", 2, 1, "pass 2: layer is 3 instead of 2")], ids=["value", "flag", "counter"])
def test_a_wrong_beat_is_named_and_ends_with_1(icarus_only, monkeypatch, capsys, stream, beat,
                                               bit, said):
    corrupt(monkeypatch, stream, beat, bit)
    assert example.main(["--keep", "0.6"]) == 1
    out = capsys.readouterr().out
    assert said in out
    assert "NOT CORRECT" in out.splitlines()[-1]


def test_a_missing_tool_or_too_many_tokens_end_with_2(monkeypatch, capsys):
    def missing(*args, **options):
        raise ToolError("iverilog is missing")

    monkeypatch.setattr(kv_run, "verify", missing)
    assert example.main(SMALL) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: iverilog is missing"
    assert example.main(["--prompt", "70000"]) == 2
    assert "tokens" in capsys.readouterr().err


@pytest.mark.parametrize(("file", "said"), [
    ("plot.doc", "name a file .png"), ("missing/plot.png", "there is no folder")])
def test_a_plot_that_cannot_be_written_is_refused_at_once(monkeypatch, capsys, tmp_path, file,
                                                          said):
    monkeypatch.setattr(example, "run", None)
    assert example.main(["--plot", str(tmp_path / file)]) == 2
    assert said in capsys.readouterr().err


def test_a_plot_without_matplotlib_says_how_to_get_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(example, "find_spec", lambda name: None)
    assert example.main(["--plot", str(tmp_path / "plot.png")]) == 2
    assert "pip install 'pimlico[figures]'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    ["--keep", "0"], ["--keep", "1.1"], ["--prompt", "0"], ["--steps", "-1"]])
def test_illegal_options_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        example.main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err
