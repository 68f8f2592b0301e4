"""What a ternary core with a serial build is made of."""

from __future__ import annotations

from collections.abc import Iterator

from pimlico.hdl.ternary.config import TAG_BITS, TernaryConfig

from .terms import (
    LOAD,
    REGISTER,
    Term,
    column_counts,
    fetches,
    flags,
    held,
    reduction,
    results,
    scale_bits,
    weights,
)
from .tree import Tree


def serial_terms(config: TernaryConfig, tree: Tree) -> Iterator[Term]:
    """The terms of a core with a serial build."""
    yield from _build(config)
    if config.table == "ff":
        yield from _copies(config)
        yield from fetches(config, tree)
    else:
        bits = config.keys * config.batch * config.luts * config.entry_width
        units: dict[str, float] = {}
        if words(config) > 16:
            units["bank bit"] = bits * (words(config) // 16 - 1)
        if config.adder == "carry" and not tree.stages[0]:
            units["read register"] = bits
        yield Term("fetch", units)
    yield from reduction(config, tree)
    yield from _sums(config, tree)
    yield from weights(config)
    yield from _job(config)
    yield from results(config)


def words(config: TernaryConfig) -> int:
    """Words of a table in LUT RAM, two copies of it."""
    return 2 << config.key_bits - 1


def number_bits(config: TernaryConfig) -> int:
    """Bits of the number of a row tile."""
    return (max(2, config.row_tiles) - 1).bit_length()


def _build(config: TernaryConfig) -> Iterator[Term]:
    tables = config.batch * config.luts
    held_bits = tables * config.mu * config.act_bits
    units = {**held(held_bits), "chosen bit": held_bits}
    if config.weight_format != "tq2_0":
        units["masked bit"] = held_bits
        if not config.block_format:
            units["limit"] = config.columns
    yield Term("held activations", units)
    bits = tables * config.entry_width
    yield Term("build adders", {**held(bits), "build bit": bits})
    yield Term("walk", {**flags((max(2, config.entries) - 1).bit_length()),
                        "walk step": config.entries})


def _copies(config: TernaryConfig) -> Iterator[Term]:
    bits = config.batch * config.luts * config.entries * config.entry_width
    yield Term("table registers", held(2 * bits))
    yield Term("copy select", {"copy bit": bits, "entry write": 2 * config.entries})


def _sums(config: TernaryConfig, tree: Tree) -> Iterator[Term]:
    lanes = config.keys * config.batch
    bits = lanes * config.acc_width
    if config.adder == "compressor":
        bits_read = lanes * config.luts * config.entry_width
        yield Term("negation", {"exclusive or": bits_read, **(
            {} if any(tree.stages[0]) else {"alone, exclusive or": bits_read})})
    else:
        yield Term("negation", {"exclusive or": lanes * tree.width})
    yield Term("accumulators", {**held(bits), "serial accumulator bit": bits})
    yield Term("partial sums", {"word bit": bits})
    if config.addend:
        yield Term("addend", {"addend bit": bits})


def _job(config: TernaryConfig) -> Iterator[Term]:
    scale, number = scale_bits(config), number_bits(config)
    yield from column_counts(config)
    job = config.m_bits + TAG_BITS + scale
    tiles = 2 * (config.m_bits + 2 + TAG_BITS + scale)
    rows = config.m_bits + number
    yield Term("row counts", {REGISTER: job + tiles + rows + 1, LOAD: job + tiles + rows,
                              "row count bit": config.m_bits,
                              "tile number bit": number})
    beat = 3 + config.rows_bits + TAG_BITS + scale
    yield Term("beats", held((config.pipeline + 1) * (beat + number) + beat - 2))
    yield Term("control", {**flags(5 + 5 + 1 + config.pipeline + 2 + config.decode_stage),
                           "serial control": 1})
