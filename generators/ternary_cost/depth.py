"""Gate levels of a ternary core's longest path: a rough sum of what lies on it.

Sums that have time are mapped for area, to two levels a bit; a further adder in the same cycle
adds a few levels to the longest.
"""

from __future__ import annotations

from pimlico.hdl.ternary.config import TernaryConfig

from .tree import ROW, Tree

SUM_BIT, NEXT_ADDER, FULL_ADDER, FINAL = 2, 5, 5, 17
FETCH = {1: 4, 2: 8, 3: 10, 4: 13, 5: 14}
BYTE_DIGITS = 42
KEY = {1: 0, 2: 7, 3: 12, 4: 18, 5: 23}
ADDEND = 8
CONTROL = 29
FLOAT_ADD = {("fp16", "fp16"): 107, ("bf16", "bf16"): 110, ("fp16", "fp32"): 159,
             ("bf16", "fp32"): 166}
FLUSHED = 12
"""Levels of a floating adder that taking subnormals for zeros saves."""


def depth(config: TernaryConfig, tree: Tree) -> int:
    """The longest of the paths through accumulator, tree, table, decoding and output."""
    paths = [CONTROL, *_sums(config, tree)]
    if config.weight_format != "keys":
        paths.append(KEY[config.mu] + (BYTE_DIGITS if config.trits_per_byte == 5 else FETCH[1]))
    if config.out == "int8_requant":
        paths.append(54 + 7 * config.acc_width // 5)
    if config.out == "fp32_scaled":
        paths.append(SCALE)
    return max(paths)


SCALE = 190


def _sums(config: TernaryConfig, tree: Tree) -> list[int]:
    fetch = FETCH[config.mu] if config.table == "ff" else FETCH[1]
    paths = []
    if config.floating:
        flushed = FLUSHED * (config.subnormals == "flush")
        act = config.act_float.name
        add = FLOAT_ADD[act, act] - flushed
        for position, stage in enumerate(tree.stages):
            paths.append(len(stage) * add + (fetch if position == 0 else 0))
        paths.append((config.mu - 1) * add + FETCH[1])
        paths.append(FLOAT_ADD[act, config.acc_float.name] - flushed + ADDEND)
        return paths
    for position, stage in enumerate(tree.stages):
        path = fetch if position == 0 else 0
        rows, adders = stage.count(ROW), [width for width in stage if width != ROW]
        path += FULL_ADDER * rows
        if adders:
            path += NEXT_ADDER * (len(adders) - 1) + (
                FINAL if config.adder == "compressor" else SUM_BIT * adders[-1])
        paths.append(path)
    if not config.serial:
        paths.append(FETCH[1] + SUM_BIT * config.entry_width + NEXT_ADDER * (config.mu - 1))
    paths.append(SUM_BIT * config.acc_width + ADDEND * config.addend)
    return paths
