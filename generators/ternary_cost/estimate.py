"""What a ternary core costs on a target, without synthesis."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pimlico.hdl.ternary.beat import beat_layout
from pimlico.hdl.ternary.config import TernaryConfig

from .coefficients import COEFFICIENTS, TARGETS
from .depth import depth
from .rams import lut_ram, memory_bits, sums_in_block_ram
from .serial_terms import number_bits, serial_terms
from .terms import REGISTER, Term, parallel_terms
from .tree import Tree, tree_of

SHIFT_REGISTER = 3
"""Fewest registers in a row that Yosys puts into one LUT of UltraScale+."""


def estimate(config: TernaryConfig) -> dict[str, Any]:
    """The figures of ``pimlico synth``, from a formula for each part of the core.

    Returns
    -------
    dict
        ``cmos``: ``transistors``, ``ff_bits``, ``memory_bits``, ``depth``; ``ecp5`` and
        ``xcup``: ``lut``, ``ff``, ``lutram``; and for each target ``terms``, what each part
        adds to its transistors or LUTs.
    """
    tree = tree_of(config)
    parts = terms(config, tree)
    told: dict[str, Any] = {}
    for target in TARGETS:
        told[target] = {"terms": {part.name: round(_price(part, target)) for part in parts}}
    registers = round(sum(part.units.get(REGISTER, 0) for part in parts))
    gone = _equal_bits(config) + _read_registers(config, tree)
    told["cmos"] |= {
        "transistors": round(sum(_price(part, "cmos") for part in parts)),
        "ff_bits": registers - gone,
        "memory_bits": memory_bits(config),
        "depth": depth(config, tree)}
    runs = _runs(config, tree)
    chained = Counter({run: count for run, count in runs.items() if run >= SHIFT_REGISTER})
    # the word that was read, which block RAM and, in cmos, every memory keeps
    word = (config.keys * config.batch * config.acc_width
            if config.serial and not sums_in_block_ram(config) else 0)
    for target in ("ecp5", "xcup"):
        shifted = chained if target == "xcup" else Counter()
        told[target] |= {
            "lut": round(sum(_price(part, target) for part in parts)),
            "ff": registers + word - sum(run * count for run, count in shifted.items()),
            "lutram": lut_ram(config, target) + sum(shifted.values())}
    return told


def terms(config: TernaryConfig, tree: Tree | None = None) -> list[Term]:
    """The parts of a core, with how many there are of each unit in them."""
    make = serial_terms if config.serial else parallel_terms
    return list(make(config, tree or tree_of(config)))


def _price(part: Term, target: str) -> float:
    return sum(count * COEFFICIENTS[unit][target] for unit, count in part.units.items())


def _equal_bits(config: TernaryConfig) -> int:
    """Registers that gates synthesis finds to be equal: the last bits of entries that have the
    same operands, whatever their signs."""
    if config.serial or config.floating:
        return 0
    return config.batch * config.luts * (config.entries - (2**config.mu - 1))


def _read_registers(config: TernaryConfig, tree: Tree) -> int:
    """Registers behind a memory, which gates synthesis counts as a part of it."""
    if config.table == "lutram" and config.adder == "carry" and not tree.stages[0]:
        return config.keys * config.batch * config.luts * config.entry_width
    return 0


def _runs(config: TernaryConfig, tree: Tree) -> Counter[int]:
    """Bits of the whole core that pass registers one after another, by their number."""
    runs: Counter[int] = Counter()
    for run, count in tree.runs.items():
        runs[run] += config.keys * config.batch * count
    for run, count in tree.shared_runs.items():
        runs[run] += config.keys * count
    runs[config.pipeline + 1] += beat_layout(config).size
    if config.serial:
        runs[config.pipeline + 1] += number_bits(config)
    return runs
