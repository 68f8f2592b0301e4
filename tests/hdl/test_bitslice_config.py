"""Derived numbers and ports of the bit-sliced array."""

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
