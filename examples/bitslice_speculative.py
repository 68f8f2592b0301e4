"""The arithmetic of speculative decoding on nested weights: a draft from 5 bits of each weight.

A small network guesses the next symbol of a made-up language. Its draft multiplies by the upper
halves of its int8 weights alone, at twice the rate; the refinement multiplies by the lower halves,
and goes on from the sums that the draft left in the accumulators. All passes of both layers run
through the RTL, where the bits of weights that they read are counted too.

Exit codes: 0 all correct, 1 something is not, 2 bad input or a missing tool.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bitslice_mlp import Network, drafted, language, train, truncated, windows
from bitslice_run import Product, Task, multiply
from bitslice_show import Result, Tell, count, finish, grouped, parser, prefixed, titled
from bitslice_tiles import Array, Operation
from rich.table import Table

from pimlico.generators.load import load
from pimlico.generators.verilog import Emitted, emit
from pimlico.hdl.bitslice.config import DRAFT, FULL, REFINE, BitsliceConfig
from pimlico.sim.runner import Simulator

TRAINED, TESTED = 8000, 2000
AHEAD = 4
"""Symbols drafted before a full pass, in the estimate."""

PASSES = {"draft": (DRAFT,), "refine": (REFINE,), "draft, then refine": (DRAFT, REFINE),
          "full": (FULL,)}


def demonstrate(tell: Tell, seed: int, contexts: int, array: tuple[int, int],
                simulator: Simulator, plot: Path | None = None) -> Result:
    """Do it all.

    Parameters
    ----------
    tell : callable
    seed : int
    contexts : int
        Contexts whose next symbol is guessed through the RTL.
    array : (rows, cols)
    simulator : str
    plot : Path, optional

    Returns
    -------
    dict
        ``correct``, ``failure`` (the first, as text, or None), ``seed``; ``passes`` (see `_pass`),
        ``guesses`` (see `_guesses`), ``seconds``.
    """
    began = time.monotonic()
    rng = np.random.default_rng(seed)
    tell("training", 0, 1)
    seen, next_ones = windows(language(rng, TRAINED + TESTED))
    network = train(rng, seen[:TRAINED], next_ones[:TRAINED])
    tell("training", 1, 1)
    asked = seen[TRAINED:TRAINED + contexts]
    block, config, top = load("bitslice-array", preset="elmoe3d", settings=[
        f"rows={array[0]}", f"cols={array[1]}", "max_k=128"])
    assert isinstance(config, BitsliceConfig)
    design = emit(block, config, top)
    x = network.inputs(asked)
    first = _layer(dict.fromkeys(PASSES, x), network.first, config, design, simulator,
                   prefixed(tell, "layer 1"))
    # the draft goes on from what it drafted, the others from what is exact
    hidden = {name: network.hidden(first["draft" if name == "draft" else "full"].result)
              for name in PASSES}
    second = _layer(hidden, network.second, config, design, simulator, prefixed(tell, "layer 2"))
    passes = [_pass(name, first[name], second[name]) for name in PASSES]
    failure = (_wrong(network.first, "layer 1", first, dict.fromkeys(PASSES, x))
               or _wrong(network.second, "layer 2", second, hidden))
    logits = {name: second[name].result for name in ("draft", "full")}
    guesses = _guesses(network, logits, seen[TRAINED:], next_ones[TRAINED:])
    if plot:
        from bitslice_figure import draw_halves
        draw_halves(plot, passes, *_leads(network, seen[TRAINED:]))
    return {"correct": failure is None, "failure": failure, "seed": seed, "contexts": contexts,
            "passes": passes, "guesses": guesses, "seconds": round(time.monotonic() - began, 1)}


def _layer(inputs: dict[str, Array], w: Array, config: BitsliceConfig, design: Emitted,
           simulator: Simulator, progress: Tell) -> dict[str, Product]:
    """All passes of a layer, one after another."""
    tasks = [Task(inputs[name], w, Operation(nests=nests)) for name, nests in PASSES.items()]
    return dict(zip(PASSES, multiply(tasks, config, design, simulator, progress), strict=True))


def _pass(name: str, *layers: Product) -> Result:
    """Figures of a pass over both layers.

    Returns
    -------
    dict
        ``pass``; ``cycles`` counted on the RTL and ``formula`` for them; ``issuing``, cycles of
        them that begin a product; ``weights`` that the array read, ``weight_bits`` of them on the
        ports, ``bits_a_weight``.
    """
    weights, bits = (sum(getattr(each, key) for each in layers)
                     for key in ("weights", "weight_bits"))
    return {"pass": name, "cycles": sum(each.cycles for each in layers),
            "formula": sum(each.formula for each in layers),
            "issuing": sum(each.steps for each in layers), "weights": weights,
            "weight_bits": bits, "bits_a_weight": bits / weights if weights else 0.0}


def _wrong(w: Array, layer: str, made: dict[str, Product], inputs: dict[str, Array]) -> str | None:
    """What is not as it must be in a layer, if anything."""
    whole = w.astype(np.int64)
    half = drafted(w)
    used = {"draft": half, "refine": whole - half, "draft, then refine": whole, "full": whole}
    for name, product in made.items():
        where = f"{layer}, {name}"
        if product.failure:
            return f"{where}: {product.failure}"
        if (product.result != inputs[name] @ used[name]).any():
            return f"{where}: sums are not as NumPy has them"
        if product.cycles != product.formula:
            return f"{where}: {product.cycles} cycles instead of {product.formula}"
    if (made["draft, then refine"].result != made["full"].result).any():
        return f"{layer}: the refined draft is not the full product"
    return None


def _guesses(network: Network, logits: dict[str, Array], seen: Array,
             right: Array) -> dict[str, Any]:
    """How often draft and full pass choose the same symbol.

    Returns
    -------
    dict
        ``agree`` of ``contexts`` by the RTL; of the ``tested`` in NumPy ``agreement``, that of
        weights ``truncated`` to the upper nibble, and the parts that ``draft`` and ``full`` guess
        right; ``accepted``, symbols a full pass if `AHEAD` are drafted and agree independently.
    """
    own = network.first.astype(np.int64), network.second.astype(np.int64)
    full, draft, cut = (network.logits(seen, *weights).argmax(axis=1) for weights in (
        own, tuple(map(drafted, own)), tuple(map(truncated, own))))
    agreement = float((draft == full).mean())
    return {"agree": int((logits["draft"].argmax(axis=1) == logits["full"].argmax(axis=1)).sum()),
            "contexts": len(logits["full"]), "tested": len(seen), "agreement": agreement,
            "truncated": float((cut == full).mean()), "draft": float((draft == right).mean()),
            "full": float((full == right).mean()),
            "accepted": sum(agreement ** ahead for ahead in range(AHEAD + 1))}


def _leads(network: Network, seen: Array) -> tuple[list[float], list[float]]:
    """The lead of the full pass's choice, where the draft agrees and where it does not."""
    full = network.logits(seen, network.first.astype(np.int64), network.second.astype(np.int64))
    draft = network.logits(seen, drafted(network.first), drafted(network.second))
    ordered = np.sort(full, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    agrees = draft.argmax(axis=1) == full.argmax(axis=1)
    return lead[agrees].tolist(), lead[~agrees].tolist()


def tables(result: Result) -> list[Table | str]:
    """A line for each pass, and what was guessed."""
    passes, told = result["passes"], result["guesses"]
    drawn = titled(f"Two layers, {result['contexts']} contexts, nested int8 weights", "", "cycles",
                   "closed form", "issuing", "weights read", "bits of them", "bits a weight")
    for each in passes:
        drawn.add_row(each["pass"], grouped(each["cycles"]), grouped(each["formula"]),
                      grouped(each["issuing"]), grouped(each["weights"]),
                      grouped(each["weight_bits"]), f"{each['bits_a_weight']:.2f}")
    by_name = {each["pass"]: each for each in passes}
    faster = by_name["full"]["cycles"] / max(1, by_name["draft"]["cycles"])
    return [drawn, (
        f"The draft is {faster:.2f} times as fast as the full pass. It chooses the same symbol in "
        f"{told['agree']} of {told['contexts']} contexts on the RTL, and by the same arithmetic "
        f"in {told['agreement']:.1%} of {told['tested']}; truncated to 4 bits, the weights "
        f"would in {told['truncated']:.1%}. The next symbol is as guessed by the draft in "
        f"{told['draft']:.1%} and by the full pass in {told['full']:.1%}. With {AHEAD} symbols "
        f"drafted ahead, a full pass would give {told['accepted']:.2f} on average.")]


def main(arguments: Sequence[str] | None = None) -> int:
    options_of = parser(__doc__, "language and network")
    for name, default, about in (
            ("contexts", 16, "contexts whose next symbol is guessed on the RTL"),
            ("rows", 4, "rows of PEs"), ("cols", 4, "columns of PEs")):
        options_of.add_argument(f"--{name}", type=partial(count, least=1), default=default,
                                help=f"{about} (%(default)s)")
    options = options_of.parse_args(arguments)
    if options.contexts > TESTED // 2:
        options_of.error(f"--contexts must be at most {TESTED // 2}")

    def work(tell: Tell) -> Result:
        return demonstrate(tell, options.seed, options.contexts, (options.rows, options.cols),
                           options.sim, options.plot)

    return finish(options, work, tables)


if __name__ == "__main__":
    sys.exit(main())
