"""Private token embeddings: rows of a table looked up in memory that somebody else watches.

A table of int8 rows is loaded into the OMAP controller, and the tokens of two very different
texts are looked up in it, all through the RTL beside a host memory. Every row is compared with
the table; then the addresses that the host saw of either text are compared with each other, and
with those that a plain table behind a small cache gives away.

What stays visible is how many lookups there are. Exit codes: 0 every row is right, 1 one is not,
2 bad input or a missing tool.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from omap_observer import Seen, busiest, chi_square, direct_mapped, kolmogorov_smirnov
from omap_text import repetitive, row, tokens, varied
from rich.console import Console
from rich.table import Table

from pimlico.console import progress
from pimlico.generators.errors import ToolError
from pimlico.generators.load import load
from pimlico.generators.verilog import emit
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.omap.config import GET, OK, PUT, STATUS, OmapConfig
from pimlico.sim.omap_trace import Commands, Trace, run_trace

ROWS = 4096
ELEMENTS = 64
LINES = 16
PLAIN, OBLIVIOUS = f"plain table, cache of {LINES} rows", "omap-controller"

Tell = Callable[[str, int, int], object]


def demonstrate(tell: Tell, seed: int, rows: int = ROWS, lookups: int = 16384,
                plot: Path | None = None) -> dict[str, Any]:
    """Do it all.

    Returns
    -------
    dict
        ``correct``, ``failure`` (the first wrong row as text, or None), ``seed``, ``texts``
        (their beginnings by name), ``rtl`` (see `_counted`), ``host`` (see `_compared`),
        ``read_off`` (what the plain table's addresses say of text B), ``seconds``.
    """
    began = time.monotonic()
    if plot:
        _check_plot(plot)
    settings = [f"log2_pages={max(3, rows.bit_length() - 2)}", f"capacity={rows}"]
    block, config, _ = load("omap-controller", preset="embedding", settings=settings)
    assert isinstance(config, OmapConfig)
    rng = np.random.default_rng(seed)
    table = rng.integers(-128, 128, (rows, ELEMENTS), np.int8)
    texts = {"A": tokens(repetitive(), lookups), "B": tokens(varied(rng), lookups)}
    looked_up = {name: np.array([row(token, rows) for token in text])
                 for name, text in texts.items()}

    tell("writing Verilog", 0, 1)
    design = emit(block, config)
    tell("writing Verilog", 1, 1)
    keys = np.concatenate([np.arange(rows), *looked_up.values()])
    commands = Commands(np.where(np.arange(len(keys)) < rows, PUT, GET).astype(np.uint8), keys,
                        table[keys].view(np.uint8))
    commands.value[rows:] = 0
    trace = run_trace(design, config, commands, seed=seed, progress=tell)

    right = _right(trace, table[keys], rows)
    seen = {PLAIN: {name: direct_mapped(numbers, rows, LINES)
                    for name, numbers in looked_up.items()},
            OBLIVIOUS: _seen(config, trace, rows, lookups)}
    excerpts = {name: _text(text[:9]) for name, text in texts.items()}
    # where tokens share a row, the commonest is what one reads
    common = Counter(token for text in texts.values() for token in text).most_common()
    known = {row(token, rows): token for token, _ in reversed(common)}
    if plot:
        from omap_figure import draw
        draw(plot, seen, excerpts, {PLAIN: known})
    return {"correct": bool(right.all()), "failure": _failure(trace, table[keys], right, rows),
            "seed": seed, "texts": excerpts, "rtl": _counted(config, trace, right),
            "host": {memory: _compared(each) for memory, each in seen.items()},
            "read_off": _text(known[at] for at in seen[PLAIN]["B"].address[:14].tolist()),
            "seconds": round(time.monotonic() - began, 1)}


def _check_plot(path: Path) -> None:
    """Refuse a plot that cannot be written, before the time that it waits for."""
    if not find_spec("matplotlib"):
        raise ToolError("the plot needs matplotlib; pip install 'pimlico[figures]'")
    from matplotlib.figure import Figure
    if path.suffix[1:] not in Figure().canvas.get_supported_filetypes():
        raise ToolError(f"a plot cannot be written as {path.name}; name a file .png, .svg or .pdf")
    if not path.parent.is_dir():
        raise ToolError(f"there is no folder {path.parent} for the plot")


def _text(words: Iterable[str]) -> str:
    return " ".join(words).replace(" ,", ",").replace(" .", ".").replace(" ;", ";")


def _right(trace: Trace, expected: np.ndarray, loaded: int) -> np.ndarray:
    """Whether each response has the row that it should have; the first `loaded` are puts."""
    found = np.arange(len(expected)) >= loaded
    return ((trace.responses[:, 1] == OK) & (trace.responses[:, 2] == found)
            & (trace.octets.view(np.int8) == expected).all(axis=1))


def _failure(trace: Trace, expected: np.ndarray, right: np.ndarray, loaded: int) -> str | None:
    if right.all():
        return None
    at = int(np.argmin(right))
    what = f"load of row {at}" if at < loaded else f"lookup {at - loaded}"
    _, status, found = trace.responses[at].tolist()
    if status != OK or found != (at >= loaded):
        return f"{what}: status {status} ({STATUS[status]}), found {found}"
    values = trace.octets[at].view(np.int8)
    element = int(np.argmax(values != expected[at]))
    return f"{what}: element {element} is {values[element]} instead of {expected[at][element]}"


def _counted(config: OmapConfig, trace: Trace, right: np.ndarray) -> dict[str, Any]:
    """Figures of the RTL beside those of the configuration."""
    operations = len(right)
    took = np.diff(trace.responses[:, 0])
    return {"rows": config.capacity, "operations": operations,
            "lookups": operations - config.capacity,
            "wrong": int((~right).sum()), "cycles": trace.cycles,
            "cycles_per_operation": float(took.mean()),
            "shortest": int(took.min()), "longest": int(took.max()), "interval": config.interval,
            "host_bytes_per_operation":
                len(trace.requests) * config.beats * config.beat_width / 8 / operations,
            "host_bytes": config.host_bytes, "peak_pending": trace.peak_pending,
            "pending_bound": config.pending_bound}


def _seen(config: OmapConfig, trace: Trace, loaded: int, lookups: int) -> dict[str, Seen]:
    """The pages read for each text, by the lookup that they were read for."""
    pages = trace.requests[trace.requests[:, 2] == 0, 1]
    when = np.arange(lookups).repeat(2)
    return {name: Seen(when, pages[2 * start:][:2 * lookups], config.pages, parts=2)
            for name, start in (("A", loaded), ("B", loaded + lookups))}


def _compared(texts: dict[str, Seen]) -> dict[str, Any]:
    """Statistics of what the host sees of each text, and of both.

    Returns
    -------
    dict
        By text ``reads``, ``addresses`` (that were read), ``of`` (that there are), ``busiest``
        (share of the reads), ``chi_square`` (over its degrees of freedom) and its ``p``; and of
        both ``ks`` and ``ks_p``.
    """
    told: dict[str, Any] = {}
    for name, seen in texts.items():
        ratio, p = chi_square(seen)
        told[name] = {"reads": len(seen.address), "addresses": int((seen.counts() > 0).sum()),
                      "of": seen.size, "busiest": busiest(seen), "chi_square": ratio, "p": p}
    told["ks"], told["ks_p"] = kolmogorov_smirnov(*texts.values())
    return told


def rtl_table(rtl: dict[str, Any]) -> Table:
    """Figures of the RTL, each with what it should be."""
    drawn = Table(title="The controller's RTL", title_justify="left", title_style="bold")
    for column in ("", "measured", "by the configuration"):
        drawn.add_column(column, justify="right" if column else "left", no_wrap=True)
    operations = rtl["operations"]
    wrong = f"[bold red]{_grouped(rtl['wrong'])} WRONG[/bold red]"
    drawn.add_row("operations", _grouped(operations),
                  f"{_grouped(rtl['rows'])} loads + {_grouped(rtl['lookups'])} lookups")
    drawn.add_row("rows right", wrong if rtl["wrong"] else _grouped(operations),
                  _grouped(operations))
    drawn.add_row("cycles an operation", f"{rtl['cycles_per_operation']:.2f}",
                  str(rtl["interval"]))
    drawn.add_row("shortest, longest", f"{rtl['shortest']}, {rtl['longest']}", "equal")
    drawn.add_row("host bytes an operation", f"{rtl['host_bytes_per_operation']:.0f}",
                  str(rtl["host_bytes"]))
    drawn.add_row("most items pending", str(rtl["peak_pending"]),
                  f"at most {rtl['pending_bound']}")
    return drawn


def host_table(host: dict[str, dict[str, Any]]) -> Table:
    """A column for each text in each memory."""
    drawn = Table(title="What the host sees", title_justify="left", title_style="bold")
    drawn.add_column("", no_wrap=True)
    for memory in host:
        for text in "AB":
            drawn.add_column(f"{memory}\ntext {text}", justify="right")

    def line(name: str, cell: Callable[[dict[str, Any]], str]) -> None:
        drawn.add_row(name, *(cell(told[text]) for told in host.values() for text in "AB"))

    line("reads", lambda told: _grouped(told["reads"]))
    line("addresses read", lambda told: f"{told['addresses']} of {told['of']}")
    line("reads of the busiest", lambda told: f"{told['busiest']:.2%}")
    line("χ² / degrees of freedom", lambda told: _short(told["chi_square"]))
    line("  p, if uniform", lambda told: _chance(told["p"]))
    drawn.add_section()
    for name, cell in (("KS distance, A to B", lambda told: f"{told['ks']:.4f}"),
                       ("  p, if they are alike", lambda told: _chance(told["ks_p"]))):
        drawn.add_row(name, *(shown for told in host.values() for shown in ("", cell(told))))
    return drawn


def _short(value: float) -> str:
    return _grouped(round(value)) if value >= 100 else f"{value:.3f}"


def _chance(p: float) -> str:
    return f"{p:.2f}" if p >= 0.005 else "< 1e-99" if p < 1e-99 else f"{p:.0e}"


def _grouped(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _rows(text: str) -> int:
    number = int(text)
    if number < 16 or number > 65536 or number & (number - 1):
        raise argparse.ArgumentTypeError(f"rows are a power of two, 16 to 65536, not {text}")
    return number


def _lookups(text: str) -> int:
    if (number := int(text)) < 100:
        raise argparse.ArgumentTypeError(f"at least 100 are needed, not {text}")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: python examples/omap_embedding.py --seed 7 --plot embedding.png")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--seed", type=int, default=0, help="of table, text B and trace")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a plot; the suffix "
                        "chooses the format")
    parser.add_argument("--rows", type=_rows, default=ROWS, help="rows of the table, a power of "
                        "two (%(default)s)")
    parser.add_argument("--lookups", type=_lookups, default=16384, metavar="TOKENS",
                        help="tokens of each text to look up (%(default)s)")
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error("--seed must not be negative")
    try:
        with progress() as tell:
            result = demonstrate(tell, options.seed, options.rows, options.lookups, options.plot)
    except (ConfigError, ToolError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(result, indent=2))
        return 0 if result["correct"] else 1
    console = Console(width=max(104, Console().width), highlight=False)
    for name, excerpt in result["texts"].items():
        console.print(f"text {name}: {excerpt} …", markup=False)
    console.print(rtl_table(result["rtl"]))
    console.print(host_table(result["host"]))
    console.print("The plain table's misses, read as words, begin text B with: "
                  f"{result['read_off']} …", markup=False)
    if result["failure"]:
        console.print(result["failure"], markup=False)
    verdict = "every row right" if result["correct"] else "[bold red]NOT CORRECT[/bold red]"
    console.print(f"{verdict}, {result['seconds']:.0f} s")
    return 0 if result["correct"] else 1


if __name__ == "__main__":
    sys.exit(main())
