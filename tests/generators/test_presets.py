"""Every preset builds, and says what it follows."""

import pytest

from pimlico.generators.load import load, read_preset
from pimlico.generators.ternary import BLOCK as TERNARY

OURS = [TERNARY]
PRESETS = [(block, name) for block in OURS for name in block.preset_names]


def test_the_ternary_presets():
    assert TERNARY.preset_names == ["best-int4", "best-int8", "bitnet-2b4t", "micas-int8", "tiny"]


@pytest.mark.parametrize(("block", "name"), PRESETS, ids=[name for _, name in PRESETS])
def test_preset(block, name):
    preset = read_preset(block, name)
    assert preset.block == block.name
    assert preset.summary and "\n" not in preset.summary
    assert "arXiv" in preset.source
    config = load(block.name, preset=name).config
    assert preset.parameters.items() <= config.model_dump().items()


def test_the_comparable_presets_have_the_published_tile():
    for name in ("micas-int8", "best-int8", "best-int4"):
        config = load("ternary-gemm", preset=name).config
        assert (config.columns, config.keys, config.macs) == (12, 16, 192)


def test_bitnet_takes_every_layer_of_the_model():
    config = load("ternary-gemm", preset="bitnet-2b4t").config
    for n, m in [(2560, 3840), (2560, 2560), (2560, 13824), (6912, 2560)]:
        assert n <= config.n_max and m <= config.m_max
        assert config.job_beats(n, m) == n // config.columns * (m // config.keys)
