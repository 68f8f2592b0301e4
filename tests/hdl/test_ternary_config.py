"""What the ternary core refuses at generation, word for word, and its derived numbers."""

import pytest

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig

REFUSALS = {
    "mu above": (
        {"mu": 6}, "mu = 6: must be 1 to 5 (number of weights a key stands for (µ))"),
    "mu below": (
        {"mu": 0}, "mu = 0: must be 1 to 5 (number of weights a key stands for (µ))"),
    "luts": (
        {"luts": 0},
        "luts = 0: must be 1 to 128 (number of tables (L); luts*mu columns a beat)"),
    "keys": (
        {"keys": 257},
        "keys = 257: must be 1 to 256 (number of read ports a table (K); rows a beat)"),
    "table": (
        {"table": "bram"},
        "table = bram: must be one of ff, lutram, none (where the sums of activations are kept: "
        "flip-flops, LUT RAM, or none (a tree of conditional add/subtract))"),
    "batch": (
        {"batch": 9},
        "batch = 9: must be 1 to 8 (number of activation vectors that share a pass of the "
        "weights)"),
    "act": (
        {"act": "int2"},
        "act = int2: must be one of int4, int8, int16, fp16, bf16 (activation type)"),
    "lutram with floating": (
        {"act": "fp16", "table": "lutram"},
        "table = lutram: must be ff or none with act = fp16; set table = ff"),
    "lutram in parallel": (
        {"table": "lutram", "build": "parallel"},
        "build = parallel: must be serial with table = lutram; leave build out, or set "
        "table = ff"),
    "serial with floating": (
        {"act": "bf16", "build": "serial"},
        "build = serial: must be parallel with table = ff and act = bf16; leave build out"),
    "serial without a table": (
        {"table": "none", "build": "serial"},
        "build = serial: must be parallel with table = none and act = int8; leave build out"),
    "build that cannot be hidden": (
        {"table": "lutram", "keys": 16, "m_max": 192},
        "build = serial: must be hidden behind the beats of m_max rows, but 12 are fewer than "
        "the 13 cycles that a table takes; raise m_max to 193, lower keys or mu, or set "
        "allow_exposed_build = true"),
    "requantized floats": (
        {"act": "fp16", "out": "int8_requant"},
        "out = int8_requant: must be raw or fp32_scaled with act = fp16; floating sums are not "
        "rescaled to integers"),
    "compressed floats": (
        {"act": "fp16", "adder": "compressor"},
        "adder = compressor: must be carry with act = fp16; leave it out: floating sums are "
        "rounded one by one"),
    "floats that wrap": (
        {"act": "fp16", "allow_wrap": True},
        "allow_wrap = True: must be false with act = fp16; leave it out: floating sums do not "
        "wrap"),
    "floats without format": (
        {"act": "fp16", "acc_format": None},
        "acc_format = None: must be fp32 or act with act = fp16; leave it out for fp32"),
    "width of floats": (
        {"act": "fp16", "acc_width": 24},
        "acc_width = 24: must be 32, the width of acc_format = fp32; leave it out"),
    "format of integers": (
        {"acc_format": "fp32"},
        "acc_format = fp32: must be left out with act = int8; set act to fp16 or bf16"),
    "subnormal integers": (
        {"subnormals": "flush"},
        "subnormals = flush: must be left out with act = int8; set act to fp16 or bf16"),
    "none with mu": (
        {"table": "none", "mu": 2},
        "mu = 2: must be 1 with table = none; leave mu out, or set table = ff"),
    "acc_width": (
        {"acc_width": 20},
        "acc_width = 20: must be at least 21 for act = int8, n_max = 4096; leave it out for the "
        "exact width, or set allow_wrap = true"),
    "acc_width with allow_wrap": (
        {"acc_width": 11, "allow_wrap": True},
        "acc_width = 11: must be at least 12, the width of one beat's sum; narrow the tile "
        "(luts, mu) or widen the accumulator"),
    "base3x5": (
        {"weight_format": "base3x5"},
        "weight_format = base3x5: must go with luts*mu a multiple of 5, not 12; set luts to a "
        "multiple of 5, or use two_bit"),
    "tq1_0 columns": (
        {"weight_format": "tq1_0"},
        "weight_format = tq1_0: must go with luts*mu a multiple of 5, not 12; set luts to a "
        "multiple of 5, or use tq2_0"),
    "tq1_0 divisor": (
        {"weight_format": "tq1_0", "mu": 5, "luts": 5},
        "weight_format = tq1_0: must go with luts*mu/5 a divisor of 48, not 5; set luts*mu to 5, "
        "10, 15, 20, 30, 40, 60, 80, 120 or 240"),
    "tq2_0 divisor": (
        {"weight_format": "tq2_0"},
        "weight_format = tq2_0: must go with luts*mu/4 a divisor of 64, not 3; set luts*mu to 4, "
        "8, 16, 32, 64, 128 or 256"),
    "n_max of blocks": (
        {"weight_format": "tq2_0", "luts": 8, "n_max": 1000},
        "n_max = 1000: must be a multiple of 256 with weight_format = tq2_0; round it up to 1024"),
    "unknown": (
        {"lut": 4},
        "lut = 4: must be one of act, table, build, allow_exposed_build, mu, luts, keys, batch, "
        "mux, adder, n_max, m_max, addend, acc_format, subnormals, acc_width, allow_wrap, "
        "pipeline, weight_format, out; did you mean luts?"),
    "type": (
        {"luts": "many"},
        "luts = many: must be valid: input should be a valid integer, unable to parse string as "
        "an integer (number of tables (L); luts*mu columns a beat)"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_names_field_value_legal_values_and_advice(case):
    parameters, message = REFUSALS[case]
    with pytest.raises(ConfigError) as error:
        TernaryConfig(**parameters)
    assert str(error.value) == message


@pytest.mark.parametrize("act", ["int4", "int8", "int16"])
@pytest.mark.parametrize("n_max", [1, 2, 12, 255, 256, 257, 2560, 4096])
@pytest.mark.parametrize("addend", [False, True])
def test_exact_accumulator_holds_the_extremes_and_is_the_narrowest(act, n_max, addend):
    config = TernaryConfig(act=act, n_max=n_max, addend=addend)
    most = n_max << config.act_bits - 1
    largest = 1 << config.acc_width - 1
    if addend:
        assert most + (1 << config.acc_width - 2) <= largest
    else:
        assert most < largest
        assert most >= largest // 2


def test_table_has_half_the_sums():
    assert [TernaryConfig(mu=mu).entries for mu in range(1, 6)] == [1, 4, 13, 40, 121]
    assert [TernaryConfig(mu=mu).key_bits for mu in range(1, 6)] == [2, 4, 5, 7, 8]
    assert [TernaryConfig(mu=mu).entry_width for mu in range(1, 6)] == [8, 9, 10, 10, 11]


def test_job_beats():
    config = TernaryConfig(luts=6, mu=2, keys=16)
    assert config.job_beats(2560, 6912) == -(-2560 // 12) * -(-6912 // 16)
    blocks = TernaryConfig(luts=20, mu=1, weight_format="tq1_0", n_max=2560)
    assert blocks.tile_beats(2560) == 10 * (12 + 1)
    assert TernaryConfig(luts=16, mu=1, weight_format="tq2_0").tile_beats(512) == 32


def test_mu_defaults_to_the_table_and_the_activations():
    assert TernaryConfig().mu == 2
    assert TernaryConfig(table="none").mu == TernaryConfig(act="fp16", table="none").mu == 1
    assert TernaryConfig(act="fp16").mu == TernaryConfig(table="lutram").mu == 3


def test_defaults_follow_the_table_and_the_activations():
    assert TernaryConfig().build == "parallel"
    assert TernaryConfig(table="lutram").build == "serial"
    assert [TernaryConfig(act=act).acc_width for act in ("int4", "fp16", "bf16")] == [17, 32, 32]
    assert TernaryConfig(act="bf16", acc_format="act").acc_width == 16
