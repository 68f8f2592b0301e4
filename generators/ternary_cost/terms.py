"""What a ternary core is made of: counts of parts, each a formula of the parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pimlico.hdl.ternary.beat import beat_layout
from pimlico.hdl.ternary.config import (
    MULTIPLIER_BITS,
    SCALE_BITS,
    SHIFT_BITS,
    TAG_BITS,
    TernaryConfig,
)
from pimlico.hdl.ternary.table import entry_digits

from .tree import Tree

REGISTER, LOAD = "register", "load"
"""A flip-flop, and the multiplexer that holds it without a load."""


class Term(NamedTuple):
    """A part of the core: its name, and how many there are of each unit in it."""

    name: str
    units: Mapping[str, float]


def parallel_terms(config: TernaryConfig, tree: Tree) -> Iterator[Term]:
    """The terms of a core with a parallel build."""
    yield from _masks(config)
    yield from _tables(config)
    yield from fetches(config, tree)
    yield from reduction(config, tree)
    yield from _accumulators(config, tree)
    yield from weights(config)
    yield from _job(config)
    bits = beat_layout(config).size
    yield Term("beats", held(bits * (config.pipeline + 2) + bits - 2))
    yield from results(config)


def held(bits: float) -> dict[str, float]:
    """Registers that load when told to."""
    return {REGISTER: bits, LOAD: bits}


def flags(bits: float) -> dict[str, float]:
    """Registers whose logic is counted with what they control."""
    return {REGISTER: bits}


def format_name(config: TernaryConfig) -> str:
    """Of floating sums in a tree: format and what is done with subnormals."""
    return f"{config.act_float.name} {config.subnormals}"


def _masks(config: TernaryConfig) -> Iterator[Term]:
    if config.weight_format == "tq2_0":
        return
    units: dict[str, float] = {"mask bit": config.batch * config.columns * config.act_bits}
    if not config.block_format:
        units["limit"] = config.columns
    yield Term("tail masks", units)


def _tables(config: TernaryConfig) -> Iterator[Term]:
    tables = config.batch * config.luts
    counts = [sum(map(abs, entry_digits(index, config.mu)))
              for index in range(1, config.entries + 1)]
    if config.floating:
        sums = config.entries - config.mu
        if sums:
            yield Term("table adders", {f"table adder, {format_name(config)}": tables * sums})
        yield Term("table registers", held(tables * config.entries * config.act_bits))
        return
    widths = [config.act_bits + (count - 1).bit_length() for count in counts]
    if config.mu > 1:
        bits = sum(width for count, width in zip(counts, widths, strict=True) if count > 1)
        yield Term("table adders", {"table adder bit": tables * bits})
    yield Term("table registers", held(tables * sum(widths)))


def _hasty_fetches(config: TernaryConfig, tree: Tree) -> int:
    """Fetches of a column that begin its longest path, where LUTs are spent on speed.

    With µ = 3 or 4 that is so if enough adders follow before the first register; those with
    fewer adders behind them, odd ones that pass levels of the tree, have time.
    """
    levels = len(tree.stages[0])
    if config.mu not in (3, 4) or config.floating or levels + config.mu < 5:
        return 0
    if config.adder == "compressor":
        return config.luts
    adders = [[0] for _ in range(config.luts)]
    for _ in range(levels):
        pairs = [[count + 1 for count in a + b]
                 for a, b in zip(adders[::2], adders[1::2], strict=False)]
        adders = pairs + adders[2 * len(pairs):]
    return sum(count == levels for term in adders for count in term)


def fetches(config: TernaryConfig, tree: Tree) -> Iterator[Term]:
    """Read ports of tables in flip-flops, whose decoding the vectors of a batch share."""
    ports = config.keys * config.luts
    lanes = ports * config.batch
    if config.mu > 1 and config.mux == "andor":
        yield Term("fetch lines", {f"lines, mu {config.mu}": ports})
    copies = "copies, " if config.serial else ""
    units = {f"{copies}{config.mux}, mu {config.mu}": lanes * config.entry_width}
    if config.mu == 1 and not config.serial and not any(tree.stages[0]):
        units["alone, mu 1"] = lanes * config.entry_width
    hasty = _hasty_fetches(config, tree)
    if hasty and not config.serial:
        units[f"haste, {config.mux}, mu {config.mu}"] = (
            config.keys * config.batch * hasty * config.entry_width)
    yield Term("fetch", units)
    if config.floating:
        yield Term("negation", {"exclusive or": lanes})
    elif not config.serial:
        yield Term("negation", {"exclusive or": lanes * config.entry_width})


def reduction(config: TernaryConfig, tree: Tree) -> Iterator[Term]:
    """The trees of all columns, with the registers in them and the partial sums."""
    lanes = config.keys * config.batch
    units: dict[str, float]
    if config.floating:
        units = {f"adder, {format_name(config)}": len(tree.adders)}
    else:
        kind = "signed " if config.serial and config.adder == "carry" else ""
        units = {f"{kind}adder": len(tree.adders), f"{kind}adder bit": sum(tree.adders),
                 "full adder": tree.full, "half adder": tree.half}
        if config.pipeline == 0 and not config.serial:
            # the tree is on the longest path, and mapped for speed
            units["haste, full adder"] = tree.full
            units["haste, adder bit"] = sum(tree.adders)
    units = {unit: lanes * count for unit, count in units.items() if count}
    if tree.shared:
        units["full adder"] = units.get("full adder", 0) + config.keys * tree.shared
    if units:
        yield Term("reduction tree", units)
    bits = (lanes * sum(run * count for run, count in tree.runs.items())
            + config.keys * sum(run * count for run, count in tree.shared_runs.items()))
    yield Term("reduction registers", held(bits))


def _accumulators(config: TernaryConfig, tree: Tree) -> Iterator[Term]:
    lanes = config.keys * config.batch
    bits = lanes * config.acc_width
    if config.floating:
        yield Term("accumulators", {
            **held(bits), f"accumulator, {config.act_float.name} to {config.acc_float.name} "
                          f"{config.subnormals}": lanes, "start bit": bits})
    else:
        yield Term("accumulators", {**flags(bits), "accumulator bit": bits,
                                    "taken bit": lanes * tree.width})
    if config.addend:
        yield Term("addend", {"addend bit": bits})


def weights(config: TernaryConfig) -> Iterator[Term]:
    """The front of the weight stream."""
    ports = config.keys * config.luts
    columns = config.keys * config.columns
    form = config.weight_format
    if form == "keys":
        if config.mu > 1:
            yield Term("key check", {"key check": ports})
        return
    units: dict[str, float] = (
        {f"{form} byte": columns / 5} if config.trits_per_byte == 5 else
        {"two-bit code": columns})
    if config.mu > 1:
        units[f"key of {config.mu} trits"] = ports
    yield Term("weight decode", units)
    if config.decode_stage:
        yield Term("weight registers", held(ports * config.key_bits))


def scale_bits(config: TernaryConfig) -> int:
    """Bits of a job's scales."""
    return sum(field.bits for field in config.scale_fields)


