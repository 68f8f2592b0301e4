"""A product of a matrix and vectors on a channel, RTL or model, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.config import PimConfig

from .gemv import Plan, combine, encode, numbers, plan
from .gemv_commands import Commands
from .gemv_visits import closed_form
from .play import Beats, Played, Player, Trace, field_of, octets, payloads, play
from .rules import Command, Op

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Product:
    """What came of a product.

    Attributes
    ----------
    y : array of shape (m,), or (m, v)
        float64, or int64.
    bits : uint64 array of shape (m, v)
        The same in the accumulators' format.
    plan : Plan
    trace : Trace
    cycles : int
        Of all, from the first command on.
    compute : list of int
        For each load, cycles from the refresh that begins its multiplication until all rows are
        closed.
    formula : list of int
        The same by `closed_form`.
    busy : float
        Share of the cycles of `compute` in which the banks multiply at their full rate, a column
        every tCCD.
    overlap : int
        WRs that went beside multiplication.
    """

    y: Array
    bits: Array
    plan: Plan
    trace: Trace
    cycles: int
    compute: list[int]
    formula: list[int]
    busy: float
    overlap: int


def gemv(config: PimConfig, matrix: npt.ArrayLike, vectors: npt.ArrayLike, player: Player = play,
         load_rows: int | None = None) -> Product:
    """``matrix @ vectors`` on a PIM channel.

    Parameters
    ----------
    config : PimConfig
    matrix : array of shape (m, k)
        Numbers; they are rounded to the nearest elements.
    vectors : array of shape (k,), or (k, v)
        Up to ``reuse`` of them.
    player : callable
        `play` of the cycle model, or ``run_trace`` of `pimlico.sim.pim_trace` under a design.
    load_rows : int, optional
        As of `plan`.

    Raises
    ------
    ConfigError
        If shapes do not fit, or `plan` refuses.
    ValueError
        If a command was refused, or not all came out.
    """
    weights, x = np.asarray(matrix), np.asarray(vectors)
    if weights.ndim != 2 or x.ndim not in (1, 2) or weights.shape[1] != len(x):
        raise ConfigError("shape", f"{weights.shape} by {x.shape}", "be (m, k) by (k,) or (k, v)")
    made = plan(config, (weights.shape[0], weights.shape[1]), load_rows)
    commands = Commands(made)
    trace = player(config, played(commands, encode(config, weights),
                                  encode(config, x.reshape(len(x), -1).T)))
    bits = combine(config, gather(commands, trace))[:, :1 if x.ndim == 1 else x.shape[1]]
    y = numbers(config, bits)
    return measure(commands, trace, y[:, 0] if x.ndim == 1 else y, bits)


def measure(commands: Commands, trace: Trace, y: Array, bits: Array) -> Product:
    """A product with its cycles, taken from the trace."""
    made = commands.made
    config = made.config
    rounds = [phase for phase in commands.phases if phase.kind == "compute"]
    compute = [int(trace.accepted[phase.end - 1] - trace.accepted[phase.first])
               + config.timing.trp for phase in rounds]
    beside = sum(command[0] == Op.WR for phase in rounds
                 for command in commands.timeline.commands[phase.first:phase.end])
    turns = made.lines * made.columns * config.timing.tccd_mac
    return Product(y=y, bits=bits, plan=made, trace=trace, cycles=trace.cycles, compute=compute,
                   formula=closed_form(made), busy=turns / sum(compute), overlap=beside)


def played(commands: Commands, matrix: Array, vectors: Array) -> Played:
    """The beats of a product.

    Commands come each in its cycle; where commands that are too soon wait, at once.

    Parameters
    ----------
    commands : Commands
    matrix : integer array of shape (m, k)
        Codes of the elements.
    vectors : integer array of shape (v, k)

    Raises
    ------
    ConfigError
        If there are more vectors than the channel has accumulators for.
    """
    made = commands.made
    config = made.config
    if len(vectors) > config.reuse:
        raise ConfigError("vectors", len(vectors), f"be at most reuse = {config.reuse}")
    fields = np.array(commands.timeline.commands, np.int64)
    cycles = np.array(commands.timeline.cycles, np.int64)
    cmd: Stream = config.port("cmd")
    words = payloads(cmd, {name: fields[:, Command._fields.index(name)]
                           for name in (field.name for field in cmd.fields)})
    return Played(cycles - 1 if config.strict else np.zeros_like(cycles), words,
                  _data(commands, fields[:, 0], matrix, vectors))


def _data(commands: Commands, ops: Array, matrix: Array, vectors: Array) -> Array:
    """What WR and GB_WR write, in the order in which they do."""
    made = commands.made
    config = made.config
    columns = np.zeros((made.lines * config.banks, made.columns, config.lanes), np.uint64)
    columns[:made.m] = made.columns_of(matrix)
    vector = np.zeros((config.reuse, made.columns, config.lanes), np.uint64)
    vector[:len(vectors)] = made.columns_of(vectors)
    line, column = made.order
    position, bank = np.array(commands.writes).T
    number, part = np.array(commands.vectors).T
    uses = ops[(ops == Op.WR) | (ops == Op.GB_WR)]
    octet = config.fmt_bits // 8
    raw = np.zeros((len(uses), octets(config, "wdata")), np.uint8)
    for op, lanes in ((Op.WR, columns[line[position] * config.banks + bank, column[position]]),
                      (Op.GB_WR, vector[number, part])):
        raw[uses == op, :config.lanes * octet] = lanes.astype(f"<u{octet}").view(np.uint8)
    return raw


def gather(commands: Commands, trace: Trace) -> Array:
    """The accumulators of all lines, from the beats of result.

    Parameters
    ----------
    commands : Commands
    trace : Trace

    Returns
    -------
    uint64 array of shape (m, reuse, rotation, acc_lanes)
        Bits in the accumulators' format.

    Raises
    ------
    ValueError
        If a command was refused, or beats are missing or not those that were asked for.
    """
    made = commands.made
    config, beats = made.config, trace.result
    if len(trace.status.cycles):
        codes = field_of(config.port("status"), trace.status.octets, "code")
        raise ValueError(f"{len(codes)} commands were refused, the first with code {codes[0]}")
    if len(beats.cycles) != len(commands.reads):
        raise ValueError(f"{len(beats.cycles)} results instead of {len(commands.reads)}")
    line, turn, bank = np.array(commands.reads).T
    _check(config, beats, slot=line % made.sets * config.rotation + turn, bank=bank,
           tag=line % 256)
    octet = config.acc_bits // 8
    count = config.reuse * config.acc_lanes
    data = np.ascontiguousarray(beats.octets[:, :count * octet]).view(f"<u{octet}")
    accs = np.zeros((made.lines * config.banks, config.reuse, config.rotation, config.acc_lanes),
                    np.uint64)
    accs[line * config.banks + bank, :, turn] = data.reshape(
        -1, config.reuse, config.acc_lanes)
    return accs[:made.m]


def _check(config: PimConfig, beats: Beats, **wanted: Array) -> None:
    for name, values in wanted.items():
        wrong = np.flatnonzero(field_of(config.port("result"), beats.octets, name) != values)
        if len(wrong):
            raise ValueError(f"result {wrong[0]} is of another {name} than asked for")
