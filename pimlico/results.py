"""The results of commands, printed for people. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from .console import figure, out, table

_STATUS = {"proved": "[green]proved[/green]", "failed": "[bold red]FAILED[/bold red]",
           "unknown": "[yellow]unknown[/yellow]"}
_FIGURES = {
    "transistors": "transistors", "logic_transistors": "of them logic",
    "ff_bits": "flip-flops", "memory_bits": "memory bits", "depth": "depth, gates",
    "variant": "synth variant", "lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "block RAM",
    "lutram": "LUT as RAM", "large_ram": "large RAM", "macs": "MAC a cycle",
    "device": "device", "fmax_mhz": "Fmax, MHz",
    "fmax_seeds": "Fmax by seed"}
_MARK = {True: "[green]pass[/green]", False: "[bold red]FAIL[/bold red]"}


def show(told: Mapping[str, Any], values: Mapping[str, Any], chosen: bool,
         presets: Mapping[str, str]) -> None:
    """Print what ``pimlico show`` tells of a block."""
    console = out()
    console.print(f"[bold]{told['block']}[/bold]  {escape(told['summary'])}\n")
    fields = told["parameters"]["properties"]
    table("Parameters", ("parameter", "legal", "value" if chosen else "default", "meaning"),
          [(name, _legal(field), escape(figure(values[name])),
            escape(field.get("description", ""))) for name, field in fields.items()])
    if presets:
        table("Presets", ("preset", "for"),
              [(name, escape(summary)) for name, summary in presets.items()])
    rows: list[tuple[str, str, str, str]] = []
    for port in told["ports"]:
        if port["kind"] == "wire":
            rows.append((port["name"], port["direction"], str(port["width"]), escape(port["doc"])))
            continue
        rows.append((f"[bold]{port['name']}[/bold]", port["direction"], str(port["width"]),
                     escape(port["doc"])))
        rows += [(f"  .{field['name']}", "", _lanes(field), escape(field["doc"]))
                 for field in port["fields"]]
    table("Ports (streams in bold)", ("port", "direction", "bits", "meaning"), rows)
    console.print(f"latency {told['latency']} cycles, a beat every {told['interval']}"
                  if told["interval"] > 1 else
                  f"latency {told['latency']} cycles, a beat a cycle")
    for name, fact in told["facts"].items():
        console.print(f"{name}: {fact}")


def alternatives(columns: Mapping[str, str], entries: Sequence[Mapping[str, Any]],
                 reason: str) -> None:
    """Print the alternatives that a block's cost model knows, the chosen one marked."""
    drawn = Table(title="Estimated cost of alternatives", title_justify="left",
                  title_style="bold", header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
                  pad_edge=False)
    for key, heading in {"mark": "", **columns}.items():
        numeric = all(isinstance(entry.get(key), (int, float)) for entry in entries)
        drawn.add_column(heading, justify="right" if numeric else "left", no_wrap=True)
    for entry in entries:
        drawn.add_row("*" if entry["chosen"] else "", *(_short(entry[key]) for key in columns),
                      style="bold" if entry["chosen"] else "")
    out().print(drawn)
    out().print(f"* {reason}", markup=False)


def generated(result: Mapping[str, Any]) -> None:
    """Print what ``pimlico generate`` wrote."""
    manifest = Path(result["manifest"])
    table(f"Wrote {len(result['files'])} files to {manifest.parent}", ("file", "bytes"),
          [(escape(Path(path).name), Path(path).stat().st_size) for path in result["files"]])


def verified(result: Mapping[str, Any]) -> None:
    """Print how ``pimlico verify`` went, mismatch included."""
    what = f" of the netlist for {result['netlist']}" if "netlist" in result else ""
    table(f"Lockstep{what} against the cycle model, seed {result['seed']}",
          ("simulator", "result", "cycles", "comparisons", "cycles/s"),
          [(name, _MARK[run["passed"]], run["cycles"], run["comparisons"],
            run["cycles_per_second"]) for name, run in result["simulators"].items()])
    console = out()
    for name, run in result["simulators"].items():
        if run.get("waves"):
            console.print(f"waves of {name}: {run['waves']}", markup=False)
    if "netlist" in result:
        cells = ", ".join(f"{count} {name}" for name, count in result["cells"].items())
        console.print(f"cells: {cells}", markup=False, soft_wrap=True)
        for kept in result["behavioural"]:
            console.print(f"behavioural: {kept}", markup=False, soft_wrap=True)
    for note in result.get("notes", ()):
        console.print(f"note: {note}", markup=False)
    if result.get("mismatch"):
        console.print(result["mismatch"], markup=False, soft_wrap=True)


