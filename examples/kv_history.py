"""A transformer that skips tokens by layer, its K/V rows through the KV history buffer.

Every layer of every pass, prompt and decode steps, goes through the RTL: compared cycle by cycle
with the cycle model, and every row and counter with the NumPy model.

Exit codes: 0 all correct, 1 something is not, 2 bad input or a missing tool.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kv_model import Shape
from kv_run import Case, generate, run
from rich.console import Console
from rich.table import Table

from pimlico.console import progress
from pimlico.generators.errors import ToolError
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.common.config import ConfigError

KEEPS = (0.9, 0.8, 0.738, 0.7, 0.6, 0.5)
PUBLISHED = 0.738
"""Keep rate at which 32 layers save about what SkipOPU reports."""

DEEP = 32
BEAT_ELEMS = 8
ICARUS_PROMPT = 24

Tell = Callable[[str, int, int], object]


def cases(keeps: Sequence[float], prompt: int, steps: int) -> list[Case]:
    """A run each keep rate; then a deep model, quantized rows, and the other simulator."""
    base = Case(PUBLISHED, prompt, steps)
    return [*(replace(base, keep=keep) for keep in keeps),
            replace(base, layers=DEEP, steps=min(steps, 2)),
            replace(base, quant="int8"),
            replace(base, prompt=min(prompt, ICARUS_PROMPT), steps=min(steps, 1),
                    simulator="icarus")]


def demonstrate(tell: Tell, seed: int, keeps: Sequence[float] = KEEPS, prompt: int = 80,
                steps: int = 6, plot: Path | None = None) -> dict[str, Any]:
    """Do it all.

    Returns
    -------
    dict
        ``correct``, ``seed``, ``runs`` (see `run`; those of `keeps` first), ``seconds``.
    """
    began = time.monotonic()
    if plot:
        _check_plot(plot)
    chosen = cases(keeps, prompt, steps)
    cores = {quant: _core(prompt + steps, quant)
             for quant in dict.fromkeys(case.quant for case in chosen)}
    designs: dict[str, Any] = {}
    for quant, core in cores.items():
        tell("writing Verilog", len(designs), len(cores))
        designs[quant] = emit(*core)
    tell("writing Verilog", len(designs), len(cores))
    runs, traces = [], {}
    for case in chosen:
        trace = traces[case] = generate(case, seed)
        runs.append(run(case, trace, cores[case.quant].config, designs[case.quant],
                        partial(_prefixed, tell, _line(vars(case)))))
    if plot:
        from kv_figure import draw
        case = min((case for case in traces if case.layers == Shape.layers),
                   key=lambda case: abs(case.keep - PUBLISHED))
        draw(plot, runs[:len(keeps)], case.keep, traces[case])
    return {"correct": all(each["correct"] for each in runs), "seed": seed, "runs": runs,
            "seconds": round(time.monotonic() - began, 1)}


def _check_plot(path: Path) -> None:
    """Refuse a plot that cannot be written, before the minute that it waits for."""
    if not find_spec("matplotlib"):
        raise ToolError("the plot needs matplotlib; pip install 'pimlico[figures]'")
    from matplotlib.figure import Figure
    if path.suffix[1:] not in Figure().canvas.get_supported_filetypes():
        raise ToolError(f"a plot cannot be written as {path.name}; name a file .png, .svg or .pdf")
    if not path.parent.is_dir():
        raise ToolError(f"there is no folder {path.parent} for the plot")


def _core(tokens: int, quant: str) -> Any:
    return load("kv-history", settings=[
        f"row_elems={Shape().row_elems}", f"beat_elems={BEAT_ELEMS}", f"tokens={tokens}",
        "append=true", f"quant={quant}"], name=f"kv_history_{quant}")


def _prefixed(tell: Tell, label: str, step: str, done: int, total: int) -> None:
    tell(f"{label}: {step}", done, total)


def title(case: dict[str, Any]) -> str:
    """What makes a case different from the others, a line each."""
    about = [f"{case['layers']} layers"] if case["layers"] != Shape.layers else []
    about += [case["quant"]] if case["quant"] != "none" else []
    about += ["Icarus"] if case["simulator"] == "icarus" else []
    return f"keep\n{case['keep']:.1%}" + "".join(f"\n{each}" for each in about)


def _line(case: dict[str, Any]) -> str:
    return title(case).replace("\n", " ")


def table(runs: Sequence[dict[str, Any]], title_text: str) -> Table:
    """A column for each run."""
    drawn = Table(title=title_text, title_justify="left", title_style="bold")
    drawn.add_column("", no_wrap=True)
    for each in runs:
        drawn.add_column(title(each), justify="right", no_wrap=True)

    def row(name: str, cell: Callable[[dict[str, Any]], str], end: bool = False) -> None:
        drawn.add_row(name, *map(cell, runs), end_section=end)

    checks = {True: "[green]yes[/green]", False: "[bold red]NO[/bold red]"}
    row("prompt + decoded tokens", lambda each: f"{each['prompt']} + {each['steps']}")
    row("layers × passes", lambda each: f"{each['layers']} × {each['passes'] // each['layers']}")
    row("token-layers executed", lambda each: f"{each['kept']:.1%}", end=True)
    row("off-chip storage saved", lambda each: f"{each['saved']:.1%}")
    row("off-chip bytes", lambda each: _grouped(each["offchip_bytes"]))
    row("of dense", lambda each: f"{each['traffic']:.3f}")
    row("rows streamed", lambda each: _grouped(each["fresh_rows"]))
    row("rows held", lambda each: _grouped(each["held_rows"]))
    row("irregular reads", lambda each: str(each["irregular_reads"]))
    row("gathers without buffer", lambda each: _grouped(each["gathers"]))
    row("held rows off by, LSB", lambda each: str(each["worst_error"]), end=True)
    row("cycles", lambda each: _grouped(each["cycles"]))
    row("by formula", lambda each: _grouped(each["formula"]))
    row("waits for quantizer", lambda each: _grouped(each["waits"]))
    row("busy", lambda each: f"{each['busy']:.1%}")
    row("as the cycle model", lambda each: checks[each["lockstep"]])
    row("equal to NumPy", lambda each: checks[each["exact"]])
    return drawn


def difference(deep: dict[str, Any]) -> str:
    """Where the storage saved by the deep model differs from the fraction not kept."""
    asked, first = 1 - deep["keep"], (1 - deep["keep"]) / deep["layers"]
    other = deep["saved"] - (asked - first)
    return (f"{deep['layers']} layers at keep {deep['keep']:.1%} save {deep['saved']:.2%} of the "
            f"storage: {asked:.2%} that the routers skip, less {first:.2%} as layer 0 executes "
            f"every token, {'more' if other >= 0 else 'less'} {abs(other):.2%} by rounding and "
            "by the decoded tokens, which a threshold routes. "
            f"Traffic is {deep['traffic']:.3f} of dense. SkipOPU reports up to 25.4% saved.")


def _grouped(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _keep(text: str) -> float:
    if not 0 < (keep := float(text)) <= 1:
        raise argparse.ArgumentTypeError(f"a keep rate is above 0 and at most 1, not {text}")
    return keep


def _count(text: str, least: int) -> int:
    if (number := int(text)) < least:
        raise argparse.ArgumentTypeError(f"at least {least} is needed, not {text}")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--seed", type=int, default=0, help="of weights and prompt")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a plot; the suffix "
                        "chooses the format")
    parser.add_argument("--keep", type=_keep, nargs="+", default=list(KEEPS), metavar="RATE",
                        help="keep rates to run")
    parser.add_argument("--prompt", type=partial(_count, least=1), default=80, metavar="TOKENS",
                        help="length of the prompt")
    parser.add_argument("--steps", type=partial(_count, least=0), default=6, metavar="TOKENS",
                        help="tokens to decode")
    options = parser.parse_args(arguments)
    try:
        with progress() as tell:
            result = demonstrate(tell, options.seed, options.keep, options.prompt, options.steps,
                                 options.plot)
    except (ConfigError, ToolError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(result, indent=2))
        return 0 if result["correct"] else 1
    console = Console(width=max(104, Console().width), highlight=False)
    swept = len(options.keep)
    console.print(table(result["runs"][:swept], "Token skipping on kv-history"))
    console.print(table(result["runs"][swept:], "A deep model, quantized rows, a second simulator"))
    console.print(difference(result["runs"][swept]), markup=False)
    for each in result["runs"]:
        if each["failure"]:
            console.print(f"{_line(each)}: {each['failure']}", markup=False)
    verdict = "all correct" if result["correct"] else "[bold red]NOT CORRECT[/bold red]"
    console.print(f"{verdict}, {result['seconds']:.0f} s")
    return 0 if result["correct"] else 1


if __name__ == "__main__":
    sys.exit(main())
