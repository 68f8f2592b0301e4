"""What the PIM banks refuse at generation, word for word, and their derived numbers."""

from typing import get_args

import pytest
from pim_configs import FAST, SMALL

from pimlico.generators.load import load
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.pim.commands import MEANING, WAITS, Code, Op
from pimlico.hdl.pim.config import PimBankConfig, PimConfig
from pimlico.hdl.pim.timing import DEVICES, Timing


def on(base="hbm2_neupims", **changes):
    return {"timing": {"base": base, **changes}}


MEMBERS = ", ".join(Timing.model_fields)
REFUSALS = {
    "lanes": ({"lanes": 12}, "lanes = 12: must be a power of two; the nearest are 8 and 16"),
    "lanes above": (
        {"lanes": 64},
        "lanes = 64: must be 4 to 32 (number of elements of a column, a power of two)"),
    "row_bytes": (
        {"row_bytes": 768}, "row_bytes = 768: must be a power of two; the nearest are 512 and "
        "1024"),
    "row_bytes below": (
        {"row_bytes": 128},
        "row_bytes = 128: must be 256 to 2048 (size of a row, in bytes, a power of two)"),
    "rows": ({"rows": 6}, "rows = 6: must be a power of two; the nearest are 4 and 8"),
    "one row": (
        {"rows": 1}, "rows = 1: must be 2 to 65536 (number of rows of a bank, a power of two)"),
    "banks": ({"banks": 3}, "banks = 3: must be a power of two; the nearest are 2 and 4"),
    "banks above": (
        {"banks": 17}, "banks = 17: must be 1 to 16 (number of banks, a power of two)"),
    "bank_groups": (
        {"bank_groups": 3}, "bank_groups = 3: must be a power of two; the nearest are 2 and 4"),
    "more groups than banks": (
        {"bank_groups": 8}, "bank_groups = 8: must be at most banks = 4; set it to 4"),
    "gb_cols": ({"gb_cols": 48}, "gb_cols = 48: must be a power of two; the nearest are 32 and 64"),
    "reuse": (
        {"reuse": 9},
        "reuse = 9: must be 1 to 8 (number of vectors that a column of the matrix is multiplied "
        "by)"),
    "exact sums of floats": (
        {"arith": "exact"},
        "arith = exact: must be aligned, ieee_tree or lane_mac for fmt = bf16"),
    "aligned integers": (
        {"fmt": "int8", "arith": "aligned"},
        "arith = aligned: must be exact or lane_mac for fmt = int8"),
    "rounded integers": (
        {"fmt": "int8", "arith": "ieee_tree"},
        "arith = ieee_tree: must be exact or lane_mac for fmt = int8"),
    "align_bits": (
        {"align_bits": 29}, "align_bits = 29: must be 12 to 28 (bits kept of an aligned product)"),
    "integer accumulators of floats": (
        {"acc": "int32"}, "acc = int32: must be fp32 or fmt for fmt = bf16"),
    "floating accumulators of integers": (
        {"fmt": "int8", "acc": "fp32"}, "acc = fp32: must be int32 for fmt = int8"),
    "accumulators of int8": (
        {"fmt": "int8", "acc": "fmt"}, "acc = fmt: must be int32 for fmt = int8"),
    "bf16 accumulators": (
        {"acc": "fmt"},
        "acc = fmt: must be fp32 for fmt = bf16: of 256 equal addends, bf16 loses the last; set "
        "allow_lossy if that is meant"),
    "no slots": (
        {"acc_slots": 0},
        "acc_slots = 0: must be 1 to 8 (number of accumulators of a bank for each vector)"),
    "additions that overlap": (
        {"acc_slots": 2, "acc_latency": 3, **on(tccd_mac=1)},
        "acc_slots = 2: must be at least 3: an addition takes 3 cycles, and a column comes every "
        "1; set it to 3, or lower acc_latency"),
    "additions that overlap every other column": (
        {"acc_slots": 1, "acc_latency": 3},
        "acc_slots = 1: must be at least 2: an addition takes 3 cycles, and a column comes every "
        "2; set it to 2, or lower acc_latency"),
    "sums too long": (
        {"fmt": "int8", "mac_columns": 8192},
        "mac_columns = 8192: must be at most 8191, or int32 accumulators can overflow; set it to "
        "8191, and clear accumulators as often"),
    "wide sums too long": (
        {"fmt": "int8", "lanes": 32, "mac_columns": 4096},
        "mac_columns = 4096: must be at most 4095, or int32 accumulators can overflow; set it to "
        "4095, and clear accumulators as often"),
    "tRC": (on(trc=47), "timing.trc = 47: must be at least 48, tRAS + tRP"),
    "tFAW": (on(tfaw=3), "timing.tfaw = 3: must be at least 4, tRRD short"),
    "tRRD long": (on(trrd_l=3), "timing.trrd_l = 3: must be at least 4, tRRD short"),
    "tCCD long": (on(tccd_s=3), "timing.tccd_l = 2: must be at least 3, tCCD short"),
    "tREFI": (on(trefi=260), "timing.trefi = 260: must be at least 261, tRFC + 1"),
    "a burst longer than tREFI leaves": (
        on(trefi=323), "timing.trefi = 323: must be at least 324, tRFC and a burst of all 32 "
        "columns"),
    "no such device": (
        {"timing": "hbm4"},
        "timing.base = hbm4: must be one of hbm2_samsung, hbm2_neupims, gddr6_aim, hbm3_attacc"),
    "no such device as base": (
        on("hbm4"),
        "timing.base = hbm4: must be one of hbm2_samsung, hbm2_neupims, gddr6_aim, hbm3_attacc"),
    "no such rule": (
        on(trpp=3), f"timing.trpp = 3: must be one of {MEMBERS}; did you mean trp?"),
    "rule missing": ({"timing": {"trp": 3}}, "timing.trcd_rd = (nothing): must be set"),
    "no cycle": (on(trp=0), "timing.trp = 0: must be 1 to 255"),
    "too many cycles": (on(tras=256), "timing.tras = 256: must be 1 to 255"),
    "unknown": (
        {"rowz": 4}, f"rowz = 4: must be one of {', '.join(PimConfig.model_fields)}; did you mean "
        "rows?"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_names_field_value_legal_values_and_advice(case):
    parameters, message = REFUSALS[case]
    with pytest.raises(ConfigError) as error:
        PimConfig(**parameters)
    assert str(error.value) == message


@pytest.mark.parametrize("parameters", [
    {"lanes": 8}, {"bank_groups": 4}, {"acc": "fmt", "allow_lossy": True},
    {"acc_slots": 3, "acc_latency": 3, **on(tccd_mac=1)}, {"acc_slots": 2, "acc_latency": 3},
    {"acc_slots": 1, "acc_latency": 2}, {"fmt": "int8", "mac_columns": 8191},
    {"fmt": "int8", "lanes": 32, "mac_columns": 4095},
    {"fmt": "int8", "arith": "lane_mac", "mac_columns": 65536}, on(trc=48), on(tfaw=4),
    on(trrd_l=4), on(trefi=324), on(trp=221, trc=255)], ids=str)
def test_what_refusals_advise_is_taken(parameters):
    PimConfig(**parameters)


def test_a_bank_alone_is_one():
    with pytest.raises(ConfigError) as error:
        PimBankConfig(banks=2)
    assert str(error.value) == "banks = 2: must be one of 1 (one bank)"
    with pytest.raises(ConfigError, match=r"^bank_groups = 2: must be one of 1"):
        PimBankConfig(bank_groups=2)
    assert (PimBankConfig().block, PimConfig().block) == ("pim-bank", "pim-channel")


@pytest.mark.parametrize("lanes", [4, 8, 16, 32])
def test_integer_sums_of_the_declared_length_do_not_overflow(lanes):
    for parameters, products in (({}, lanes), ({"arith": "lane_mac"}, 1)):
        config = PimConfig(fmt="int8", lanes=lanes, **parameters)
        assert products * config.mac_columns * 128 * 128 < 1 << 31
        assert config.mac_columns == 4096 or products * (config.mac_columns + 1) << 14 == 1 << 31


@pytest.mark.parametrize("block", ["pim-bank", "pim-channel"])
def test_timing_from_the_command_line(block):
    def timing(*settings, **options):
        return load(block, settings=settings, **options).config.timing

    assert timing() == Timing(base="hbm2_neupims")
    assert timing("timing=gddr6_aim") == Timing(**DEVICES["gddr6_aim"], base="gddr6_aim")
    assert timing("timing.trp=13").model_dump() == {
        "base": "hbm2_neupims", "faw_exempt": False, **DEVICES["hbm2_neupims"], "trp": 13}
    assert timing("timing=hbm3_attacc", "timing.trp=18").trp == 18
    assert timing("timing.trp=20", "timing.trc=60").trc == 60
    for settings, message in {
            ("timing.trp=20",): "timing.trc = 48: must be at least 54, tRAS + tRP",
            ("timing=aim",): "timing.base = aim: must be one of hbm2_samsung, hbm2_neupims, "
                             "gddr6_aim, hbm3_attacc",
            ("timing.trp=0",): "timing.trp = 0: must be 1 to 255"}.items():
        with pytest.raises(ConfigError) as error:
            timing(*settings)
        assert str(error.value) == message


def test_published_timing():
    """Figures of the papers and simulators that are named beside them."""
    samsung, aim = Timing(base="hbm2_samsung"), Timing(base="gddr6_aim")
    assert (samsung.trcd_rd, samsung.trcd_wr, samsung.tfaw, samsung.trefi) == (14, 10, 16, 3900)
    assert (aim.trcd_mac, aim.trc, aim.tfaw, aim.faw_exempt) == (56, 89, 42, True)
    neupims, attacc = Timing(base="hbm2_neupims"), Timing(base="hbm3_attacc")
    assert (neupims.tccd_s, neupims.tccd_l, neupims.trtp) == (1, 2, 6)
    assert (attacc.tccd_mac, attacc.twr, attacc.trfc) == (6, 21, 260)
    assert not (samsung.faw_exempt or neupims.faw_exempt or attacc.faw_exempt)
    for name in DEVICES:
        PimConfig(timing=name)


def test_geometry():
    config = PimConfig(banks=8, bank_groups=4, rows=16, row_bytes=2048, lanes=32, gb_cols=128)
    assert (config.column_bits, config.cols, config.group_banks) == (512, 32, 2)
    assert (config.row_field, config.col_field, config.n_field, config.bank_field) == (7, 7, 6, 3)
    assert config.facts["array"] == "256 KiB"
    lanes = PimConfig(fmt="fp16", arith="lane_mac", acc="fmt", reuse=2, lanes=8)
    assert (lanes.acc_bits, lanes.slot_bits, lanes.wdata_bits) == (16, 256, 256)
    assert PimConfig(lanes=4, reuse=3).wdata_bits == 96


@pytest.mark.parametrize(("parameters", "latency"), [
    ({"fmt": "int8"}, 6), ({"fmt": "int8", "lanes": 4, "acc_latency": 3}, 7),
    ({"fmt": "int8", "arith": "lane_mac"}, 4), ({}, 11), ({"arith": "ieee_tree"}, 13),
    ({"arith": "ieee_tree", "lanes": 32, "acc_latency": 2}, 16), ({"arith": "lane_mac"}, 5)],
    ids=str)
def test_column_latency(parameters, latency):
    """Two cycles to the operands, those of products, tree and addition."""
    assert PimConfig(**parameters).column_latency == latency


def test_cycles_of_a_row():
    aim, fast = PimConfig(timing="gddr6_aim"), PimConfig(timing=FAST)
    assert aim.row_cycles(32) == 56 + 31 * 2 + 12 + 32
    assert PimConfig().row_cycles(1) == 34 + 14, "tRAS"
    assert fast.row_cycles(32) == 3 + 31 + 1 + 2
    assert fast.row_cycles(1) == 8, "tRC, which is longer than tRAS and tRP"
    assert (aim.interval, fast.interval) == (2, 1)
    assert aim.facts["cycles a row"].startswith("162 ")


def test_ports():
    config = PimConfig(**SMALL["int8-reuse"])
    ports = {port.name: port for port in config.ports}
    assert {name: port.direction for name, port in ports.items()} == {
        "cmd": "in", "wdata": "in", "rdata": "out", "result": "out", "status": "out",
        "busy": "out"}
    names = {name: [field.name for field in port.fields] for name, port in ports.items()
             if name != "busy"}
    assert names == {
        "cmd": ["op", "bank_mask", "row", "col", "slot", "n", "tag"], "wdata": ["data"],
        "rdata": ["data", "bank", "tag"], "result": ["data", "slot", "bank", "tag", "flags"],
        "status": ["code", "op", "bank", "cycle", "tag"]}
    sums = ports["result"].fields[0]
    assert (sums.lanes, sums.width, sums.signed) == (3, 32, True)
    assert ports["cmd"].width == 5 + 2 + 3 + 5 + 3 + 6 + 8


def test_every_code_has_its_meaning_and_all_from_burst_busy_on_end_by_waiting():
    assert list(MEANING) == list(Code)
    assert Code.BURST_BUSY == WAITS
    assert {code for code in Code if code and code < WAITS} == {
        Code.RESERVED, Code.INDEX_RANGE, Code.COL_OVERRUN, Code.GB_UNWRITTEN,
        Code.HEADER_MISMATCH, Code.NOT_OPEN, Code.ALREADY_OPEN, Code.SAME_ROW_BOTH_BUFFERS,
        Code.REF_OPEN, Code.REF_OVERDUE}
    assert max(Op) < 32 and 0 not in list(Op)


def test_the_configurations_under_test_take_every_value():
    small = [PimConfig(**parameters) for parameters in SMALL.values()]
    for name, field in PimConfig.model_fields.items():
        values = get_args(field.annotation) or ((False, True) if field.annotation is bool else ())
        if values:
            assert {getattr(config, name) for config in small} == set(values), name
    for name, values in {
            "lanes": {4, 8, 16, 32}, "banks": {1, 2, 4, 8, 16}, "reuse": {1, 2, 3},
            "acc_slots": {1, 2, 4, 5, 8}, "acc_latency": {1, 2, 3, 4}, "align_bits": {12, 24, 28},
            "rotation": {1, 2, 3}, "group_banks": {1, 2, 4}}.items():
        assert values <= {getattr(config, name) for config in small}, name
    assert {config.timing.base for config in small} == set(DEVICES)
    assert {config.gb_cols < config.cols for config in small} == {False, True}
