"""Product quantization at generation: what is refused, word for word, and derived numbers."""

from itertools import product
from math import ceil

import pytest
from pim_configs import SMALL
from pim_log_bursts import turns

from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.commands import PQ_ONLY, Op, known
from pimlico.hdl.pim.config import COUNTS, PimBankConfig, PimConfig
from pimlico.verif.pim.rules import Command

SELDOM = {"base": "hbm2_neupims", "trefi": 65535}
ON = {"pq": True}
LEAST = {"fmt": "fp16", "acc": "fmt", "lanes": 4, "row_bytes": 256, "pq": True, "pq_k": 16,
         "pq_m": 1, "pq_dsub": 1, "gb_cols": 1}

REFUSALS = {
    "subspaces without pq": (
        {"pq_m": 16}, "pq_m = 16: must be left alone without pq; set pq"),
    "centroids without pq": (
        {"pq_k": 512}, "pq_k = 512: must be left alone without pq; set pq"),
    "elements without pq": (
        {"pq_dsub": 8}, "pq_dsub = 8: must be left alone without pq; set pq"),
    "a head without pq": (
        {"head_dim": 64}, "head_dim = 64: must be left alone without pq; set pq"),
    "integers": (
        ON | {"fmt": "int8"}, "pq = True: must be false for fmt = int8: bins of int32 are no "
        "operands of int8; set fmt to bf16 or fp16"),
    "an accumulator a lane": (
        ON | {"arith": "lane_mac"}, "pq = True: must be false for arith = lane_mac: an entry of a "
        "table is the sum of a column; set arith to aligned or ieee_tree"),
    "several vectors": (
        ON | {"reuse": 2}, "reuse = 2: must be 1 with pq: a table is of one vector; give each "
        "bank a vector of its own"),
    "centroids": (
        ON | {"pq_k": 100}, "pq_k = 100: must be a power of two; the nearest are 64 and 128"),
    "head": (ON | {"head_dim": 64}, "head_dim = 64: must be pq_m * pq_dsub = 128"),
    "a table longer than a row": (
        ON | {"pq_k": 512}, "pq_k = 512: must be at most 256: a table of as many sums of 32 bits "
        "must fit a row; set it to that, or raise row_bytes"),
    "a table of half sums longer than a row": (
        LEAST | {"pq_k": 256}, "pq_k = 256: must be at most 128: a table of as many sums of 16 "
        "bits must fit a row; set it to that, or raise row_bytes"),
    "a centroid wider than a column": (
        ON | {"lanes": 4, "pq_dsub": 5}, "pq_dsub = 5: must be at most lanes = 4: a centroid must "
        "fit a column; raise lanes or pq_m"),
    "more subspaces than columns": (
        ON | {"pq_m": 33, "pq_dsub": 1}, "pq_m = 33: must be at most gb_cols = 32: each subspace "
        "has a column of the global buffer; raise gb_cols"),
    "a burst longer than tREFI leaves": (
        ON | {"timing": {"base": "hbm2_neupims", "trefi": 773}},
        "timing.trefi = 773: must be at least 774, tRFC and a burst of 514 cycles"),
    "no subspace": (
        ON | {"pq_m": 0}, "pq_m = 0: must be 1 to 64 (number of subspaces that a vector is cut "
        "into)"),
    "too many subspaces": (
        ON | {"pq_m": 65}, "pq_m = 65: must be 1 to 64 (number of subspaces that a vector is cut "
        "into)"),
    "too few centroids": (
        ON | {"pq_k": 8}, "pq_k = 8: must be 16 to 1024 (number of centroids of a subspace, a "
        "power of two)"),
    "too many centroids": (
        ON | {"pq_k": 2048}, "pq_k = 2048: must be 16 to 1024 (number of centroids of a "
        "subspace, a power of two)"),
    "no element": (
        ON | {"pq_dsub": 0}, "pq_dsub = 0: must be 1 to 16 (elements of a vector in a subspace)"),
    "too many elements": (
        ON | {"pq_dsub": 17},
        "pq_dsub = 17: must be 1 to 16 (elements of a vector in a subspace)"),
    "too long a head": (
        ON | {"head_dim": 1025},
        "head_dim = 1025: must be 1 to 1024 (elements of a vector: pq_m * pq_dsub)"),
}