def synthesised(result: Mapping[str, Any]) -> None:
    """Print the figures of ``pimlico synth`` that the target has."""
    rows = [(label, result[key]) for key, label in _FIGURES.items()
            if result.get(key) is not None]
    if result.get("per_mac"):
        unit = "transistors" if result["target"] == "cmos" else "LUT"
        rows.append((f"{unit} a MAC a cycle", result["per_mac"]))
    table(f"Synthesis for {result['target']}", ("figure", "value"), rows)
    console = out()
    if result.get("uncounted"):
        cells = ", ".join(f"{count} {name}" for name, count in result["uncounted"].items())
        console.print(f"not in these figures: {cells}", markup=False)
    for note in result.get("notes", ()):
        console.print(f"note: {note}", markup=False)
    if result.get("timing_met") is False:
        console.print("[bold red]timing missed[/bold red]")


def built(result: Mapping[str, Any]) -> None:
    """Print what ``pimlico build`` made, or by how much the clock was missed."""
    rows: list[tuple[str, object]] = [
        ("device", result["device"]), ("core clock, MHz", result["clock_mhz"]),
        ("Fmax, MHz", result["fmax_mhz"]), ("UART, baud", result["baud"]),
        ("its error", f"{result['baud_error']:.2%}")]
    rows += [(what, f"{figure(each['used'])} of {figure(each['available'])}")
             for what, each in result["utilisation"].items()]
    table(f"{result['block']} on {result['board']}", ("figure", "value"), rows)
    console = out()
    for note in result["notes"]:
        console.print(f"note: {note}", markup=False)
    if not result["timing_met"]:
        console.print("[bold red]timing missed[/bold red], nothing written: a slower clock "
                      "(--divide) or another placement (--seed) may do")
        return
    for path in result["files"]:
        console.print(path, markup=False, soft_wrap=True)
    console.print(f"load it with: {result['load']}", markup=False, soft_wrap=True)


def proved(result: Mapping[str, Any]) -> None:
    """Print how each property of ``pimlico prove`` fared, counterexamples included."""
    table("Properties", ("property", "status", "holds for", "seconds", "what it says"),
          [(name, _STATUS[entry["status"]],
            "all time" if entry["mode"] == "induction" else f"{entry['depth']} cycles",
            entry["seconds"], escape(entry["shows"]))
           for name, entry in result["properties"].items()])
    console = out()
    for name, entry in result["properties"].items():
        if entry["config"]:
            told = ", ".join(f"{key} = {value}" for key, value in entry["config"].items())
            console.print(f"{name}: proved with {told}", markup=False, soft_wrap=True)
        if entry.get("counterexample"):
            console.print(f"{name}: {entry['counterexample']}", markup=False, soft_wrap=True)
        if entry.get("trace"):
            console.print(f"{name}: waves in {entry['trace']}", markup=False, soft_wrap=True)


def mutated(result: Mapping[str, Any]) -> None:
    """Print the score of ``pimlico mutate``, and the mutants that survived."""
    coverage = result["coverage"]
    table(f"Mutants under {figure(result['cycles'])} cycles of stimulus, seed {result['seed']}",
          ("figure", "value"),
          [("killed", f"{result['killed']} of {result['total']}"),
           ("score", f"{figure(result['score'])} %"),
           ("shown to be equivalent", result["equivalent"]),
           ("last kill in cycle", result["last_kill"]),
           *((f"{kind} coverage", f"{percent} %") for kind, percent in coverage.items())])
    if result["survivors"]:
        table("Survivors", ("mutant", "change", "signal", "line", "Verilog"),
              [(each["number"], each["change"], escape(each["signal"]), each["line"],
                escape(each["text"])) for each in result["survivors"]])


def diagnosed(result: Mapping[str, Any]) -> None:
    """Print what ``pimlico doctor`` found."""
    table(f"Python {result['python']}, builds in {result['cache']}",
          ("tool", "version", "needed for", "get it with"),
          [(tool["name"], tool["version"] or "[red]missing[/red]", escape(tool["purpose"]),
            "" if tool["found"] else escape(tool["get"])) for tool in result["tools"]])


def _short(value: object) -> str:
    """A figure that is an estimate: large ones in millions."""
    if isinstance(value, int) and value >= 10_000_000:
        return f"{value / 1e6:.1f} M"
    return figure(value)


def _legal(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        choices = [each for each in field["anyOf"] if each.get("type") != "null"]
        unset = ", or unset" if len(choices) < len(field["anyOf"]) else ""
        return " or ".join(map(_legal, choices)) + unset
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if "const" in field:
        return str(field["const"])
    if field.get("type") == "boolean":
        return "true, false"
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}" if high is not None else ""


def _lanes(field: Mapping[str, Any]) -> str:
    sign = "signed " if field["signed"] else ""
    lanes = f"{field['lanes']} × " if field["lanes"] > 1 else ""
    return f"{lanes}{sign}{field['width']}"
