"""How many small faults of a block its bench finds: ``pimlico mutate``."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pimlico.generators.block import Block
from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import Emitted, emit
from pimlico.hdl.common.config import BlockConfig

from .coverage import measure
from .equivalence import equivalent
from .mutants import SELECT, Mutant, mutate
from .recorder import record
from .replay import Player, build_player, pins_of
from .verify import Progress


def score(block: Block, config: BlockConfig, *, name: str | None = None, count: int = 200,
          cycles: int = 50_000, seed: int | None = None,
          progress: Progress | None = None) -> dict[str, Any]:
    """Play the block's stimulus to mutants of its Verilog, and count those that are found.

    All mutants are in one netlist, each behind a value of one input. A mutant is killed by the
    first output that differs from the cycle model's, as the bench compares it.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    name : str, optional
        Name of the emitted top, without ``pimlico_``.
    count : int
        Mutants to make; fewer where the design has not so many.
    cycles : int
        Clock cycles of stimulus.
    seed : int, optional
        Chooses the mutants and the stimulus; drawn at random otherwise.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    dict
        ``killed``, ``total`` (without ``equivalent``, the number that SAT shows to be no
        mutants), ``score`` (percent), ``survivors`` (list of dict with ``number``, ``change``,
        ``signal``, ``line`` and ``text`` of the emitted Verilog), ``cycles``, ``seed``,
        ``last_kill`` (cycle of the last mutant found) and ``coverage`` (percent of ``line`` and
        ``toggle`` points of the Verilog reached by the same stimulus).

    Raises
    ------
    ToolError
        If a tool is missing or fails, or the block does not agree with its model as it is.
    """
    seed = secrets.randbits(32) if seed is None else seed
    report = progress or (lambda what, done, total: None)
    design = emit(block, config, name)
    with tempfile.TemporaryDirectory(prefix="pimlico-") as work:
        folder = Path(work)
        report("mutants: making", 0, 1)
        mutated, mutants = mutate(design, count, seed, folder)
        report("mutants: making", 1, 1)
        alive, last, ran = _play(block, config, mutated, mutants, cycles, seed, report)
        what, left = "survivors: comparing by SAT", len(alive)
        same = equivalent(design, alive, folder, lambda done: report(what, done, left))
        report(what, left, left)
    lines = design.text.splitlines()
    survivors = [{**asdict(mutant), "text": lines[mutant.line - 1].strip() if mutant.line else ""}
                 for mutant in alive if mutant.number not in same]
    for survivor in survivors:
        del survivor["command"]
    total = len(mutants) - len(same)
    killed = total - len(survivors)
    return {"killed": killed, "total": total, "equivalent": len(same),
            "score": round(100 * killed / total, 2) if total else None, "survivors": survivors,
            "cycles": ran, "seed": seed, "last_kill": last,
            "coverage": measure(block, config, design, cycles, seed, report)}


def _play(block: Block, config: BlockConfig, mutated: Emitted, mutants: list[Mutant], cycles: int,
          seed: int, report: Progress) -> tuple[list[Mutant], int, int]:
    """Those that live, the cycle of the last kill, and the cycles run."""
    library = build_player(mutated, config.ports, report, mutants=SELECT)
    pins = [pin for pin in pins_of(mutated) if pin.name != SELECT]
    stimulus = block.load("stimulus")(config, np.random.default_rng(seed))
    chunks, outcome = record(block, config, stimulus, pins, seed, cycles, report)
    alive, last = list(mutants), 0
    with ExitStack() as stack:
        def player(number: int) -> Player:
            return stack.enter_context(Player(library, config.ports, pins, mutant=number))

        sound = player(0)
        players = {mutant.number: player(mutant.number) for mutant in mutants}
        for chunk in chunks:
            cycle = sound.play(chunk)
            if cycle is not None:
                raise ToolError("the block as it is does not agree with its model:\n"
                                + sound.explain(chunk, cycle))
            found = {number: players[number].play(chunk)
                     for number in (mutant.number for mutant in alive)}
            kills = [cycle for cycle in found.values() if cycle is not None]
            if kills:
                last = chunk.cycles[max(kills)][0]
            alive = [mutant for mutant in alive if found[mutant.number] is None]
            report("mutants: playing", outcome.cycles, cycles)
    report("mutants: playing", cycles, cycles)
    return alive, last, outcome.cycles
