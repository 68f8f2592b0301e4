"""Attention over quantized keys and values on a channel, RTL or model, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.config import PimConfig

from .attention import Coded, combine, softmax
from .attention_commands import OutputRead, ScoreRead, output_commands, score_commands
from .attention_layout import Layout
from .play import Player, Trace, field_of, play
from .rules import Op
from .schedule import Schedule

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Run:
    """Half of an attention: scores, or outputs.

    Attributes
    ----------
    trace : Trace
        With ``counts``, of all that was done.
    cycles : dict of str to int
        Of each part; see `attention_commands`. The first is ``load``.
    loaded : int
        Columns that were written to the arrays to load them: not what is done for each query.
    """

    trace: Trace
    cycles: dict[str, int]
    loaded: int


@dataclass(frozen=True)
class Attention:
    """What came of a query.

    Attributes
    ----------
    output : float64 array of shape (head_dim,)
    scores : uint64 array of shape (n,)
        Bits in the accumulators' format, without a scale.
    weights : uint64 array of shape (n,)
        Codes of elements; see `attention.softmax`.
    partial : uint64 array of shape (banks, rotation, head_dim)
        Outputs of the banks, bits in the accumulators' format.
    layout : Layout
    first, second : Run
        Scores, outputs.
    """

    output: Array
    scores: Array
    weights: Array
    partial: Array
    layout: Layout
    first: Run
    second: Run


def attention(config: PimConfig, keys: Coded, values: Coded, query: npt.ArrayLike,
              player: Player = play) -> Attention:
    """Attention of a query over quantized keys and values.

    Parameters
    ----------
    config : PimConfig
        With ``pq``.
    keys, values : Coded
        Of as many tokens.
    query : integer array of shape (head_dim,)
        Codes of its elements.
    player : callable
        `play` of the cycle model, or ``run_trace`` of `pimlico.sim.pim_trace` under a design.

    Raises
    ------
    ConfigError
        If keys and values do not fit the channel.
    ValueError
        If keys, values and query do not go together, a command was refused, or not all came out.
    """
    book = (config.pq_m, config.pq_k, config.pq_dsub)
    for name, coded in (("keys", keys), ("values", values)):
        if coded.centroids.shape != book or coded.indices.shape != (len(keys.indices), book[0]):
            raise ValueError(f"{name} must have centroids of shape {book}, and {book[0]} indices "
                             "for each token")
    if np.shape(query) != (config.head_dim,):
        raise ValueError(f"a query has {config.head_dim} elements")
    layout = Layout(config, len(keys.indices))
    commands, score_reads = score_commands(layout, keys, query)
    trace = player(config, commands.played())
    bits = gather_scores(layout, score_reads, trace)
    first = _run(commands, trace)
    weights = softmax(config, bits)
    commands, output_reads = output_commands(layout, values, weights)
    trace = player(config, commands.played())
    partial = gather_outputs(layout, output_reads, trace)
    return Attention(combine(config, partial, weights), bits, weights, partial, layout, first,
                     _run(commands, trace))


def closed_form(layout: Layout) -> tuple[dict[str, int], dict[str, int]]:
    """What scores and outputs count, as the counters of the channel do, loads included.

    Of n tokens in b banks, in columns of indices that are filled up: ``b m k dsub`` products for
    the tables, as many for the outputs, ``m n`` additions for scores and as many for bins. Each
    lookup reads a column.
    """
    config = layout.config
    m, books, values = config.pq_m, layout.books, layout.value_books
    groups = sum(layout.groups(tile) for tile in range(layout.tiles))
    tokens, weights = groups * config.column_indices, groups * layout.weight_columns
    centroids = books.count * books.columns * config.column_centroids
    # columns that are written and read: codebooks, indices, scores; tables are read by lookups
    kept = books.count * books.columns + m * groups + tokens // config.column_sums
    first = {"products": centroids * config.pq_dsub, "additions": m * tokens,
             "columns": 2 * kept + m * layout.tables.columns + m * tokens}
    # and weights, which are read for each subspace
    kept = values.count * values.columns + m * groups
    second = {"products": values.count * values.columns * config.lanes, "additions": m * tokens,
              "columns": 2 * kept + (1 + m) * weights}
    return _of_all(config, first), _of_all(config, second)


def _of_all(config: PimConfig, one: dict[str, int]) -> dict[str, int]:
    return {name: config.banks * count for name, count in one.items()}


def gather_scores(layout: Layout, reads: Sequence[ScoreRead], trace: Trace) -> Array:
    """Scores of all tokens, from the beats of rdata.

    Returns
    -------
    uint64 array of shape (tokens,)
        Bits in the accumulators' format.

    Raises
    ------
    ValueError
        If a command was refused, or beats are missing or not those that were asked for.
    """
    config = layout.config
    tile, column, bank = np.array(reads).T
    raw = _answers(config, trace, "rdata", {"bank": bank, "tag": column % 256},
                   config.column_bits)
    sums = np.zeros((layout.tiles, config.cols, config.column_sums, config.banks), np.uint64)
    sums[tile, column, :, bank] = raw.view(f"<u{config.acc_bits // 8}")
    return sums.reshape(-1)[:layout.tokens]


def gather_outputs(layout: Layout, reads: Sequence[OutputRead], trace: Trace) -> Array:
    """Outputs of all banks, from the beats of result.

    Returns
    -------
    uint64 array of shape (banks, rotation, head_dim)
        Bits in the accumulators' format.

    Raises
    ------
    ValueError
        As of `gather_scores`.
    """
    config = layout.config
    element, bank, turn = np.array(reads).T
    raw = _answers(config, trace, "result", {"bank": bank, "tag": element % 256},
                   config.acc_bits)
    sums = np.zeros((config.banks, config.rotation, config.head_dim), np.uint64)
    sums[bank, turn, element] = raw.view(f"<u{config.acc_bits // 8}")[:, 0]
    return sums


def _answers(config: PimConfig, trace: Trace, name: str, wanted: dict[str, Array],
             bits: int) -> Array:
    """The first `bits` of the beats of a stream, as octets."""
    if len(trace.status.cycles):
        codes = field_of(config.port("status"), trace.status.octets, "code")
        raise ValueError(f"{len(codes)} commands were refused, the first with code {codes[0]}")
    port: Stream = config.port(name)
    beats = getattr(trace, name)
    count = len(wanted["bank"])
    if len(beats.cycles) != count:
        raise ValueError(f"{len(beats.cycles)} beats of {name} instead of {count}")
    for field, values in wanted.items():
        wrong = np.flatnonzero(field_of(port, beats.octets, field) != values)
        if len(wrong):
            raise ValueError(f"{name} {wrong[0]} is of another {field} than asked for")
    return np.ascontiguousarray(beats.octets[:, :bits // 8])


def _run(commands: Schedule, trace: Trace) -> Run:
    loaded = sum(part == "load" and step.command.op == Op.WR
                 for step, part in zip(commands.steps, commands.parts, strict=True))
    return Run(trace, commands.spent(trace.accepted), loaded)
