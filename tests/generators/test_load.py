"""Configurations from presets, files and settings, and the one line each mistake gives."""

import pytest

from pimlico.generators.load import load, read, schema
from pimlico.generators.ternary import BLOCK
from pimlico.hdl.common.config import ConfigError


@pytest.fixture
def yaml_file(tmp_path):
    def write(text, name="core.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


def refusal(*args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        load(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_defaults():
    block, config, name = load("ternary-gemm")
    assert (block, config, name) == (BLOCK, BLOCK.config(), "ternary_gemm")


def test_settings_win_over_a_preset_and_later_ones_over_earlier_ones():
    config = load("ternary-gemm", preset="best-int4",
                  settings=["act=int16", "keys=3", "keys=5"]).config
    assert (config.act, config.keys, config.luts) == ("int16", 5, 6)


def test_a_file_names_its_block_and_top(yaml_file):
    path = yaml_file("block: ternary-gemm\nname: mine\nact: int4\nluts: 3\n")
    block, config, name = load(None, config=path, settings=["luts=4"])
    assert (block, name) == (BLOCK, "mine")
    assert (config.act, config.luts) == ("int4", 4)
    assert load(None, config=path, name="other").name == "other"


def test_a_preset_works_as_a_file():
    path = BLOCK.presets / "tiny.yaml"
    assert load(None, config=path).config == load("ternary-gemm", preset="tiny").config


def test_an_empty_file_sets_nothing(yaml_file):
    assert load("ternary-gemm", config=yaml_file("# later\n")).config == BLOCK.config()


@pytest.mark.parametrize(("value", "meant"), [("true", True), ("off", False)])
def test_settings_are_yaml_scalars(value, meant):
    assert load("ternary-gemm", settings=[f"addend={value}"]).config.addend is meant


@pytest.mark.parametrize(("arguments", "message"), [
    ({"block": None},
     "BLOCK = (nothing): must be named; see `pimlico list`, or write block: in the YAML file"),
    ({"block": "ternary-gem"},
     "BLOCK = ternary-gem: must be one of ternary-gemm; did you mean ternary-gemm?"),
    ({"preset": "best-int"},
     "--preset = best-int: must be one of best-int4, best-int8, bf16-mu3, bitnet-2b4t, "
     "ecp5-lutram, fp16-mu3, kintex-lutram, micas-int8, platinum, tellme-kv260, tiny; "
     "did you mean best-int8?"),
    ({"settings": ["keys"]},
     "--set = keys: must have the form key=value; for example --set keys=16"),
    ({"settings": ["=4"]},
     "--set = =4: must have the form key=value; for example --set keys=16"),
    ({"settings": ["keys=[1, 2]"]},
     "--set = keys=[1, 2]: must set one plain value: a number, a word, true or false"),
    ({"settings": ["keys={"]},
     "--set = keys={: must set one plain value: a number, a word, true or false"),
    ({"settings": ["keys=0"]},
     "keys = 0: must be 1 to 256 (number of read ports a table (K); rows a beat)"),
    ({"name": "9lives"},
     "--name = 9lives: must be a Verilog identifier: up to 64 letters, digits and underscores, "
     "not beginning with a digit"),
    ({"name": "a-b"},
     "--name = a-b: must be a Verilog identifier: up to 64 letters, digits and underscores, "
     "not beginning with a digit"),
])
def test_refusals(monkeypatch, arguments, message):
    monkeypatch.setattr("pimlico.generators.block.blocks", lambda: {BLOCK.name: BLOCK})
    assert refusal(**{"block": "ternary-gemm"} | arguments) == message


def test_unknown_parameter_names_the_nearest():
    message = refusal("ternary-gemm", settings=["key=4"])
    assert message.startswith("key = 4: must be one of act, table, build, ")
    assert message.endswith("; did you mean keys?")


@pytest.mark.parametrize(("text", "message"), [
    ("- keys\n- luts\n", "--config = {path}: must hold key: value lines; it holds a list"),
    ("just words\n", "--config = {path}: must hold key: value lines; it holds a str"),
    ("keys: 4\nluts: 2\nkeys: 8\n",
     "keys = 8: must be set once; {path} sets it on line 1 and again on line 3"),
    ("keys: [4\n", "--config = {path}: must be valid YAML; line 2, column 1: "
                   "expected ',' or ']', but got '<stream end>'"),
    ("keys: !!python/object/apply:os.getcwd []\n",
     "--config = {path}: must be valid YAML; line 1, column 7: could not determine a constructor "
     "for the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd'"),
    ("on: 4\n", "True = 4: must be a parameter's name; YAML reads this key of {path} as a bool; "
                "put it in quotes"),
    ("block: 7\n", "block = 7: must be text; correct {path}"),
    ("block: pim-bank\n", "block = pim-bank: must be ternary-gemm, the block on the command "
                          "line; leave BLOCK out, or correct {path}"),
])
def test_bad_files(yaml_file, text, message):
    path = yaml_file(text)
    assert refusal("ternary-gemm", config=path) == message.format(path=path)


def test_a_file_that_is_not_there(tmp_path):
    assert refusal("ternary-gemm", config=tmp_path / "none.yaml") == (
        f"--config = {tmp_path / 'none.yaml'}: must be a readable YAML file; "
        "no such file or directory")
    assert refusal("ternary-gemm", config=tmp_path).endswith("is a directory")


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "core.yaml").write_bytes(b"keys: 4\n\xff\n")
    assert refusal("ternary-gemm", config=tmp_path / "core.yaml") == (
        f"--config = {tmp_path / 'core.yaml'}: must be UTF-8 text; byte 8 is not")


def test_a_preset_and_a_file_do_not_mix(yaml_file):
    assert refusal("ternary-gemm", preset="tiny", config=yaml_file("keys: 4\n")) == (
        "--preset = tiny: must go without --config; "
        "give one of them, then change it with --set key=value")


def test_the_schema_of_a_file_covers_every_preset():
    known = schema(BLOCK)
    assert known["additionalProperties"] is False
    assert set(BLOCK.config.model_fields) < set(known["properties"])
    for name in BLOCK.preset_names:
        document = read(BLOCK.presets / f"{name}.yaml")
        assert set(document.model_dump(exclude_unset=True)) <= set(known["properties"])
