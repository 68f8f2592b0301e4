"""What the KV history buffer refuses at generation, word for word, and its derived numbers."""

from typing import get_args

import pytest
from kv_configs import LARGE, SMALL

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.kv.config import STATUS, KvConfig, parts

REFUSALS = {
    "elem_width below": (
        {"elem_width": 3},
        "elem_width = 3: must be 4 to 32 (width of an element of K or V, in bits)"),
    "elem_width above": (
        {"elem_width": 33},
        "elem_width = 33: must be 4 to 32 (width of an element of K or V, in bits)"),
    "row_elems below": (
        {"row_elems": 6},
        "row_elems = 6: must be 8 to 16384 (elements of a token's row: 2 * kv_heads * head_dim, K "
        "and V)"),
    "row_elems above": (
        {"row_elems": 16386},
        "row_elems = 16386: must be 8 to 16384 (elements of a token's row: 2 * kv_heads * "
        "head_dim, K and V)"),
    "row_elems odd": (
        {"row_elems": 33}, "row_elems = 33: must be even, half K and half V; set it to 34"),
    "beat_elems": (
        {"beat_elems": 0}, "beat_elems = 0: must be 1 to 4096 (elements a beat)"),
    "beat does not divide the row": (
        {"row_elems": 36},
        "beat_elems = 8: must divide row_elems = 36; the next smaller divisor is 6"),
    "beat above the row": (
        {"row_elems": 14, "beat_elems": 16},
        "beat_elems = 16: must divide row_elems = 14; the next smaller divisor is 14"),
    "no tokens": ({"tokens": 0}, "tokens = 0: must be 1 to 65536 (rows of a sequence)"),
    "tokens above": (
        {"tokens": 65537}, "tokens = 65537: must be 1 to 65536 (rows of a sequence)"),
    "no sequences": (
        {"sequences": 0},
        "sequences = 0: must be 1 to 256 (number of sequences, each with rows of its own)"),
    "banks above": (
        {"banks": 17},
        "banks = 17: must be 1 to 16 (memories that the words of a sequence are spread over, in "
        "turn)"),
    "banks do not divide the depth": (
        {"row_elems": 24, "tokens": 5, "banks": 8},
        "banks = 8: must divide the depth of a sequence, 15 words; set banks to 5, or change "
        "tokens"),
    "banks do not divide the packed depth": (
        {"row_elems": 64, "tokens": 3, "banks": 4, "quant": "int4"},
        "banks = 4: must divide the depth of a sequence, 6 words; set banks to 3, or change "
        "tokens"),
    "overflow": (
        {"overflow": "drop"},
        "overflow = drop: must be one of reject, dense_tail (tokens past the last row: refused, "
        "or always streamed from off chip)"),
    "order": (
        {"order": "v_then_k"},
        "order = v_then_k: must be one of k_then_v, interleaved (beats of a row: all of K, then "
        "all of V; or K and V in turn)"),
    "interleaved with odd beats": (
        {"row_elems": 24, "order": "interleaved"},
        "order = interleaved: must go with an even number of beats a row, not 3; halve "
        "beat_elems, or use k_then_v"),
    "append": (
        {"append": "some"},
        "append = some: must be valid: input should be a valid boolean, unable to interpret input "
        "(stream for the row of a new token, after those of start)"),
    "quant": (
        {"quant": "int3"},
        "quant = int3: must be one of none, int8, int4, int2 (form of the stored rows: as they "
        "came, or quantized with a zero and a scale a row; elements are then signed integers)"),
    "quant of elements that are no wider": (
        {"elem_width": 8, "quant": "int8"},
        "quant = int8: must pack into the beat: elem_width a multiple of 8 above 8, not 8; use "
        "fewer bits, or quant = none"),
    "quant of elements that do not pack": (
        {"elem_width": 18, "quant": "int4"},
        "quant = int4: must pack into the beat: elem_width a multiple of 4 above 4, not 18; use "
        "fewer bits, or quant = none"),
    "quant of too few beats": (
        {"quant": "int2"},
        "quant = int2: must pack into the beat: beats a row a multiple of 8, not 4; set "
        "beat_elems to a divisor of row_elems / 8, or use quant = none"),
    "memory": (
        {"memory": "lutram"},
        "memory = lutram: must be one of auto, block, ultra, spram (kind of memory asked of "
        "synthesis: its own choice, block RAM, UltraRAM, or iCE40 SPRAM)"),
    "no memory": (
        {"on_chip_bits": 0},
        "on_chip_bits = 0: must be at least 1 (memory that may be used, in bits; no bound if "
        "unset)"),
    "too little memory": (
        {"on_chip_bits": 131000},
        "on_chip_bits = 131000: must be at least 131328, 328 more, for tokens = 256; the largest "
        "tokens that fits is 255"),
    "too little memory for a row": (
        {"on_chip_bits": 500, "sequences": 3},
        "on_chip_bits = 500: must be at least 394032, 393532 more, for tokens = 256; not even one "
        "token fits: narrow the row, or use fewer sequences"),
    "unknown": (
        {"token": 4},
        "token = 4: must be one of elem_width, row_elems, beat_elems, tokens, sequences, banks, "
        "overflow, order, append, quant, memory, on_chip_bits; did you mean tokens?"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_names_field_value_legal_values_and_advice(case):
    parameters, message = REFUSALS[case]
    with pytest.raises(ConfigError) as error:
        KvConfig(**parameters)
    assert str(error.value) == message


@pytest.mark.parametrize("parameters", [
    {}, {"sequences": 3}, {"row_elems": 24, "banks": 6}, {"row_elems": 64, "quant": "int4"},
    {"row_elems": 64, "quant": "int8", "banks": 16, "sequences": 2},
    {"elem_width": 5, "beat_elems": 4, "banks": 5, "tokens": 1000}])
def test_the_largest_tokens_that_fits_does_and_one_more_does_not(parameters):
    whole = KvConfig(**parameters)
    for budget in (whole.storage_bits - 1, whole.storage_bits // 2, whole.storage_bits // 7):
        with pytest.raises(ConfigError, match="the largest tokens that fits is") as error:
            KvConfig(**parameters, on_chip_bits=budget)
        assert error.value.field == "on_chip_bits"
        assert f"{whole.storage_bits - budget} more" in str(error.value)
        most = int(str(error.value).rpartition(" ")[2])
        fits = KvConfig(**parameters | {"tokens": most}, on_chip_bits=budget)
        assert fits.storage_bits <= budget
        step = 1
        while (most + step) * fits.row_words % fits.banks:
            step += 1
        with pytest.raises(ConfigError, match=f"the largest tokens that fits is {most}$"):
            KvConfig(**parameters | {"tokens": most + step}, on_chip_bits=budget)
    assert KvConfig(**parameters, on_chip_bits=whole.storage_bits).storage_bits \
        == whole.storage_bits


@pytest.mark.parametrize("case", ["beat does not divide the row", "beat above the row"])
def test_the_advised_beat_is_taken(case):
    parameters, message = REFUSALS[case]
    advised = int(message.rpartition(" ")[2])
    assert KvConfig(**parameters | {"beat_elems": advised}).beats == \
        parameters["row_elems"] // advised


@pytest.mark.parametrize("parameters", [
    {"row_elems": 24, "tokens": 5, "banks": 8}, {"row_elems": 8, "tokens": 7, "banks": 5}])
def test_the_advised_banks_are_taken(parameters):
    with pytest.raises(ConfigError) as error:
        KvConfig(**parameters)
    advised = int(error.value.advice.split()[3].rstrip(","))
    assert KvConfig(**parameters | {"banks": advised}).banks == advised


def test_storage_is_what_the_memories_hold():
    assert KvConfig().storage_bits == 256 * 32 * 16 + 256
    layer, last_row = 8, 3
    assert KvConfig(tokens=5, sequences=3).storage_bits == \
        3 * (5 * 32 * 16 + 8 + layer + last_row)
    config = KvConfig(row_elems=64, tokens=4, quant="int8")
    row, described, waiting = 64 * 8, 16 + 18, (8 + 4) * 128
    two_groups = 8
    assert config.storage_bits == 4 * (row + described) + two_groups + waiting


def test_rows_of_known_models():
    llama2 = KvConfig(row_elems=8192, beat_elems=32, tokens=1)
    llama3 = KvConfig(row_elems=2048, beat_elems=32, tokens=1)
    assert (llama2.row_bytes, llama3.row_bytes) == (16 << 10, 4 << 10)
    stored = {quant: KvConfig(row_elems=2048, beat_elems=32, tokens=1, quant=quant)
              for quant in ("int8", "int4", "int2")}
    assert {quant: config.row_words * config.beat_bits // 8
            for quant, config in stored.items()} == {"int8": 2048, "int4": 1024, "int2": 512}


def test_parts_of_a_row():
    def of(**parameters):
        config = KvConfig(tokens=1, **parameters)
        return [parts(config, beat) for beat in range(config.beats)]

    assert of(row_elems=32) == [1, 1, 2, 2]
    assert of(row_elems=32, order="interleaved") == [1, 2, 1, 2]
    assert of(row_elems=24) == [1, 3, 2]
    assert of(row_elems=8) == [3]


def test_every_status_code_has_its_text():
    assert list(STATUS) == list(range(9))
    assert all(STATUS.values())


def test_the_configurations_under_test_take_every_value():
    small = [KvConfig(**parameters) for parameters in SMALL.values()]
    for name, field in KvConfig.model_fields.items():
        values = get_args(field.annotation) or ((False, True) if field.annotation is bool else ())
        taken = {getattr(config, name) for config in small}
        if values and name != "on_chip_bits":
            assert taken == set(values), name
    for name in ("few_rows", "aligned", "bypass"):
        assert {getattr(config, name) for config in small} == {False, True}, name
    for name, values in {
            "elem_width": {4, 5, 16, 32}, "tokens": {1, 2, 5, 600}, "banks": {1, 2, 3, 16},
            "sequences": {1, 2, 3, 256}, "beats": {1, 2, 3, 7, 64}, "beat_elems": {1, 8},
            "pack": {1, 2, 3, 4, 8}}.items():
        assert values <= {getattr(config, name) for config in small}, name
    assert {(config.bypass, config.beats > 1) for config in small} == {
        (bypass, many) for bypass in (False, True) for many in (False, True)}
    assert any(config.on_chip_bits == config.storage_bits for config in small)
    large = [KvConfig(**parameters) for parameters in LARGE.values()]
    for name in ("row_elems", "tokens"):
        most = next(item.le for item in KvConfig.model_fields[name].metadata
                    if hasattr(item, "le"))
        assert most in {getattr(config, name) for config in large}
