"""What the bit-sliced array refuses at generation, word for word, and its derived numbers."""

from itertools import product
from typing import get_args

import numpy as np
import pytest
from bitslice_configs import DEEP, SMALL, random_config
from bitslice_jobs import values_of

from pimlico.generators.block import find
from pimlico.generators.load import load
from pimlico.hdl.bitslice.config import STATUS, BitsliceConfig
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Stream

BLOCK = find("bitslice-array")

REFUSALS = {
    "rows below": (
        {"rows": 0},
        "rows = 0: must be 1 to 64 (rows of PEs)"),
    "rows above": (
        {"rows": 65},
        "rows = 65: must be 1 to 64 (rows of PEs)"),
    "cols below": (
        {"cols": 0},
        "cols = 0: must be 1 to 64 (columns of PEs)"),
    "cols above": (
        {"cols": 65},
        "cols = 65: must be 1 to 64 (columns of PEs)"),
    "k_lanes": (
        {"k_lanes": 3},
        "k_lanes = 3: must be one of 1, 2, 4, 8, 16 (products of one PE that a beat brings)"),
    "arch": (
        {"arch": "systolic"},
        "arch = systolic: must be one of parallel, tree, serial, skip, mac (PE: all digits of "
        "a weight at once; the same with an accumulator for each bit weight; one digit a "
        "cycle; one digit a cycle and zeros left out; a plain multiplier, to compare with)"),
    "dataflow": (
        {"dataflow": "is"},
        "dataflow = is: must be one of os, ws (what stays in a PE: output stationary or weight"
        " stationary)"),
    "a_width": (
        {"a_width": 2},
        "a_width = 2: must be one of 4, 8, 16 (bits of an activation)"),
    "w_width": (
        {"w_width": 3},
        "w_width = 3: must be one of 2, 4, 8, 16 (bits of a weight)"),
    "a_signed": (
        {"a_signed": "both"},
        "a_signed = both: must be one of signed, unsigned, runtime (activations' form; "
        "runtime: cfg says)"),
    "w_signed": (
        {"w_signed": True},
        "w_signed = True: must be one of signed, unsigned, runtime (weights' form; runtime: "
        "cfg says)"),
    "encoding": (
        {"encoding": "booth2"},
        "encoding = booth2: must be one of booth4, ent (digits of radix 4: Booth's -2..2; or "
        "-1..2, and where they come one by one -2..2 with as few that are not 0 as can be)"),
    "slice_bits": (
        {"slice_bits": 2},
        "slice_bits = 2: must be one of 4 (bits of the lower part of a nested weight)"),
    "nested": (
        {"nested": "maybe"},
        "nested = maybe: must be valid: input should be a valid boolean, unable to interpret "
        "input (weights in two parts: a draft from the upper, refined from the lower)"),
    "max_k below": (
        {"max_k": 0},
        "max_k = 0: must be 1 to 65536 (largest number of products of one result (K))"),
    "max_k above": (
        {"max_k": 65537},
        "max_k = 65537: must be 1 to 65536 (largest number of products of one result (K))"),
    "acc_width below": (
        {"acc_width": 3},
        "acc_width = 3: must be 4 to 64 (bits of a result; unset: the exact bound)"),
    "acc_width above": (
        {"acc_width": 65},
        "acc_width = 65: must be 4 to 64 (bits of a result; unset: the exact bound)"),
    "multiplier": (
        {"multiplier": "dsp"},
        "multiplier = dsp: must be one of logic, dsp_packed (what multiplies: gates, or DSP "
        "blocks of several products each)"),
    "dsp": (
        {"dsp": "dsp58"},
        "dsp = dsp58: must be one of dsp48e2, ecp5, ice40 (multiplier = dsp_packed: the block "
        "packed for, of 27×18, 18×18 or 16×16 bits)"),
    "acc_form": (
        {"acc_form": "redundant"},
        "acc_form = redundant: must be one of binary, carry_save, segmented (form of a PE's "
        "accumulator: resolved, a carry a bit, or a carry every two bits)"),
    "pipeline": (
        {"pipeline": 3},
        "pipeline = 3: must be 0 to 2 (number of register stages inside a PE before its "
        "accumulator)"),
    "sum_stages": (
        {"sum_stages": 0},
        "sum_stages = 0: must be 1 to 4 (number of cycles of each addition after the PEs)"),
    "drain_adders": (
        {"drain_adders": 0},
        "drain_adders = 0: must be 1 to 64 (rows whose results leave in one beat; a divisor of"
        " rows)"),
    "group": (
        {"group": 3},
        "group = 3: must be one of 2, 4, 8 (arch = skip: products of one PE among which zero "
        "digits are left out)"),
    "elide": (
        {"elide": "x"},
        "elide = x: must be valid: input should be a valid boolean, unable to interpret input "
        "(arch = skip: no cycle for a bit weight whose digits are all 0)"),
    "zero_points": (
        {"zero_points": "x"},
        "zero_points = x: must be valid: input should be a valid boolean, unable to interpret "
        "input (zero points of both operands, corrected at the drain)"),
    "preload": (
        {"preload": "x"},
        "preload = x: must be valid: input should be a valid boolean, unable to interpret "
        "input (stream of values that results start from)"),
    "no modes": (
        {"modes": ()},
        "modes = []: must name at least one precision, such as w8a8; leave it out for the "
        "widest"),
    "the same mode twice": (
        {"modes": ("w8a8", "w8a8")},
        "modes = w8a8, w8a8: must be up to 8 different precisions"),
    "no such width": (
        {"modes": ("w3a8",)},
        "modes = w3a8: must be w2, w4, w8 or w16, then a4, a8 or a16"),
    "no such form": (
        {"modes": ("8x8",)},
        "modes = 8x8: must be w2, w4, w8 or w16, then a4, a8 or a16"),
    "too many modes": (
        {"a_width": 16, "w_width": 16, "modes": ("w2a4", "w2a8", "w2a16", "w4a4", "w4a8",
         "w4a16", "w8a4", "w8a8", "w8a16")},
        "modes = w2a4, w2a8, w2a16, w4a4, w4a8, w4a16, w8a4, w8a8, w8a16: must be up to 8 "
        "different precisions"),
    "mode wider": (
        {"modes": ("w16a8",)},
        "modes = w16a8: must be at most w8a8, the hardware; widen w_width or a_width"),
    "mode wider a": (
        {"modes": ("w8a8", "w8a16")},
        "modes = w8a16: must be at most w8a8, the hardware; widen w_width or a_width"),
    "nested w4": (
        {"nested": True, "w_width": 4},
        "nested = True: must go with w_width = 8, not 4; set w_width to 8, or nested to false"),
    "nested unsigned": (
        {"nested": True, "w_signed": "unsigned"},
        "nested = True: must go with signed weights and mode w8a8; set w_signed to signed, and"
        " list the mode"),
    "nested without mode": (
        {"nested": True, "modes": ("w4a8",)},
        "nested = True: must go with signed weights and mode w8a8; set w_signed to signed, and"
        " list the mode"),
    "nested w2": (
        {"nested": True, "modes": ("w8a8", "w2a8")},
        "modes = w8a8, w2a8: must be of w4 and w8 when nested; leave out those of w2, or set "
        "nested to false"),
    "nested zero timed": (
        {"nested": True, "zero_points": True, "arch": "serial"},
        "zero_points = True: must be false with nested weights whose digits come one by one; "
        "set arch to parallel, or correct the results outside"),
    "nested tree": (
        {"nested": True, "arch": "tree"},
        "nested = True: must go with arch parallel, serial or skip; set arch to parallel"),
    "nested mac": (
        {"nested": True, "arch": "mac"},
        "nested = True: must go with arch parallel, serial or skip; set arch to parallel"),
    "skip ws": (
        {"arch": "skip", "dataflow": "ws"},
        "dataflow = ws: must be os with arch = skip; columns that skip need their own "
        "activations; set it to os"),
    "skip lanes": (
        {"arch": "skip", "k_lanes": 2},
        "k_lanes = 2: must be 1 with arch = skip; group says how many products a beat brings"),
    "tree ent": (
        {"arch": "tree", "encoding": "ent"},
        "encoding = ent: must be booth4 with arch = tree; each accumulator takes one digit of "
        "Booth's; set it to booth4"),
    "lanes above max_k": (
        {"k_lanes": 8, "max_k": 4},
        "k_lanes = 8: must be at most max_k = 4; lower it, or raise max_k"),
    "group above max_k": (
        {"arch": "skip", "group": 8, "max_k": 4},
        "group = 8: must be at most max_k = 4; lower it, or raise max_k"),
    "lanes do not divide max_k": (
        {"k_lanes": 8, "max_k": 100},
        "k_lanes = 8: must divide max_k = 100; round max_k to 96"),
    "group does not divide max_k": (
        {"arch": "skip", "max_k": 1022},
        "group = 4: must divide max_k = 1022; round max_k to 1020"),
    "adders do not divide rows": (
        {"drain_adders": 3},
        "drain_adders = 3: must divide rows = 8; set it to 1, or to a divisor of rows"),
    "ws drain": (
        {"dataflow": "ws", "drain_adders": 2},
        "drain_adders = 2: must be 1 with dataflow = ws; each column has one; leave it out"),
    "ws max_k": (
        {"dataflow": "ws", "max_k": 7},
        "max_k = 7: must be at least rows*k_lanes = 8"),
    "result too narrow": (
        {"acc_width": 24},
        "acc_width = 24: must be at least 26 for max_k = 1024; leave it out for the exact "
        "width, or lower max_k"),
    "mac form": (
        {"arch": "mac", "acc_form": "segmented"},
        "acc_form = segmented: must be binary with arch = mac; leave it out"),
    "packed arch": (
        {"multiplier": "dsp_packed", "arch": "tree", "acc_form": "binary"},
        "multiplier = dsp_packed: must go with arch = parallel"),
    "packed form": (
        {"multiplier": "dsp_packed", "acc_form": "carry_save"},
        "acc_form = carry_save: must be binary with multiplier = dsp_packed; a DSP block's "
        "adder keeps no carries; set it to binary"),
    "packed nested": (
        {"multiplier": "dsp_packed", "nested": True},
        "nested = True: must be false with multiplier = dsp_packed; set multiplier to logic"),
    "packed zero": (
        {"multiplier": "dsp_packed", "zero_points": True},
        "zero_points = True: must be false with multiplier = dsp_packed; set multiplier to "
        "logic"),
    "packed modes": (
        {"multiplier": "dsp_packed", "modes": ("w8a8", "w4a8")},
        "modes = w8a8, w4a8: must be of w8 alone with multiplier = dsp_packed; packed weights "
        "have one width"),
    "packed too wide": (
        {"multiplier": "dsp_packed", "dsp": "ice40"},
        "dsp = ice40: must hold two products or more: 8×8 bits are too many; narrow the "
        "operands, or set multiplier to logic"),
    "columns that a DSP block does not share": (
        {"multiplier": "dsp_packed", "cols": 7, "w_width": 4},
        "cols = 7: must be a multiple of 2 to 3, the columns that share a multiplier of "
        "dsp48e2; set it to 6"),
    "packed w16": (
        {"multiplier": "dsp_packed", "w_width": 16, "a_width": 16},
        "dsp = dsp48e2: must hold two products or more: 16×16 bits are too many; narrow the "
        "operands, or set multiplier to logic"),
    "one column of DSPs": (
        {"multiplier": "dsp_packed", "cols": 1, "w_width": 4},
        "cols = 1: must be a multiple of 2 to 3, the columns that share a multiplier of "
        "dsp48e2; set it to 6"),
    "unknown": (
        {"row": 4},
        "row = 4: must be one of rows, cols, k_lanes, arch, dataflow, a_width, w_width, "
        "a_signed, w_signed, encoding, modes, nested, slice_bits, max_k, acc_width, "
        "multiplier, dsp, acc_form, pipeline, sum_stages, drain_adders, group, elide, "
        "zero_points, preload; did you mean rows?"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_names_field_value_legal_values_and_advice(case):
    parameters, message = REFUSALS[case]
    with pytest.raises(ConfigError) as error:
        BitsliceConfig(**parameters)
    assert str(error.value) == message


@pytest.mark.parametrize("case", ["lanes do not divide max_k", "group does not divide max_k"])
def test_the_advised_max_k_is_taken(case):
    parameters, message = REFUSALS[case]
    advised = int(message.rpartition(" ")[2])
    assert BitsliceConfig(**parameters | {"max_k": advised}).max_k == advised


@pytest.mark.parametrize("case", ["columns that a DSP block does not share", "one column of DSPs"])
def test_the_advised_columns_are_taken(case):
    parameters, message = REFUSALS[case]
    advised = int(message.rpartition(" ")[2])
    assert BitsliceConfig(**parameters | {"cols": advised}).packing.count > 1


def smallest_width(values):
    """Bits of two's complement that hold all values, found by trial."""
    return next(bits for bits in range(1, 99)
                if all(-(1 << bits - 1) <= value < 1 << bits - 1 for value in values))


def operands(bits, sign):
    """Values, and each of their zero points, of the forms that an operand can have."""
    forms = {"signed": [True], "unsigned": [False], "runtime": [True, False]}[sign]
    for signed in forms:
        low, high = values_of(bits, signed)
        yield range(low, high + 1)


@pytest.mark.parametrize("zero_points", [False, True])
@pytest.mark.parametrize(("a_signed", "w_signed"),
                         list(product(["signed", "unsigned", "runtime"], repeat=2)))
@pytest.mark.parametrize(("a_width", "w_width"), [(4, 2), (4, 4)])
def test_the_result_width_is_exact(a_width, w_width, a_signed, w_signed, zero_points):
    """All products of all operands less all zero points, alike in every place of the sum."""
    def used(values):
        return {value - zero for value in values for zero in (values if zero_points else [0])}

    products = [x * y for a, w in product(operands(a_width, a_signed), operands(w_width, w_signed))
                for x, y in product(used(a), used(w))]
    for max_k in (1, 3, 16, 1000):
        config = BitsliceConfig(a_width=a_width, w_width=w_width, a_signed=a_signed,
                                w_signed=w_signed, zero_points=zero_points, max_k=max_k)
        assert config.result_width == smallest_width(
            [max_k * min(products), max_k * max(products), 0])


def test_the_result_width_of_halves_is_exact():
    """-128 drafts as 16 times -8, and 127 as 16 times 8."""
    halves = {16 * ((w + 8) // 16) for w in range(-128, 128)} | set(range(-128, 128))
    for zero_points in (False, True):
        zeros = range(-128, 128) if zero_points else [0]
        a = {x - zero for x in (-128, 127) for zero in zeros}
        w = {y - zero for y in halves for zero in zeros}
        products = [x * y for x in (min(a), max(a)) for y in (min(w), max(w))]
        for max_k in (1, 2, 127, 128, 129, 4096):
            config = BitsliceConfig(nested=True, zero_points=zero_points, max_k=max_k)
            assert config.result_width == smallest_width(
                [max_k * min(products), max_k * max(products)])


@pytest.mark.parametrize(("max_k", "width"), [(1, 16), (2, 17), (3, 17), (4, 18), (1024, 26),
                                              (1025, 26), (65536, 32)])
def test_products_of_the_lowest_int8_fit(max_k, width):
    """K * 2**14 is at most 2**(n - 1) - 1: the formula with K * 2**13 would overflow."""
    assert BitsliceConfig(max_k=max_k).result_width == width
    assert max_k << 14 <= (1 << width - 1) - 1
    assert max_k << 14 > (1 << width - 2) - 1


def test_a_wider_result_is_taken_and_a_narrower_one_is_not():
    for seed in range(40):
        config = random_config(np.random.default_rng(seed))
        given = config.model_dump()
        if config.exact_width > 4:
            with pytest.raises(ConfigError, match=f"be at least {config.exact_width} for max_k"):
                BitsliceConfig(**given | {"acc_width": config.exact_width - 1})
        for width in (config.exact_width, 64):
            if width >= 4:
                wide = BitsliceConfig(**given | {"acc_width": width})
                assert wide.port("o").fields[0].width == width, f"seed {seed}"


def test_accumulators_hold_every_sum_of_a_slice():
    """Of digits -2..2 and the bit carried into a slice, with zero points of activations."""
    for parameters in SMALL.values():
        config = BitsliceConfig(**parameters)
        if config.packing:
            continue
        a = [x - zero for values in operands(config.a_width, config.a_signed)
             for x in (values[0], values[-1])
             for zero in ((values[0], values[-1]) if config.zero_points else (0,))]
        unit = config.w_width // config.slices
        slices = range(-(1 << unit - 1), (1 << unit - 1) + (config.slices > 1))
        if config.w_signed != "signed":
            slices = range(0 if config.w_signed == "unsigned" else slices[0],
                           (1 << unit) + (config.slices > 1))
        sums = [x * y * config.max_k for x in a for y in (slices[0], slices[-1])]
        assert config.slice_widths[-1] >= smallest_width(sums), repr(config)


@pytest.mark.parametrize("preset", BLOCK.preset_names)
def test_preset_is_a_configuration(preset):
    config = load("bitslice-array", preset=preset).config
    assert isinstance(config, BitsliceConfig)
    assert BitsliceConfig(**config.model_dump(mode="json")) == config
    assert config.latency > config.interval >= 1


def test_digits_and_products_of_the_modes():
    config = BitsliceConfig(modes=("w8a8", "w4a8", "w2a8"))
    assert [config.products_of(mode.w) for mode in config.mode] == [1, 2, 4]
    assert config.products == config.slices == 4
    nested = BitsliceConfig(nested=True, modes=("w8a8", "w4a8"))
    assert [nested.products_of(8, half) for half in range(3)] == [1, 2, 2]
    assert nested.products_of(4) == 2
    serial = BitsliceConfig(arch="serial", w_width=16, w_signed="unsigned",
                            modes=("w16a8", "w4a8"))
    assert [serial.digits_of(mode.w) for mode in serial.mode] == [9, 3]
    assert BitsliceConfig(arch="serial").digits_of(8) == 4
    assert BitsliceConfig(arch="serial", nested=True).digits_of(8, 1) == 2


def test_what_the_config_calls_latency_and_interval():
    """In cycles, from the stages that the contract lists: two operand registers, PE, bus, sums,
    skew, queue."""
    flat = BitsliceConfig(rows=16, cols=16, sum_stages=1)
    assert flat.latency - BitsliceConfig(rows=16, cols=15, sum_stages=1).latency == 1
    assert BitsliceConfig(rows=16, cols=16, sum_stages=1, pipeline=2).latency == flat.latency + 2
    assert BitsliceConfig(rows=16, cols=16, sum_stages=1, drain_adders=16).latency \
        == flat.latency + 15
    assert BitsliceConfig(rows=16, cols=16, sum_stages=2).latency == flat.latency + 3
    assert [BitsliceConfig(arch=arch).interval for arch in ("parallel", "tree", "mac")] == [1] * 3
    assert BitsliceConfig(arch="serial").interval == 4
    assert BitsliceConfig(arch="serial", w_signed="runtime", w_width=4).interval == 3


PORTS = {
    "plain": ({}, {
        "cfg": {"mode": (1, 1), "length": (11, 1), "group_len": (11, 1), "tiles": (16, 1),
                "start": (2, 1)},
        "a": {"data": (8, 8), "last": (1, 1)}, "w": {"data": (8, 8)},
        "o": {"data": (26, 8), "row": (3, 1), "partial": (1, 1), "last": (1, 1)},
        "status": 4, "status_clear": 1}),
    "runtime": ({"a_signed": "runtime", "w_signed": "runtime", "modes": ("w8a8", "w4a4", "w2a8"),
                 "k_lanes": 2, "rows": 4, "cols": 3, "drain_adders": 2, "max_k": 64}, {
        "cfg": {"mode": (2, 1), "length": (7, 1), "group_len": (7, 1), "tiles": (16, 1),
                "a_signed": (1, 1), "w_signed": (1, 1), "start": (2, 1)},
        "a": {"data": (8, 8), "last": (1, 1)}, "w": {"data": (8, 6)},
        "o": {"data": (23, 24), "row": (1, 1), "partial": (1, 1), "last": (1, 1)},
        "status": 4, "status_clear": 1}),
    "nested": ({"nested": True, "zero_points": True, "preload": True, "rows": 2, "cols": 2,
                "max_k": 16}, {
        "cfg": {"mode": (1, 1), "length": (5, 1), "group_len": (5, 1), "tiles": (16, 1),
                "nest": (2, 1), "start": (2, 1), "a_zero": (8, 1), "w_zero": (8, 1)},
        "a": {"data": (8, 2), "last": (1, 1)}, "w": {"data": (10, 2)}, "w_low": {"data": (8, 2)},
        "d": {"data": (21, 4)},
        "o": {"data": (22, 4), "row": (1, 1), "partial": (1, 1), "last": (1, 1)},
        "status": 4, "status_clear": 1}),
    "skip": ({"arch": "skip", "group": 2, "rows": 1, "cols": 1, "max_k": 2}, {
        "cfg": {"mode": (1, 1), "length": (2, 1), "group_len": (2, 1), "tiles": (16, 1),
                "start": (2, 1)},
        "a": {"data": (8, 2), "last": (1, 1)}, "w": {"data": (8, 2)},
        "o": {"data": (17, 1), "row": (1, 1), "partial": (1, 1), "last": (1, 1)},
        "status": 4, "status_clear": 1, "issued": 32, "skipped": 32}),
    "stationary": ({"dataflow": "ws", "rows": 3, "cols": 2, "preload": True, "max_k": 3}, {
        "cfg": {"mode": (1, 1), "length": (16, 1), "tiles": (16, 1), "start": (2, 1)},
        "a": {"data": (8, 3), "last": (1, 1)}, "w": {"data": (8, 2)}, "d": {"data": (17, 2)},
        "o": {"data": (18, 2), "row": (16, 1), "last": (1, 1)}, "status": 4, "status_clear": 1}),
}


@pytest.mark.parametrize("case", PORTS)
def test_ports(case):
    parameters, expected = PORTS[case]
    found = {port.name: {field.name: (field.width, field.lanes) for field in port.fields}
             if isinstance(port, Stream) else port.width
             for port in BitsliceConfig(**parameters).ports}
    assert found == expected
    assert list(found) == list(expected)


def test_every_status_code_has_its_text():
    assert list(STATUS) == list(range(10))
    assert all(STATUS.values())


def test_the_configurations_under_test_take_every_value():
    small = [BitsliceConfig(**parameters) for parameters in SMALL.values()]
    usual = [BitsliceConfig(**SMALL[name]) for name in SMALL if name not in DEEP]
    for name, field in BitsliceConfig.model_fields.items():
        values = get_args(field.annotation) or ((False, True) if field.annotation is bool else ())
        if values and name not in ("modes", "acc_width"):
            for configs in (small, usual):
                assert {getattr(config, name) for config in configs} == set(values), name
    for name, values in {
            "rows": {1, 2, 3, 4}, "cols": {1, 2, 3}, "pipeline": {0, 1, 2},
            "sum_stages": {1, 2, 3, 4}, "max_k": {1, 64}, "bands": {1, 2, 3}}.items():
        assert values <= {getattr(config, name) for config in small}, name
    assert {mode for config in small for mode in config.modes} >= {
        "w8a8", "w4a8", "w2a8", "w4a4", "w2a4", "w16a16", "w8a16", "w8a4"}
    assert {(config.arch, config.dataflow) for config in small} == {
        ("parallel", "os"), ("parallel", "ws"), ("tree", "os"), ("tree", "ws"), ("serial", "os"),
        ("serial", "ws"), ("skip", "os"), ("mac", "os"), ("mac", "ws")}
    assert {(config.arch, config.acc_form) for config in small} >= {
        *product(["parallel", "tree", "serial", "skip"], ["binary", "carry_save", "segmented"])}
    assert {config.arch for config in small if config.nested} == {"parallel", "serial", "skip"}
    assert {config.arch for config in small if config.zero_points} == {
        "parallel", "tree", "serial", "skip", "mac"}
    assert {(config.dsp, config.dataflow) for config in small if config.packing} >= {
        ("dsp48e2", "os"), ("dsp48e2", "ws"), ("ecp5", "os"), ("ice40", "os")}
    assert any(config.acc_width for config in small)


def test_random_configurations_take_every_value():
    drawn = [random_config(np.random.default_rng(seed)) for seed in range(400)]
    for name, field in BitsliceConfig.model_fields.items():
        values = get_args(field.annotation) or ((False, True) if field.annotation is bool else ())
        if values and name not in ("modes", "acc_width"):
            assert {getattr(config, name) for config in drawn} == set(values), name
