"""Proves a block's formal properties: ``pimlico prove``."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import Any

from amaranth.back import rtlil

from pimlico.generators.block import Block
from pimlico.generators.errors import ToolError
from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.properties import Harness, Property
from pimlico.hdl.common.ram import without_init

from .cache import cache_folder
from .sat import solve_step
from .smt import TOOLS, TOP, Verdict, solve, write_smt2
from .tools import require

PROCESSES = 2
"""Proofs that run at a time."""

Progress = Callable[[str, int, int], object]


def prove(block: Block, config: BlockConfig, *, only: Iterable[str] | None = None,
          timeout: float = 300, traces: Path | None = None, verbose: bool = False,
          progress: Progress | None = None) -> dict[str, Any]:
    """Prove the properties of a block.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    only : iterable of str, optional
        Names of the properties to prove; all of the block's by default.
    timeout : float
        Seconds for the solver's answer to a question, two a property.
    traces : Path, optional
        Folder for the waves of counterexamples; by default one in the cache.
    verbose : bool
        Show the tools' own output on stderr.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    dict
        ``passed`` (every property is proved), and ``properties``: by name a dict with
        ``status`` (``proved``, ``failed``, ``unknown``), ``mode`` (``induction``: at all times;
        ``bounded``: for the first ``depth`` cycles), ``depth`` (cycles), ``seconds``, ``shows``
        (the property as a sentence), ``config`` (parameters it was proved with that are not
        the configuration's own), and ``counterexample`` (text, or None) and ``trace`` (path of
        its waves, or None).

    Raises
    ------
    ToolError
        If a tool is missing or fails, if the block has no properties, or none of a name in
        `only`.
    """
    if block.properties is None:
        raise ToolError(f"{block.name} has no formal properties")
    for tool in TOOLS:
        require(tool)
    properties: list[Property] = block.load("properties")(config)
    if only is not None:
        wanted = set(only)
        unknown = sorted(wanted - {each.name for each in properties})
        if unknown:
            raise ToolError(f"{block.name} has no property {unknown[0]}; it has "
                            f"{', '.join(each.name for each in properties)}")
        properties = [each for each in properties if each.name in wanted]
    report = progress or (lambda what, done, total: None)
    component = block.load("component")
    folder = traces or cache_folder() / "counterexamples"
    results: dict[str, dict[str, Any]] = {}
    stop = Event()
    report("proving", 0, len(properties))
    with ThreadPoolExecutor(PROCESSES) as pool:
        running = {pool.submit(_prove, block, component, each, config, timeout, folder,
                               stop, verbose): each for each in properties}
        try:
            for done in as_completed(running):
                results[running[done].name] = done.result()
                report("proving", len(results), len(properties))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return {
        "passed": bool(results) and all(each["status"] == "proved" for each in results.values()),
        "properties": {each.name: results[each.name] for each in properties},
    }


def _prove(block: Block, component: Any, statement: Property, config: BlockConfig, timeout: float,
           traces: Path, stop: Event, verbose: bool) -> dict[str, Any]:
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pimlico-") as name:
        work = Path(name)
        design = _convert(component, statement)
        smt2 = write_smt2(design, work, verbose=verbose)
        step = Verdict(True)
        depth = statement.depth
        if statement.induction:
            step = solve_step(design, work, depth, timeout=timeout, stop=stop, verbose=verbose) \
                if statement.gates else solve(smt2, depth, induction=True, timeout=timeout,
                                              stop=stop, verbose=verbose)
            # Where the step holds, the cycles that it begins with are all that is left to check
            depth = max(1, step.window) if step.holds else depth
        wave = work / "trace.vcd"
        base = solve(smt2, depth, induction=False, timeout=timeout, trace=wave, stop=stop,
                     verbose=verbose)
        trace = _keep(wave, traces, f"{block.name}-{statement.name}.vcd") \
            if base.holds is False else None
    given = config.model_dump(mode="json")
    return {
        "status": _status(base, step),
        "mode": "induction" if statement.induction else "bounded",
        "depth": depth,
        "seconds": round(time.monotonic() - start, 1),
        "shows": statement.shows,
        "config": {key: value for key, value in statement.config.model_dump(mode="json").items()
                   if value != given.get(key)},
        "counterexample": _describe(base, step, timeout),
        "trace": trace and str(trace),
    }


def _convert(component: Any, statement: Property) -> str:
    harness = Harness(component, statement.config,
                      {path: make() for path, make in statement.inputs.items()})
    statement.build(harness)
    return without_init(rtlil.convert(harness.m, name=TOP, ports=[], emit_src=False))


def _status(base: Verdict, step: Verdict) -> str:
    if base.holds is False:
        return "failed"
    return "proved" if base.holds and step.holds else "unknown"


def _describe(base: Verdict, step: Verdict, timeout: float) -> str | None:
    if base.holds is False:
        return f"broken in cycle {base.window} after power-up: {'; '.join(base.broken)}"
    if base.holds is None or step.holds is None:
        return f"no answer from the solver in {timeout:g} s"
    if step.holds is False:
        return f"no induction step: {'; '.join(step.broken)}"
    return None


def _keep(wave: Path, folder: Path, name: str) -> Path | None:
    if not wave.exists():
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(wave, folder / name))
    except OSError as error:
        raise ToolError(f"cannot write the counterexample to {folder}: {error.strerror}") from None
