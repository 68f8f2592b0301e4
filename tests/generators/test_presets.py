"""Every preset builds, and says what it follows."""

import pytest

from pimlico.generators.deliver import deliverables
from pimlico.generators.kv import BLOCK as KV
from pimlico.generators.load import load, read_preset
from pimlico.generators.ternary import BLOCK as TERNARY

OURS = [KV, TERNARY]
LONG = ["skipopu-u280"]
"""Minutes to emit: memories of 240 Mbit."""
PRESETS = [(block, name) for block in OURS for name in block.preset_names]


def test_the_ternary_presets():
    assert TERNARY.preset_names == [
        "best-int4", "best-int8", "bf16-mu3", "bitnet-2b4t", "ecp5-lutram", "fp16-mu3",
        "kintex-lutram", "micas-int8", "platinum", "tellme-kv260", "tiny"]


def test_the_kv_presets():
    assert KV.preset_names == [
        "ecp5-256", "llama3-8b-int2", "llama3-8b-int8-tile", "skipopu-u280", "up5k-spram"]


@pytest.mark.parametrize(("block", "name"), PRESETS, ids=[name for _, name in PRESETS])
def test_preset(block, name):
    preset = read_preset(block, name)
    assert preset.block == block.name
    assert preset.summary and "\n" not in preset.summary
    assert "arXiv" in preset.source
    config = load(block.name, preset=name).config
    assert preset.parameters.items() <= config.model_dump().items()


@pytest.mark.parametrize(("block", "name"), [
    pytest.param(*preset, id=preset[1], marks=[pytest.mark.deep] * (preset[1] in LONG))
    for preset in PRESETS])
def test_preset_is_delivered(block, name):
    config = load(block.name, preset=name).config
    files = deliverables(block, config, name.replace("-", "_"))
    assert all(files.values())


def test_the_comparable_presets_have_the_published_tile():
    for name in ("micas-int8", "best-int8", "best-int4"):
        config = load("ternary-gemm", preset=name).config
        assert (config.columns, config.keys, config.macs) == (12, 16, 192)


def test_bitnet_takes_every_layer_of_the_model():
    config = load("ternary-gemm", preset="bitnet-2b4t").config
    for n, m in [(2560, 3840), (2560, 2560), (2560, 13824), (6912, 2560)]:
        assert n <= config.n_max and m <= config.m_max
        assert config.job_beats(n, m) == n // config.columns * (m // config.keys)


def test_the_kv_presets_fill_their_memories():
    rows = {name: load("kv-history", preset=name).config for name in KV.preset_names}
    bits = {name: config.tokens * config.row_words * config.beat_bits
            for name, config in rows.items()}
    assert bits["ecp5-256"] == 8 * (16 << 10)
    assert bits["up5k-spram"] == 4 * (256 << 10)
    assert bits["skipopu-u280"] <= rows["skipopu-u280"].on_chip_bits == 960 * (288 << 10)
    assert rows["skipopu-u280"].row_bytes == 16 << 10
    assert {rows[name].row_bytes for name in rows if name.startswith("llama3")} == {4 << 10}