def column_counts(config: TernaryConfig) -> Iterator[Term]:
    """Counts of a job's columns, or blocks of them."""
    if config.block_format:
        bits = config.n_bits - 8
        yield Term("column counts", {
            **held(2 * bits + (config.block_beats - 1).bit_length()), "block count bit": bits})
    else:
        yield Term("column counts", {**held(2 * config.n_bits),
                                     "column count bit": config.n_bits})


def _job(config: TernaryConfig) -> Iterator[Term]:
    yield from column_counts(config)
    yield Term("row counts", {**held(config.m_bits + TAG_BITS + scale_bits(config)),
                              "row count bit": config.m_bits})
    # busy, first, status, and whether each stage is full
    yield Term("control", {**flags(5 + config.pipeline + 3 + config.decode_stage), "control": 1})


def results(config: TernaryConfig) -> Iterator[Term]:
    """The output, with the stages that scale."""
    lanes = config.keys * config.batch
    yield Term("keep", {"kept row": config.keys})
    if config.out == "raw":
        return
    field = SHIFT_BITS if config.out == "int8_requant" else SCALE_BITS
    later = 2 * (config.rows_bits + TAG_BITS + 1) + field * config.batch
    yield Term("beats of results", {REGISTER: later + 2, LOAD: later})
    if config.out == "int8_requant":
        product = config.acc_width + MULTIPLIER_BITS
        yield Term("requantize", {**held(lanes * (product + 8)), "requantize": lanes,
                                  "requantize bit": lanes * config.acc_width})
    elif config.floating:
        yield Term("scale", {**held(2 * SCALE_BITS * lanes),
                             f"scale, {config.acc_float.name} {config.subnormals}": lanes})
    else:
        yield Term("scale", {**held(2 * SCALE_BITS * lanes), "scale, integer": lanes,
                             "scaled bit": lanes * config.acc_width})
