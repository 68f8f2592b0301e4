"""The property that every weight code is decoded to its weights, and the codes as tables."""

from __future__ import annotations

from math import lcm

from amaranth.hdl import C, Cat, Mux, Signal, Value, signed

from pimlico.hdl.common.properties import Harness, Property

from .config import BAD_CODE, BLOCK, TernaryConfig
from .reduced import on_integers
from .table import entry_digits


def decode_property(config: TernaryConfig) -> Property:
    """Of a core with one row and the fewest columns of the format."""
    columns = {"base3x5": 5, "tq1_0": 5, "tq2_0": 4}.get(config.weight_format, 1)
    small = on_integers(config, keys=1, m_max=1, luts=lcm(columns, config.mu) // config.mu,
                        n_max=BLOCK)
    return Property(
        "weights-decoded",
        "every code of the weight stream is read as the weights that its format gives it, and "
        "one that stands for none as zeros, with the status code for it",
        small, _build, depth=4)


def _build(h: Harness) -> None:
    m, core, config = h.m, h.dut.component, h.config
    lane = core.w.payload
    taken = core.w.valid & core.w.ready
    bad = h.past(taken & _no_weight(config, lane).any())
    if config.decode_stage:
        held = Signal(len(lane), name="taken_weights")
        with m.If(taken):
            m.d.sync += held.eq(lane)
        lane = held
    keys = h.dut.inside("weights.keys")
    same = [key_weight(config, keys, slot) == weight(config, lane, slot)
            for slot in range(config.columns)]
    h.require(~h.dut.inside("weights.valid") | Cat(*same).all(), "the keys stand for the weights")
    h.require(~bad | (core.status != 0), "a code for no weight shows in the status")
    free = h.past((core.status == 0) | core.status_clear)
    h.require(~free | (core.status != BAD_CODE) | bad,
              "the status names a code for no weight only after one")


def weight(config: TernaryConfig, lane: Value, column: int) -> Value:
    """The weight of a column in a lane of the weight stream, looked up in its format's codes."""
    match config.weight_format:
        case "keys":
            return key_weight(config, lane, column)
        case "two_bit" | "tq2_0":
            return _look_up([-1, 0, 1, 0], lane.word_select(column, 2))
        case "base3x5":
            trits = [code // 3**(4 - column % 5) % 3 - 1 for code in range(243)] + [0] * 13
        case "tq1_0":
            trits = [(code * 3**(column % 5) % 256 * 3 >> 8) - 1 for code in range(256)]
    return _look_up(trits, lane.word_select(column // 5, 8))


def key_weight(config: TernaryConfig, keys: Value, column: int) -> Value:
    """The weight that a key gives to a column of its table; 0 for an index above the table."""
    table, digit = divmod(column, config.mu)
    trits = [entry_digits(index, config.mu)[digit] if index <= config.entries else 0
             for index in range(1 << config.key_bits - 1)]
    trits += [-trit for trit in trits]
    return _look_up(trits, keys.word_select(table, config.key_bits))


def _no_weight(config: TernaryConfig, lane: Value) -> Value:
    """Which codes of a lane stand for no weight."""
    match config.weight_format:
        case "keys":
            return Cat(*(lane.word_select(table, config.key_bits)[:-1] > config.entries
                         for table in range(config.luts)))
        case "two_bit" | "tq2_0":
            return Cat(*(lane.word_select(column, 2) == 3 for column in range(config.columns)))
        case "base3x5":
            return Cat(*(lane.word_select(byte, 8) > 242 for byte in range(config.columns // 5)))
    return C(0, 1)


def _look_up(trits: list[int], code: Value) -> Value:
    """By halves, bit after bit, which the solver follows far better than a list of cases."""
    leaves: list[Value | int] = list(trits)
    for bit in code:
        leaves = [low if low is high else Mux(bit, high, low)
                  for low, high in zip(leaves[::2], leaves[1::2], strict=True)]
    (root,) = leaves
    return C(root, signed(2)) if isinstance(root, int) else root
