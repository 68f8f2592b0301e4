"""What the bit-sliced array refuses at generation, word for word."""

import pytest

from pimlico.hdl.bitslice.config import BitsliceConfig
from pimlico.hdl.common.config import ConfigError

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
