"""The ternary core's cost model and what is chosen by it."""

import json
import re

import pytest
from typer.testing import CliRunner

from pimlico.cli import app
from pimlico.generators.block import find
from pimlico.generators.load import load, typed
from pimlico.generators.ternary_cost.choice import TernaryChoice
from pimlico.generators.ternary_cost.estimate import estimate, terms
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig

TARGETS = ("cmos", "ecp5", "xcup")


def chosen(**given):
    parameters = TernaryChoice(given).parameters
    return parameters["mu"], parameters["table"], parameters["luts"]


def test_every_register_of_a_plain_core_is_counted():
    config = TernaryConfig(mu=1, table="none", luts=1, keys=1, act="int4", n_max=256, m_max=64)
    names = [term.name for term in terms(config)]
    assert len(set(names)) == len(names)
    registers = sum(term.units.get("register", 0) for term in terms(config))
    assert registers == estimate(config)["xcup"]["ff"] == estimate(config)["cmos"]["ff_bits"]


@pytest.mark.parametrize("settings", [
    {}, {"act": "fp16"}, {"table": "lutram"}, {"out": "int8_requant", "batch": 2}])
def test_terms_add_up(settings):
    told = estimate(TernaryConfig(**settings))
    for target, size in zip(TARGETS, ("transistors", "lut", "lut"), strict=True):
        assert sum(told[target]["terms"].values()) == pytest.approx(told[target][size], rel=1e-3)
        assert min(told[target]["terms"].values()) >= 0


@pytest.mark.parametrize("act", ["int4", "int8", "int16"])
def test_integers_get_tables_of_two_activations(act):
    assert chosen(act=act) == (2, "ff", 6)


def test_a_choice_is_the_cheapest_of_its_alternatives():
    choice = TernaryChoice({"act": "int8", "keys": 64, "luts": 30})
    best = min(choice.alternatives, key=lambda entry: entry["per_mac"])
    assert [entry["chosen"] for entry in choice.alternatives].count(True) == 1
    assert best["chosen"] and choice.parameters["mu"] == best["mu"]
    assert choice.parameters["luts"] == 30


def test_what_is_given_stays():
    given = {"mu": 4, "table": "ff", "luts": 2}
    assert TernaryChoice(given).parameters == given
    assert chosen(table="none") == (1, "none", 12)
    assert TernaryChoice({"mu": 3}).parameters == {"mu": 3, "table": "ff"}


def test_lut_ram_has_to_be_asked_for():
    assert all(entry["table"] != "lutram" for entry in TernaryChoice({}).alternatives)
    assert chosen(table="lutram")[:2] == (3, "lutram")


@pytest.mark.parametrize(("weight_format", "unit"), [("base3x5", 5), ("tq1_0", 5), ("tq2_0", 4)])
def test_tiles_suit_the_weight_format(weight_format, unit):
    config = load("ternary-gemm", settings=[f"weight_format={weight_format}", "n_max=4096"]).config
    assert config.columns % unit == 0


def test_what_is_not_legal_is_left_to_the_configuration_to_refuse():
    for settings in (["act=int5"], ["mu=7"], ["keys=0"], ["table=none", "mu=3"]):
        with pytest.raises(ConfigError) as caught:
            load("ternary-gemm", settings=settings)
        assert caught.value.field in settings[-1] or caught.value.field == "mu"


def test_presets_name_what_could_be_chosen():
    block = find("ternary-gemm")
    for name in block.preset_names:
        given = typed(block.name, preset=name).parameters
        assert {"mu", "table"} <= given.keys(), name
        assert load(block.name, preset=name).config == TernaryConfig(**given)


def test_show(monkeypatch):
    told = json.loads(CliRunner().invoke(app, ["show", "ternary-gemm", "--json"]).stdout)
    marked = [entry for entry in told["alternatives"] if entry["chosen"]]
    assert [(entry["mu"], entry["table"]) for entry in marked] == [(2, "ff")]
    assert any(entry["table"] == "none" for entry in told["alternatives"])
    assert told["estimate"]["cmos"]["transistors"] == marked[0]["transistors"]
    assert (told["config"]["mu"], told["config"]["table"]) == (2, "ff")
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        out = CliRunner().invoke(app, ["show", "ternary-gemm", "--set", "act=fp16"]).stdout
        assert max(map(len, out.splitlines())) <= width
        assert re.search(r"\* +3 +ff +4 ", out) and "…" not in out


def test_show_of_a_block_without_a_model():
    told = json.loads(CliRunner().invoke(app, ["show", "kv-history", "--json"]).stdout)
    assert not {"alternatives", "estimate"} & told.keys()
