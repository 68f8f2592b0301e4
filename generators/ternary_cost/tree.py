"""What the reduction tree of a ternary column is made of: adders, registers, levels a stage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pimlico.hdl.common.adder_tree import signed_bits
from pimlico.hdl.common.compressor import dadda_heights
from pimlico.hdl.ternary.config import TernaryConfig

ROW = 0
"""A level that is a row of full adders."""


@dataclass
class Tree:
    """Parts of one column's tree.

    Attributes
    ----------
    adders : list of int
        Width of each two-input adder.
    full, half : int
        Full and half adders of a compressor tree.
    shared : int
        Adders of signs of keys only, which all vectors of a batch have in common.
    runs, shared_runs : Counter
        Bits by the number of registers that they pass one after another. Shared ones are signs
        of keys, which all vectors of a batch have in common.
    width : int
        Bits of the partial sum.
    stages : list of list of int
        Levels in front of each register: the width of an adder, or `ROW`.
    """

    adders: list[int] = field(default_factory=list)
    full: int = 0
    half: int = 0
    shared: int = 0
    runs: Counter[int] = field(default_factory=Counter)
    shared_runs: Counter[int] = field(default_factory=Counter)
    width: int = 0
    stages: list[list[int]] = field(default_factory=list)


class _Bits:
    """Bits that go through registers together, until logic takes them."""

    def __init__(self, width: int, shared: bool = False):
        self.width, self.shared, self.run = width, shared, 0

    def end(self, tree: Tree) -> None:
        if self.run and self.width:
            (tree.shared_runs if self.shared else tree.runs)[self.run] += self.width


class _Carry:
    """Two-input adders; those of a serial build take signs along, one for each term."""

    def __init__(self, config: TernaryConfig):
        bound = config.mu << config.act_bits - 1
        self.terms = [(-bound, bound - 1, _Bits(signed_bits(-bound, bound - 1)))
                      for _ in range(config.luts)]
        self.signs = [_Bits(1, shared=True) for _ in range(config.luts)]
        self.levels = (config.luts - 1).bit_length()
        self.signed = config.serial

    def step(self, tree: Tree) -> int:
        pairs = len(self.terms) // 2
        terms = []
        for a, b in zip(self.terms[::2], self.terms[1::2], strict=False):
            if self.signed:
                most = max(-b[0], b[1])
                low, high = a[0] - most, a[1] + most
            else:
                low, high = a[0] + b[0], a[1] + b[1] + 1
            a[2].end(tree)
            b[2].end(tree)
            terms.append((low, high, _Bits(signed_bits(low, high))))
        tree.adders += [term[2].width for term in terms]
        self.terms = terms + self.terms[2 * pairs:]
        if self.signed:
            # all signs of pairs are looked at, and those of first operands go on
            for sign in self.signs[:2 * pairs]:
                sign.end(tree)
            self.signs = [_Bits(1, shared=True) for _ in range(pairs)] + self.signs[2 * pairs:]
        else:
            for sign in self.signs[:pairs]:
                sign.end(tree)
            self.signs = self.signs[pairs:]
        return max(term[2].width for term in terms)

    @property
    def bits(self) -> list[_Bits]:
        return [*(term[2] for term in self.terms), *self.signs]


class _Compressor:
    """Rows of full adders by Dadda's schedule, then one adder; constants are None."""

    def __init__(self, config: TernaryConfig):
        width, top = config.sum_width, config.entry_width - 1
        self.columns: list[list[_Bits | None]] = [[] for _ in range(width)]
        for _ in range(config.luts):
            for position in range(top + 1):
                self.columns[position].append(_Bits(1))
        self.columns[0] += [_Bits(1, shared=True) for _ in range(config.luts - 1)]
        self.sign = _Bits(1, shared=True)
        bias = config.luts << top
        for position in range(width):
            if (-bias >> position) & 1:
                self.columns[position].append(None)
        self.heights = dadda_heights(max(map(len, self.columns)))
        self.levels = len(self.heights) + 1
        self.alone = config.luts == 1

    def step(self, tree: Tree) -> int:
        if self.alone:
            # nothing to add but the constants that extend the sign, all bits of which are one
            self.columns = [column for column in self.columns if column[0] is not None]
            for bit in self.columns[-1]:
                if bit is not None:
                    bit.end(tree)
            self.columns[-1] = [_Bits(1)]
            return ROW
        if not self.heights:
            both = [position for position, column in enumerate(self.columns) if len(column) > 1]
            width = len(self.columns) - min(both, default=len(self.columns))
            for position in range(len(self.columns) - width, len(self.columns)):
                for bit in self.columns[position]:
                    if bit is not None:
                        bit.end(tree)
                self.columns[position] = [_Bits(1)]
            if width:
                tree.adders.append(width)
            return width
        height, *self.heights = self.heights
        out: list[list[_Bits | None]] = [[] for _ in range(len(self.columns) + 1)]
        arrived = 0
        for position, column in enumerate(self.columns):
            bits, made = list(column), 0
            while (excess := len(bits) + made + arrived - height) > 0:
                size = 2 if excess == 1 else 3
                group, bits = bits[:size], bits[size:]
                shared = self._add(tree, group)
                out[position].append(_Bits(1, shared))
                out[position + 1].append(_Bits(1, shared))
                made += 1
            out[position] += bits
            arrived = made
        self.columns = out[:len(self.columns)]
        return ROW

    @staticmethod
    def _add(tree: Tree, group: list[_Bits | None]) -> bool:
        """Counts an adder; whether all vectors of a batch share its results."""
        variable = [bit for bit in group if bit is not None]
        for bit in variable:
            bit.end(tree)
        shared = all(bit.shared for bit in variable)
        if shared:
            tree.shared += 1
        elif len(variable) == 3:
            tree.full += 1
        elif len(variable) == 2:
            tree.half += 1
        return shared

    @property
    def bits(self) -> list[_Bits]:
        return [*(bit for column in self.columns for bit in column if bit is not None), self.sign]


class _Float:
    """A binary tree of floating adders, each a level."""

    def __init__(self, config: TernaryConfig):
        self.width = config.act_bits
        self.bits = [_Bits(self.width) for _ in range(config.luts)]
        self.levels = (config.luts - 1).bit_length()

    def step(self, tree: Tree) -> int:
        pairs = len(self.bits) // 2
        for term in self.bits[:2 * pairs]:
            term.end(tree)
        tree.adders += [self.width] * pairs
        self.bits = [_Bits(self.width) for _ in range(pairs)] + self.bits[2 * pairs:]
        return self.width


def tree_of(config: TernaryConfig) -> Tree:
    """The tree of one column."""
    tree = Tree()
    kind = (_Float if config.floating else
            _Compressor if config.adder == "compressor" else _Carry)(config)
    levels, done, registers = kind.levels + 1, 1, config.pipeline + 1
    for stage in range(registers):
        ahead = -(-(stage + 1) * levels // registers) - done
        tree.stages.append([kind.step(tree) for _ in range(ahead)])
        done += ahead
        for bits in kind.bits:
            bits.run += 1
    for bits in kind.bits:
        bits.end(tree)
    if config.floating:
        tree.width = config.act_bits
    elif isinstance(kind, _Carry):
        tree.width = min(kind.terms[0][2].width, config.sum_width)
    else:
        tree.width = config.sum_width
    return tree
