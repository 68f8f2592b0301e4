"""The tables of a block's page are those of its configuration."""

from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from pages import ROOT, fenced, headed, plain, table

from pimlico.generators.block import blocks, find
from pimlico.generators.load import load
from pimlico.hdl.ascon.config import STATUS as ASCON_STATUS
from pimlico.hdl.ascon.config import AsconConfig
from pimlico.hdl.bitslice.config import STATUS as BITSLICE_STATUS
from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Stream
from pimlico.hdl.kv.config import STATUS as KV_STATUS
from pimlico.hdl.kv.config import KvConfig
from pimlico.hdl.omap.config import STATUS as OMAP_STATUS
from pimlico.hdl.omap.config import OmapConfig
from pimlico.hdl.pim.commands import MEANING as PIM_STATUS
from pimlico.hdl.pim.config import PimBankConfig, PimConfig
from pimlico.hdl.ternary.config import STATUS as TERNARY_STATUS
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.verif.kv.cycles import KvCycles

FOLDER = ROOT / "docs"


@dataclass(frozen=True)
class Documented:
    """What the page of a block is compared with.

    `full` has every port; the defaults of the fields in `derived` depend on other fields.
    """

    block: str
    full: Any
    status: dict[int, str]
    derived: frozenset[str] = frozenset()

    @property
    def page(self):
        return FOLDER / f"{self.block}.md"


PIM_DERIVED = frozenset({"arith", "acc", "mac_columns", "timing"})
DOCUMENTED = [
    Documented("ternary-gemm", TernaryConfig(addend=True, out="int8_requant"), TERNARY_STATUS,
               frozenset({"acc_width", "acc_format"})),
    Documented("kv-history", KvConfig(append=True), KV_STATUS),
    Documented("omap-controller", OmapConfig(), OMAP_STATUS),
    Documented("ascon-aead128", AsconConfig(), ASCON_STATUS),
    Documented("bitslice-array", BitsliceConfig(nested=True, zero_points=True, preload=True,
                                                a_signed="runtime"),
               BITSLICE_STATUS, frozenset({"modes", "acc_form"})),
    Documented("pim-bank", PimBankConfig(pq=True), PIM_STATUS, PIM_DERIVED),
    Documented("pim-channel", PimConfig(pq=True), PIM_STATUS, PIM_DERIVED),
]
REFUSED = [(entry.block, plain(settings), message.strip("`")) for entry in DOCUMENTED
           for settings, message in table(entry.page, "What is refused")]
by_block = pytest.mark.parametrize("entry", DOCUMENTED, ids=[entry.block for entry in DOCUMENTED])


def test_every_block_has_a_page():
    ours = [name for name, block in blocks().items()
            if block.config.__module__.startswith("pimlico.")]
    assert sorted(entry.block for entry in DOCUMENTED) == ours
    linked = [name for name, *_ in table(ROOT / "README.md", "Blocks")]
    assert sorted(linked) == [f"[`{name}`](docs/{name}.md)" for name in ours]


@by_block
def test_the_parameter_table_is_the_configuration(entry):
    rows = {plain(name): plain(legal) for name, legal, *_ in table(entry.page, "Parameters")}
    fields = type(entry.full).model_json_schema()["properties"]
    assert list(rows) == list(fields)
    for name, field in fields.items():
        assert rows[name] == legal(field)


def legal(field):
    """The legal values of a field, from its JSON Schema, as the pages write them."""
    field = field.get("anyOf", [field])[0]  # the other alternative is none, its default
    if "$ref" in field:
        return "a name or a record"
    if field["type"] == "boolean":
        return "true, false"
    if field["type"] == "array":
        return "a list of wXaY"
    if "const" in field:
        return str(field["const"])
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if "maximum" in field:
        return f"{field['minimum']}–{field['maximum']}"
    return f"{field['minimum']} or more"


@by_block
def test_the_defaults_are_the_configuration(entry):
    usual = type(entry.full)().model_dump(mode="json")
    for name, _, default, _ in table(entry.page, "Parameters"):
        said = yaml.safe_load(plain(default).partition(";")[0])
        assert plain(name) in entry.derived or said == usual[plain(name)]


@by_block
def test_every_preset_is_listed(entry):
    listed = [plain(name) for name, *_ in headed(entry.page, "preset")]
    assert sorted(listed) == find(entry.block).preset_names


@by_block
def test_the_port_list_is_the_configuration(entry):
    said = [(plain(name), direction) for name, direction, *_ in table(entry.page, "Ports")]
    expected = []
    for port in entry.full.ports:
        expected.append((port.name, port.direction))
        if isinstance(port, Stream):
            expected += [(f"{port.name}.{field.name}", "") for field in port.fields]
    assert said == expected


@by_block
def test_the_status_codes_are_those_of_the_core(entry):
    said = {int(code): text for code, text, *_ in table(entry.page, "Status codes")}
    assert said == entry.status


@pytest.mark.parametrize(("block", "settings", "message"), REFUSED)
def test_refusal(block, settings, message):
    with pytest.raises(ConfigError) as refused:
        load(block, settings=settings.split())
    assert str(refused.value) == message


def test_the_list_of_proofs_is_the_blocks():
    properties = find("kv-history").load("properties")(load("kv-history").config)
    said = [(plain(name), span, shows) for name, span, shows in table(
        FOLDER / "kv-history.md", "What is proved")]
    assert said == [(each.name, "all time" if each.induction else f"{each.depth} cycles",
                     each.shows) for each in properties]


def test_the_passes_drawn_are_the_cycle_models():
    drawn = next(text for language, text in fenced(FOLDER / "kv-history.md")
                 if language == "text" and text.startswith("start"))
    said = dict(line.split() for line in drawn.splitlines())
    assert said == passes(KvConfig(row_elems=16, tokens=2), ["11", "01"])


def passes(config, masks):
    """What moves on each stream, a character a cycle, as layers follow each other unstalled."""
    model = KvCycles(config)
    start = config.port("start")
    bursts = [config.beats * mask.count("1") for mask in masks]
    waiting = {
        "start": [start.pack({"sequence": 0, "layer": layer, "n_tokens": len(mask)})
                  for layer, mask in enumerate(masks)],
        "mask": [int(bit) for mask in masks for bit in mask],
        "fresh": [int(left == 0) << config.beat_bits for burst in bursts
                  for left in reversed(range(burst))],
    }
    lines = dict.fromkeys((*waiting, "kv", "done"), "")
    while waiting["start"] or not model.idle:
        inputs = {"reset_valid": 0, "reset_payload": 0, "status_clear": 0, "kv_ready": 1,
                  "done_ready": 1}
        for name, beats in waiting.items():
            inputs[f"{name}_valid"] = int(bool(beats) and (name != "start" or model.idle))
            inputs[f"{name}_payload"] = beats[0] if beats else 0
        outputs = model.outputs(inputs)
        model.tick(inputs)
        moved = dict.fromkeys(lines, ".")
        for name, beats in waiting.items():
            if inputs[f"{name}_valid"] and outputs[f"{name}_ready"]:
                moved[name] = {"start": "s", "mask": str(beats[0]), "fresh": "f"}[name]
                beats.pop(0)
        if outputs["kv_valid"]:
            moved["kv"] = "F" if outputs["kv_payload"] >> config.beat_bits & 1 else "H"
        if outputs["done_valid"]:
            moved["done"] = "d"
        lines = {name: line + moved[name] for name, line in lines.items()}
    return lines
