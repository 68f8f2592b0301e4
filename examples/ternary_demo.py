"""Two layers of BitNet b1.58 2B4T, from a GGUF file through the RTL to an ECP5.

One is stored as TQ1_0, the other as TQ2_0, and each gets a core that reads its format. Every
run is compared cycle by cycle with the cycle model, and its results with plain NumPy.

Exit codes: 0 all correct, 1 something is not, 2 a tool is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from ternary_layer import Layer, make_model, prepare, run

from pimlico.constraints.synth import synthesise
from pimlico.generators.errors import ToolError
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.sim.runner import Simulator

LAYERS = (Layer("blk.0.attn_output.weight", "TQ1_0", n=2560, m=2560),
          Layer("blk.0.ffn_down.weight", "TQ2_0", n=6912, m=2560))
CORES = {"TQ1_0": ("weight_format=tq1_0", "luts=20"), "TQ2_0": ()}
PRESET = "bitnet-2b4t"
ICARUS_CYCLES = 6000
SIMULATORS: tuple[Simulator, ...] = ("verilator", "icarus")


class Steps:
    """Says what is being done: bars on a terminal, else a line for each step begun."""

    def __init__(self, console: Console, bars: Progress):
        self._console, self._bars = console, bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: str, done: int = 0, total: int | None = None) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
            if not self._console.is_terminal:
                self._console.print(step, highlight=False)
        self._bars.update(self._tasks[step], completed=done, total=total)


@contextmanager
def steps() -> Iterator[Steps]:
    console = Console(stderr=True)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
                  TimeElapsedColumn(), console=console, transient=True,
                  disable=not console.is_terminal) as bars:
        yield Steps(console, bars)


def demonstrate(tell: Steps, seed: int) -> dict[str, Any]:
    """Do it all.

    Returns
    -------
    dict
        ``correct``, ``seed``, ``runs`` (see `run`), ``ecp5`` (by format, what `synthesise`
        returns, and ``layer_ms``, the time of the whole layer at Fmax), ``seconds``.
    """
    began = time.monotonic()
    rng = np.random.default_rng(seed)
    cores = {layer.kind: load("ternary-gemm", preset=PRESET, settings=CORES[layer.kind],
                              name=f"ternary_{layer.kind.lower()}") for layer in LAYERS}
    tell("writing Verilog", 0, 1)
    designs = {kind: emit(*core) for kind, core in cores.items()}
    tell("writing Verilog", 1, 1)
    with tempfile.TemporaryDirectory(prefix="pimlico-demo-") as name, \
            ThreadPoolExecutor(1) as beside:
        areas = {kind: beside.submit(_place, f"ECP5, {kind}", design.text, design.top, tell)
                 for kind, design in designs.items()}
        try:
            runs = _run_layers(Path(name), cores, designs, rng, tell)
            figures = {layer.kind.lower(): _figures(areas[layer.kind], layer,
                                                    cores[layer.kind].config) for layer in LAYERS}
        finally:
            beside.shutdown(cancel_futures=True)
    return {"correct": all(each["correct"] for each in runs), "seed": seed, "runs": runs,
            "ecp5": figures, "seconds": round(time.monotonic() - began, 1)}


def _run_layers(folder: Path, cores: Any, designs: Any, rng: np.random.Generator,
                tell: Steps) -> list[dict[str, Any]]:
    model = folder / "model.gguf"
    tell("quantizing the layers, writing GGUF", 0, 1)
    trits = make_model(model, LAYERS, rng)
    tell("quantizing the layers, writing GGUF", 1, 1)
    runs = []
    for layer in LAYERS:
        config = cores[layer.kind].config
        tell(f"{layer.label}: packing", 0, 1)
        job = prepare(model, layer, config, trits[layer.tensor], rng, folder / layer.label)
        tell(f"{layer.label}: packing", 1, 1)
        for simulator in SIMULATORS:
            rows = layer.m
            if simulator == "icarus":
                rows = min(rows, config.keys * (ICARUS_CYCLES // config.tile_beats(layer.n)))
            runs.append(run(job, simulator, designs[layer.kind], rows,
                            partial(_prefixed, tell, layer.label)))
    return runs


def _prefixed(tell: Steps, label: str, step: str, done: int, total: int) -> None:
    tell(f"{label}: {step}", done, total)


def _place(label: str, verilog: str, top: str, tell: Steps) -> dict[str, Any]:
    step = f"{label}: synthesis, place and route"
    tell(step)
    result = synthesise(verilog, top, "ecp5", pnr=True)
    tell(step, 1, 1)
    return result


def _figures(area: Future[dict[str, Any]], layer: Layer, config: TernaryConfig) -> dict[str, Any]:
    result = area.result()
    cycles = config.job_beats(layer.n, layer.m) + config.latency
    return result | {"layer_ms": round(cycles / result["fmax_mhz"] / 1000, 3)}


def table(result: dict[str, Any]) -> Table:
    """A column for each run."""
    drawn = Table(title=f"Layers of BitNet b1.58 2B4T on ternary-gemm, preset {PRESET}",
                  title_justify="left", title_style="bold")
    drawn.add_column("")
    runs = result["runs"]
    for each in runs:
        drawn.add_column(f"{each['layer']}\n{each['simulator']}", justify="right")
    checks = {True: "[green]yes[/green]", False: "[bold red]NO[/bold red]"}

    def row(title: str, cells: Sequence[str], end: bool = False) -> None:
        drawn.add_row(title, *cells, end_section=end)

    row("GGUF type", [each["format"].upper() for each in runs])
    row("N → M", [f"{each['n']} → {each['m']}" for each in runs])
    row("rows run", ["all" if each["rows"] == each["m"] else f"first {each['rows']}"
                     for each in runs], end=True)
    row("as the cycle model", [checks[each["lockstep"]] for each in runs])
    row("equal to NumPy", [checks[each["exact"]] for each in runs])
    row("cycles", [_grouped(each["cycles"]) for each in runs])
    row("beats + latency", [_grouped(each["formula"]) for each in runs])
    row("busy", [f"{each['busy']:.3%}" for each in runs])
    row("simulated cycles/s", [_grouped(each["cycles_per_second"]) for each in runs], end=True)
    for title, key in (("ECP5 LUT", "lut"), ("ECP5 FF", "ff"), ("ECP5 DSP", "dsp"),
                       ("ECP5 block RAM", "bram"), ("ECP5 Fmax, MHz", "fmax_mhz"),
                       ("layer at Fmax, ms", "layer_ms")):
        row(title, [_grouped(result["ecp5"][each["format"]][key]) for each in runs])
    return drawn


def _grouped(value: float) -> str:
    return f"{value:,}".replace(",", " ")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--seed", type=int, default=0, help="of weights and activations")
    options = parser.parse_args(arguments)
    try:
        with steps() as tell:
            result = demonstrate(tell, options.seed)
    except (ConfigError, ToolError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        console = Console(width=max(80, Console().width), highlight=False)
        console.print(table(result))
        for each in result["runs"]:
            if each["failure"]:
                console.print(f"{each['layer']}, {each['simulator']}: {each['failure']}",
                              markup=False)
        verdict = "all correct" if result["correct"] else "[bold red]NOT CORRECT[/bold red]"
        console.print(f"{verdict}, {result['seconds']:.0f} s")
    return 0 if result["correct"] else 1


if __name__ == "__main__":
    sys.exit(main())
