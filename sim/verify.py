"""Checks a block against its cycle model in simulators: ``pimlico verify``."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, get_args

from pimlico.generators.block import Block
from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import Emitted, emit
from pimlico.hdl.common.config import BlockConfig
from pimlico.verif.run import Pin, Run, object_name

from .runner import Simulator, Waves, build, simulate
from .tools import TOOLS

ICARUS_CYCLES = 5000
"""Most cycles that Icarus gets unless asked for it alone: the second opinion, ten times slower."""

Progress = Callable[[str, int, int], object]


def verify(block: Block, config: BlockConfig, *,
           simulators: Sequence[Simulator] = ("verilator", "icarus"), cycles: int = 20000,
           seed: int | None = None, waves: Path | None = None, name: str | None = None,
           stimulus: str | None = None, record: bool = False, design: Emitted | None = None,
           verbose: bool = False, progress: Progress | None = None) -> dict[str, Any]:
    """Run a block's RTL against its cycle model, every output compared on every cycle.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    simulators : sequence of str
        ``verilator``, ``icarus``, in the order to run.
    cycles : int
        Clock cycles. Icarus runs at most `ICARUS_CYCLES` of them when another simulator runs
        them all.
    seed : int, optional
        Repeats a run; drawn at random otherwise.
    waves : Path, optional
        Wave file to write; its suffix, ``.fst`` (taken where there is none) or ``.vcd``, chooses
        the format. With two simulators, each one's name goes before the suffix.
    name : str, optional
        Name of the emitted top, without ``pimlico_``.
    stimulus : str, optional
        ``module:object`` of a `Stimulus` to use instead of the block's own; the run ends when
        it ends.
    record : bool
        Return the payloads that left the block.
    design : Emitted, optional
        Verilog to check instead of the block's own, such as a netlist of it.
    verbose : bool
        Show the tools' own output on stderr.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    dict
        ``passed``, ``cycles`` and ``comparisons`` (of all simulators), ``seed``, ``mismatch`` (the
        first failure as text, or None), ``notes`` (list of str), and ``simulators``: by name a
        dict with ``passed``, ``cycles``, ``comparisons``, ``episodes``, ``cycles_per_second``,
        ``tests``, ``failure``, ``traffic`` (by stream: ``beats``, and the cycles of the ``first``
        and ``last``), and if asked for ``waves`` (path) and ``recorded`` (payloads by stream).

    Raises
    ------
    ToolError
        If a tool is missing or a build fails.
    """
    seed = secrets.randbits(32) if seed is None else seed
    report = progress or (lambda what, done, total: None)
    design = design or emit(block, config, name)
    results: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    for simulator in simulators:
        target = None
        if waves is not None:
            target = _wave_path(waves, simulator, len(simulators) > 1, notes)
        limit = min(cycles, ICARUS_CYCLES) if simulator == "icarus" and len(simulators) > 1 \
            else cycles
        report(f"{simulator}: building", 0, 1)
        built = build(simulator, design, waves=_wave_format(target), verbose=verbose)
        report(f"{simulator}: building", 1, 1)
        run = Run(config=object_name(type(config)), parameters=config.model_dump(mode="json"),
                  model=block.cycles, stimulus=stimulus or block.stimulus,
                  pins=[Pin(**asdict(port)) for port in design.ports], seed=seed, cycles=limit,
                  result="", record=record)
        outcome, tests = simulate(
            built, run, waves=target, verbose=verbose,
            progress=partial(_report_cycles, report, simulator, limit))
        report(f"{simulator}: running", outcome.cycles, outcome.cycles)
        results[simulator] = {
            "passed": outcome.passed, "cycles": outcome.cycles,
            "comparisons": outcome.comparisons, "episodes": outcome.episodes,
            "cycles_per_second": round(outcome.rate), "tests": tests,
            "failure": outcome.failure or None,
            "traffic": {stream: asdict(carried) for stream, carried in outcome.traffic.items()}}
        if target is not None:
            results[simulator]["waves"] = str(target)
        if record:
            results[simulator]["recorded"] = outcome.recorded
    failures = [f"{simulator}: {result['failure']}" for simulator, result in results.items()
                if not result["passed"]]
    return {
        "passed": bool(results) and not failures,
        "cycles": sum(result["cycles"] for result in results.values()),
        "comparisons": sum(result["comparisons"] for result in results.values()),
        "seed": seed,
        "mismatch": failures[0] if failures else None,
        "notes": notes,
        "simulators": results,
    }


def _report_cycles(report: Progress, simulator: str, limit: int, done: int) -> None:
    report(f"{simulator}: running", done, limit)


def _wave_format(path: Path | None) -> Waves | None:
    if path is None:
        return None
    for known in get_args(Waves):
        if path.suffix == f".{known}":
            return known
    raise ToolError(f"waves cannot be written as {path.suffix}; name a file .fst or .vcd")


def _wave_path(path: Path, simulator: Simulator, several: bool, notes: list[str]) -> Path:
    path = path.absolute()
    suffix = path.suffix or ".fst"
    if simulator == "verilator" and suffix == ".fst":
        headers = TOOLS["fst-headers"]
        if headers.path() is None:
            suffix = ".vcd"
            notes.append("verilator writes VCD: the headers for FST are missing; "
                         f"get them with: {headers.get}")
    stem = f"{path.stem}_{simulator}" if several else path.stem
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{stem}{suffix}")