@pytest.mark.parametrize("case", REFUSALS)
@pytest.mark.parametrize("kind", [PimConfig, PimBankConfig])
def test_refusal_names_field_value_legal_values_and_advice(kind, case):
    parameters, message = REFUSALS[case]
    with pytest.raises(ConfigError) as error:
        kind(**parameters)
    assert str(error.value) == message


@pytest.mark.parametrize("parameters", [
    {"pq_m": 32, "pq_k": 256, "pq_dsub": 4, "head_dim": 128}, ON, ON | {"pq_k": 64},
    ON | {"pq_k": 128}, ON | {"pq_k": 512, "row_bytes": 2048}, LEAST | {"pq_k": 128},
    ON | {"lanes": 4, "pq_dsub": 4}, ON | {"pq_m": 33, "pq_dsub": 1, "gb_cols": 64},
    ON | {"head_dim": 128}, ON | {"acc_latency": 2},
    ON | {"timing": {"base": "hbm2_neupims", "trefi": 774}},
    ON | {"fmt": "fp16", "arith": "ieee_tree"}], ids=str)
def test_what_refusals_advise_is_taken(parameters):
    PimConfig(**parameters)


# fmt, acc, lanes, row_bytes, gb_cols, m, k, dsub
EXTREMES = [
    ("fp16", "fmt", 4, 256, 1, 1, 16, 1), ("bf16", "fp32", 4, 256, 64, 64, 16, 4),
    ("fp16", "fmt", 32, 2048, 64, 64, 1024, 16), ("fp16", "fmt", 16, 2048, 64, 64, 1024, 16),
    ("bf16", "fp32", 32, 2048, 1, 1, 512, 1), ("fp16", "fmt", 32, 256, 64, 64, 16, 1),
]
MIDDLE = [("bf16", "fp32", lanes, row_bytes, 32, 8, k, dsub) for lanes, row_bytes, k, dsub in
          product((4, 8, 16, 32), (256, 512, 1024, 2048), (16, 32, 64, 256, 512), (1, 3, 4, 7, 16))
          if dsub <= lanes and k <= row_bytes // 4]


@pytest.mark.parametrize("case", [*EXTREMES, *MIDDLE[::7]], ids=str)
def test_derived_numbers(case):
    """Counted out: indices, centroids and tables laid side by side until a column or row ends."""
    fmt, acc, lanes, row_bytes, gb_cols, m, k, dsub = case
    config = PimConfig(fmt=fmt, acc=acc, lanes=lanes, row_bytes=row_bytes, gb_cols=gb_cols,
                       pq=True, pq_m=m, pq_k=k, pq_dsub=dsub,
                       timing=SELDOM)
    bits, sum_bits = 16 * lanes, 16 if acc == "fmt" else 32
    columns = row_bytes // (2 * lanes)
    sums = row_bytes // (sum_bits // 8)
    assert config.head_dim == m * dsub
    assert (config.cols, config.row_sums) == (columns, sums)
    assert config.column_sums * columns == sums
    assert config.operand_cols * lanes == sums, "a lane for each bin, when bins are rounded"
    # an index takes 4, 8 or 16 bits, or what leaves no more of a column than there are sums
    fits = min(width for width in (4, 8, 16) if 2**width >= k)
    while bits // fits > sums:
        fits *= 2
    assert (config.index_bits, config.column_indices) == (fits, bits // fits)
    assert config.token_groups * config.column_indices == sums
    taken = 1
    while taken < dsub:
        taken *= 2
    a_column = len(range(0, lanes - taken + 1, taken))
    codebook = len(range(0, k, a_column))
    assert (config.segment, config.column_centroids) == (taken, a_column)
    assert (config.codebook_cols, config.codebook_rows) == (codebook, ceil(codebook / columns))
    assert config.row_tables == len(range(0, sums - k + 1, k)) >= 1
    fields = {"row": max(64, gb_cols, sums // lanes, columns),
              "col": max(columns, gb_cols, config.token_groups),
              "slot": max(4, config.codebook_rows, config.row_tables)}
    for name, numbers in fields.items():
        assert 1 << getattr(config, f"{name}_field") >= numbers
        assert 1 << getattr(config, f"{name}_field") - 1 < numbers
    most = {Op.MAC: columns, Op.SUMS_TO_ROW: columns, Op.PQ_CONFIG: sums // lanes,
            Op.LUT_BUILD: min(columns, codebook), Op.BIN_MAC: min(columns, sums // lanes),
            Op.LUT_SUM: min(sums // lanes, config.token_groups),
            Op.BIN_ADD: min(sums // lanes, columns * lanes // config.column_indices)}
    last = max(turns(config, Command(op, n=n))[-1] for op, n in most.items())
    assert 0 <= config.longest_burst - last - config.timing.tccd_mac <= config.timing.tccd_mac


def test_the_widest_index_and_the_smallest():
    found = {PimConfig(**LEAST | {"pq_k": k, "row_bytes": 2048, "timing": SELDOM}).index_bits
             for k in (16, 32, 256, 512, 1024)}
    assert found == {4, 8, 16}
    many = PimConfig(lanes=32, row_bytes=256, pq=True, pq_k=16, pq_m=2, pq_dsub=1)
    assert (many.index_bits, many.token_groups) == (8, 1), "a sum for each of a column's indices"


@pytest.mark.parametrize(("parameters", "settles"), [
    (ON, 6), (ON | {"arith": "ieee_tree"}, 8), (ON | {"arith": "ieee_tree", "lanes": 32}, 10),
    (LEAST | {"arith": "ieee_tree"}, 6)], ids=str)
def test_cycles_until_another_burst(parameters, settles):
    """Six to the operand buffer, or two fewer than the products of a table take."""
    assert PimConfig(**parameters).pq_settles == settles


@pytest.mark.parametrize("kind", [PimConfig, PimBankConfig])
@pytest.mark.parametrize("case", [None, *(name for name in SMALL if name.startswith("pq"))])
def test_a_configuration_comes_back_as_it_was(kind, case):
    config = kind(**SMALL[case] | {"banks": 1, "bank_groups": 1} if case else {})
    for mode in ("json", "python"):
        again = kind(**config.model_dump(mode=mode))
        assert again == config and again.ports == config.ports
    assert config.pq == (case is not None)


def test_ports_and_commands_come_with_pq():
    without, tables = PimConfig(), PimConfig(pq=True)
    names = [port.name for port in without.ports]
    assert [port.name for port in tables.ports] == [*names, *COUNTS]
    assert [(port.direction, port.width) for port in tables.ports[-3:]] == [("out", 32)] * 3
    assert set(known(False, True)) - set(known(False, False)) == set(PQ_ONLY)
    assert set(known(True, True)) - set(known(True, False)) == set(PQ_ONLY)
    assert set(tables.facts) - set(without.facts) == {
        "table", "codebook", "indices", "tokens at a time"}


def test_from_the_command_line():
    config = load("pim-bank", settings=["pq=true", "pq_m=16", "pq_dsub=8"]).config
    assert (config.head_dim, config.segment, config.codebook_cols) == (128, 8, 128)
    with pytest.raises(ConfigError, match=r"^pq_k = 2048: must be 16 to 1024"):
        load("pim-bank", settings=["pq=true", "pq_k=2048"])
