"""What the attention example runs: tokens with structure, and a query over them, two ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bitslice_show import Result, Tell

from pimlico.generators.verilog import Emitted
from pimlico.hdl.pim.config import PimConfig
from pimlico.sim.pim_trace import run_trace
from pimlico.verif.pim import attention as golden
from pimlico.verif.pim.attention_run import Attention, Run, attention, closed_form
from pimlico.verif.pim.codebooks import codebooks
from pimlico.verif.pim.codebooks import decode as restored
from pimlico.verif.pim.gemv import Plan, decode, encode, expected
from pimlico.verif.pim.gemv_commands import Commands
from pimlico.verif.pim.gemv_run import Product, gemv
from pimlico.verif.pim.play import Array, Played, Player, Trace

SAMPLES, ASKED = 16, 32
"""Queries whose attention says which tokens are important, and queries after those."""

NOISE, GAIN, SKEW = 0.25, 0.4, 1.5

SWEPT_ROUNDS = 8
"""Times that centroids move at most, of many clusterings."""


@dataclass(frozen=True)
class Tokens:
    """Keys, values and queries, as elements of the channel's format.

    Attributes
    ----------
    keys, values : float64 arrays of shape (n, head_dim)
    queries : float64 array of shape (ASKED, head_dim)
    importance : float64 array of shape (n,)
        Mean of 1 and of n times the mean attention that a token had from sample queries.
    """

    keys: Array
    values: Array
    queries: Array
    importance: Array


def tokens(config: PimConfig, count: int, topics: int, rng: np.random.Generator) -> Tokens:
    """Tokens that are each of a topic, and queries that ask for a topic.

    Keys and values are the topic's normal random vectors and normal noise; a query is the key of
    its topic, shorter, and noise. Topics are asked for the more often the lower their number:
    their tokens are important.

    Parameters
    ----------
    config : PimConfig
    count : int
        Number of tokens.
    topics : int
    rng : numpy Generator
    """
    width = config.head_dim
    about = rng.integers(topics, size=count)
    directions = rng.normal(size=(2, topics, width))
    often = np.arange(1, topics + 1) ** -SKEW
    asked = rng.choice(topics, SAMPLES + ASKED, p=often / often.sum())
    keys, values, queries = (decode(config, encode(config, each)) for each in (
        *(each[about] + rng.normal(scale=NOISE, size=(count, width)) for each in directions),
        GAIN * directions[0, asked] + rng.normal(scale=NOISE, size=(len(asked), width))))
    had = np.mean([exact(keys, values, query)[1] for query in queries[:SAMPLES]], axis=0)
    return Tokens(keys, values, queries[SAMPLES:], (1 + count * had) / 2)


def exact(keys: Array, values: Array, query: Array) -> tuple[Array, Array, Array]:
    """Scores, weights and output in float64."""
    scores = keys @ query
    weights = np.exp((scores - scores.max()) / np.sqrt(len(query)))
    weights /= weights.sum()
    return scores, weights, weights @ values


def error(made: Array, wanted: Array) -> float:
    """Root mean square of the differences, relative to that of what is wanted."""
    return float(np.sqrt(np.mean((made - wanted) ** 2) / np.mean(wanted ** 2)))


def errors(given: Tokens, keys: Array, values: Array) -> dict[str, float]:
    """What other keys and values do to ``scores`` and ``output`` of all queries.

    The root mean square of the relative errors, in float64.
    """
    pairs = [(exact(keys, values, query), exact(given.keys, given.values, query))
             for query in given.queries]
    return {name: float(np.sqrt(np.mean([error(made[place], wanted[place]) ** 2
                                         for made, wanted in pairs])))
            for name, place in (("scores", 0), ("output", 2))}


def on(design: Emitted, tell: Tell) -> Player:
    """A player of the RTL."""
    def player(config: PimConfig, played: Played) -> Trace:
        return run_trace(config, played, design, tell)
    return player


def quantized(config: PimConfig, given: Tokens, design: Emitted, rng: np.random.Generator,
              tell: Tell) -> Result:
    """Quantize keys and values, and run the query over them.

    Returns
    -------
    dict
        ``scores`` and ``output``, each a dict: ``products``, ``additions``, ``columns`` and
        ``bytes`` by the counters of the channel, without what loading the tokens counts;
        ``cycles``, and ``parts`` of them; ``exact``, whether all bits are NumPy's, and counts
        those of their closed form; ``error``, against float64; ``typical``, that of all queries,
        see `errors`, in float64. ``stored``, bytes of indices; ``codebooks``, bytes of those in
        each bank; ``failure``, text or None.
    """
    tell("clustering", 0, 2)
    keys = golden.quantize(config, given.keys, given.importance, rng)
    tell("clustering", 1, 2)
    values = golden.quantize(config, given.values, given.importance, rng)
    tell("clustering", 2, 2)
    query = encode(config, given.queries[0])
    try:
        made = attention(config, keys, values, query, on(design, tell))
    except ValueError as refused:
        return {"failure": str(refused)}
    right = (golden.scores(config, keys, query), golden.outputs(config, values, made.weights))
    wanted = exact(given.keys, given.values, given.queries[0])
    told: Result = {"failure": None, **_stored(config, len(given.keys))}
    typical = errors(given, golden.restored(config, keys), golden.restored(config, values))
    for name, run, bits, golden_bits, counts, off in zip(
            ("scores", "output"), (made.first, made.second), (made.scores, made.partial), right,
            closed_form(made.layout), _errors(made, wanted), strict=True):
        wrong = int((bits != golden_bits).sum())
        told["failure"] = told["failure"] or _difference(name, wrong, run, counts)
        told[name] = {**_counted(config, run.trace, run.loaded),
                      "cycles": sum(run.cycles.values()) - run.cycles["load"],
                      "parts": {part: spent for part, spent in run.cycles.items()
                                if part != "load"},
                      "exact": not wrong and run.trace.counts == counts, "error": off,
                      "typical": typical[name]}
    return told


def _errors(made: Attention, wanted: tuple[Array, Array, Array]) -> Iterator[float]:
    config = made.layout.config
    yield error(golden.numbers(config, made.scores), wanted[0])
    yield error(made.output, wanted[2])


def _difference(name: str, wrong: int, run: Run, counts: dict[str, int]) -> str | None:
    if wrong:
        return f"{wrong} of {name} are not the golden model's"
    if run.trace.counts != counts:
        return f"{name}: {run.trace.counts} is not the closed form's {counts}"
    return None


def _stored(config: PimConfig, count: int) -> Result:
    books = config.codebook_cols + config.pq_dsub * max(1, config.pq_k // config.lanes)
    return {"stored": 2 * count * config.pq_m * config.index_bits // 8,
            "codebooks": config.pq_m * books * config.column_bits // 8}


def _counted(config: PimConfig, trace: Trace, loaded: int) -> Result:
    """What the counters show, but for columns that were written to load the arrays."""
    assert trace.counts is not None
    columns = trace.counts["columns"] - loaded
    return {**trace.counts, "columns": columns, "bytes": columns * config.column_bits // 8}


def dense(config: PimConfig, given: Tokens, design: Emitted, tell: Tell) -> Result:
    """The query over all keys and values, multiplied as they are.

    Returns
    -------
    dict
        As of `quantized`, with ``typical`` None.
    """
    wanted = exact(given.keys, given.values, given.queries[0])
    told: Result = {"failure": None,
                    "stored": 2 * given.keys.size * config.fmt_bits // 8, "codebooks": 0}
    try:
        scores = gemv(config, given.keys, given.queries[0], on(design, tell))
        weights = golden.softmax(config, scores.bits[:, 0])
        factors = decode(config, weights)
        outputs = gemv(config, given.values.T, factors, on(design, tell))
    except ValueError as refused:
        return told | {"failure": str(refused)}
    for name, made, matrix, vector, off in (
            ("scores", scores, given.keys, given.queries[0], error(scores.y, wanted[0])),
            ("output", outputs, given.values.T, factors,
             error(outputs.y / factors.sum(), wanted[2]))):
        right = expected(made.plan, encode(config, matrix), encode(config, vector[None]))
        wrong = int((made.bits != right).sum())
        if wrong and not told["failure"]:
            told["failure"] = f"{wrong} of {name} are not the golden model's"
        told[name] = {**_counted(config, made.trace, _written(made.plan)),
                      "cycles": _unloaded(made), "parts": {}, "exact": not wrong, "error": off,
                      "typical": None}
    return told


def _written(plan: Plan) -> int:
    """Columns that loading a matrix writes."""
    return plan.lines * plan.columns * plan.config.banks


def _unloaded(made: Product) -> int:
    """Cycles of a product, but for those that write the matrix alone."""
    taken = made.trace.accepted
    return made.trace.cycles - sum(
        int(taken[phase.end - 1] - (taken[phase.first - 1] if phase.first else -1))
        for phase in Commands(made.plan).phases if phase.kind == "write" and phase.end)


def sweep(given: Tokens, parts: Sequence[int], sizes: Sequence[int],
          rng: Callable[[], np.random.Generator], tell: Tell) -> list[dict[str, Any]]:
    """Errors by subspaces and centroids, in NumPy alone, with centroids and sums in float64.

    Parameters
    ----------
    given : Tokens
    parts : sequence of int
        Numbers of subspaces that divide the length of a vector.
    sizes : sequence of int
        Numbers of centroids.
    rng : callable
        Gives the generator of each clustering.
    tell : callable

    Returns
    -------
    list of dict
        ``m``, ``k``, ``weighed`` (by importance, or all tokens alike), and the `errors`.
    """
    cases = [(m, k, weighed) for m in parts for k in sizes for weighed in (True, False)]
    made = []
    for number, (m, k, weighed) in enumerate(cases):
        tell("clustering for the plot", number, len(cases))
        chosen = rng()
        keys, values = (_restored(each, m, k, given.importance if weighed else None, chosen)
                        for each in (given.keys, given.values))
        made.append({"m": m, "k": k, "weighed": weighed, **errors(given, keys, values)})
    tell("clustering for the plot", len(cases), len(cases))
    return made


def _restored(vectors: Array, m: int, k: int, weights: Array | None,
              rng: np.random.Generator) -> Array:
    centroids, indices = codebooks(vectors, m, k, weights, rng, SWEPT_ROUNDS)
    return restored(indices, centroids)
