"""The demo on layers of one block: its runs, its numbers, and what it says when one is wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest
import ternary_demo as demo
import ternary_layer
from ternary_layer import Layer, make_model, prepare, run

from pimlico.generators.errors import ToolError
from pimlico.generators.load import load
from pimlico.generators.verilog import emit

LAYERS = (Layer("blk.0.attn_output.weight", "TQ1_0", n=256, m=32),
          Layer("blk.0.ffn_down.weight", "TQ2_0", n=256, m=32))
AREA = {"lut": 1000, "ff": 500, "dsp": 0, "bram": 0, "fmax_mhz": 100.0}


@pytest.fixture
def small(monkeypatch):
    """The demo, without its minute of place and route, which tests of their own cover."""
    monkeypatch.setattr(demo, "LAYERS", LAYERS)
    monkeypatch.setattr(demo, "synthesise", lambda *args, **options: AREA)


@pytest.fixture
def wrong(monkeypatch):
    """One bit of one result comes out wrong, and the lockstep bench does not notice."""
    honest = ternary_layer.verify

    def verify(*args, **options):
        result = honest(*args, **options)
        for each in result["simulators"].values():
            each["recorded"]["o"][3] ^= 1
        return result

    monkeypatch.setattr(ternary_layer, "verify", verify)


@pytest.fixture
def icarus_only(monkeypatch):
    """Without Verilator's minute of building."""
    monkeypatch.setattr(demo, "SIMULATORS", ("icarus",))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.kind)
@pytest.mark.parametrize("rows", [32, 10], ids=["whole", "slice"])
def test_a_run_is_right_and_takes_the_cycles_of_the_formula(tmp_path, layer, rows):
    block, config, name = load("ternary-gemm", preset=demo.PRESET,
                               settings=demo.CORES[layer.kind])
    rng = np.random.default_rng(1)
    trits = make_model(tmp_path / "model.gguf", [layer], rng)[layer.tensor]
    job = prepare(tmp_path / "model.gguf", layer, config, trits, rng, tmp_path / "job")
    result = run(job, "icarus", emit(block, config, name), rows)
    assert result["correct"] and result["lockstep"] and result["exact"]
    assert result["failure"] is None
    assert result["rows"] == rows
    assert result["cycles"] == result["formula"] == config.job_beats(256, rows) + config.latency
    assert result["busy"] == config.job_beats(256, rows) / result["cycles"]


def test_both_simulators_agree_on_both_formats(small, capsys):
    assert demo.main(["--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["correct"]
    assert [(each["format"], each["simulator"]) for each in result["runs"]] == [
        ("tq1_0", "verilator"), ("tq1_0", "icarus"), ("tq2_0", "verilator"), ("tq2_0", "icarus")]
    for each in result["runs"]:
        assert each["correct"]
        assert each["cycles"] == each["formula"]
    assert result["ecp5"]["tq2_0"] == AREA | {"layer_ms": 0.001}


def test_the_table_shows_every_run(small, icarus_only, capsys):
    assert demo.main([]) == 0
    out, err = capsys.readouterr()
    lines = {line.split("│")[1].strip(): line.split("│")[2:-1] for line in out.splitlines()
             if line.startswith("│")}
    assert [cell.strip() for cell in lines["GGUF type"]] == ["TQ1_0", "TQ2_0"]
    assert [cell.strip() for cell in lines["equal to NumPy"]] == ["yes", "yes"]
    assert [cell.strip() for cell in lines["ECP5 LUT"]] == ["1 000", "1 000"]
    assert lines["cycles"] == lines["beats + latency"]
    assert out.splitlines()[-1].startswith("all correct")
    assert "ffn_down: icarus: running" in err


def test_a_wrong_result_is_named_and_ends_with_1(small, icarus_only, wrong, capsys):
    assert demo.main([]) == 1
    out = capsys.readouterr().out
    assert "attn_output, icarus: row 12: " in out
    assert "ffn_down, icarus: row 12: " in out
    assert "NOT CORRECT" in out.splitlines()[-1]


def test_a_run_that_leaves_the_model_ends_with_1(small, icarus_only, monkeypatch, capsys):
    honest = demo.emit

    def unconnected(*core):
        design = honest(*core)
        text = design.text.replace(".status(status)", ".status()", 1)
        assert text != design.text
        return replace(design, text=text)

    monkeypatch.setattr(demo, "emit", unconnected)
    assert demo.main([]) == 1
    assert "attn_output, icarus: mismatch on status" in capsys.readouterr().out


def test_a_missing_tool_ends_with_2(small, monkeypatch, capsys):
    def missing(*args, **options):
        raise ToolError("iverilog is missing")

    monkeypatch.setattr(ternary_layer, "verify", missing)
    assert demo.main([]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.splitlines()[-1] == "error: iverilog is missing"
