"""From a configured block to a bitstream for a board: what ``pimlico build`` does."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pimlico.generators.block import Block
from pimlico.generators.board_top import board_manifest, bridge_config, emit_board_top
from pimlico.generators.deliver import write_all
from pimlico.generators.load import check_name
from pimlico.generators.verilog import Emitted
from pimlico.hdl.bridge.config import cycles_log2, divisor_for
from pimlico.hdl.common.config import BlockConfig, ConfigError

from . import process, targets
from .boards.fit import check_room
from .boards.table import Board, find

Progress = Callable[[str], None]

BAUDS = (1_000_000, 500_000, 250_000, 115_200)
GAP_SECONDS = 0.025
STALL_SECONDS = 0.001
"""How long the bridge waits for the next byte of a frame, and for the core, about."""

_EXACT = 0.005


def build(block: Block, config: BlockConfig, name: str, board: str, out: Path, *,
          divide: int | None = None, baud: int | None = None, seed: int = 1,
          progress: Progress | None = None, verbose: bool = False) -> dict[str, Any]:
    """Build the bitstream of a core behind a UART, and write it with what belongs to it.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    name : str
        Of the core; the top is called after it and the board.
    board : str
        One of `BOARDS`.
    out : Path
        Folder for the files, made if it is not there.
    divide : int, optional
        A power of two by which the board's clock is divided for the core; by default what suits
        the board.
    baud : int, optional
        Bits a second of the line; by default the fastest of `BAUDS` that the clock gives.
    seed : int
        Of nextpnr.
    progress : callable, optional
        Called with a short text whenever something else begins.
    verbose : bool
        Copy the tools' logs to standard error.

    Returns
    -------
    dict
        ``board``, ``device``, ``top``, ``clock_mhz`` (of the core), ``fmax_mhz``,
        ``timing_met``, ``baud``, ``baud_error``, ``utilisation`` (``used`` and ``available`` by
        resource), ``notes``, ``bitstream``, ``manifest``, ``files`` and ``load``, the command
        that loads the bitstream. Where timing is missed nothing is written, and what has to do
        with files is None or empty.

    Raises
    ------
    ConfigError
        On an unknown board, a core that does not fit or cannot be driven over a UART, options
        that do not suit, or a folder that cannot be written. Nothing is written.
    ToolError
        If a tool is missing or fails. Nothing is written.
    """
    chosen = find(board)
    tell = progress or (lambda text: None)
    top_name = check_name(f"{name}_{chosen.name.replace('-', '_')}")
    clock_mhz = chosen.clock_mhz / _checked_divide(chosen, divide)
    clock_hz = clock_mhz * 1e6
    baud = baud or _fastest(clock_hz)
    bridge = bridge_config(block, config, divisor_for(clock_hz, baud),
                           cycles_log2(clock_hz, GAP_SECONDS),
                           cycles_log2(clock_hz, STALL_SECONDS))
    for package in ("pyosys", chosen.family.package, chosen.family.packer[0].split(".")[0]):
        process.need(package, "fpga")
    tell("writing Verilog")
    design = emit_board_top(block, config, top_name, bridge, divide or chosen.divide)
    result: dict[str, Any] = {
        "board": chosen.name, "device": chosen.part, "block": block.name, "top": design.top,
        "clock_mhz": clock_mhz, "baud": baud,
        "baud_error": round(clock_hz / bridge.divisor / baud - 1, 6),
        "bitstream": None, "manifest": None, "files": [], "load": None}
    with tempfile.TemporaryDirectory(prefix="pimlico-build-") as folder:
        work = Path(folder)
        cells = _synthesise(work, design, chosen, tell, verbose)
        target = targets.find(chosen.family.target)
        check_room(block, chosen, target.count(cells))
        result |= _route(work, chosen, clock_mhz, seed, tell, verbose)
        result["notes"] = _notes(target, cells)
        if not result["timing_met"]:
            return result
        tell("packing the bitstream")
        files = _files(work, chosen, design, verbose)
        manifest = {"top": design.top, "board": chosen.name, "version": version("pimlico"),
                    "clock_mhz": clock_mhz, **board_manifest(block, config, bridge)}
        manifest["bridge"] |= {"baud": baud}
        load = f"openFPGALoader -b {chosen.loader} {design.top}.{chosen.family.bitstream}"
        files[f"{design.top}.txt"] = _about(chosen, design, manifest, load)
        files[f"{design.top}.json"] = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        paths = write_all(out, files)
    return result | {"bitstream": str(paths[0]), "manifest": str(paths[-1]),
                     "files": [str(path) for path in paths], "load": load}


def _checked_divide(board: Board, divide: int | None) -> int:
    if divide is None:
        return board.divide
    if divide not in (1, 2, 4, 8, 16):
        raise ConfigError("--divide", divide, "be one of 1, 2, 4, 8, 16",
                          f"the board's clock is {board.clock_mhz:g} MHz")
    return divide


def _fastest(clock_hz: float) -> int:
    """The fastest usual rate that the clock gives without much error."""
    return next((baud for baud in BAUDS if clock_hz / baud >= 4
                 and abs(clock_hz / round(clock_hz / baud) / baud - 1) <= _EXACT), BAUDS[-1])


def _synthesise(work: Path, design: Emitted, board: Board, tell: Progress,
                verbose: bool) -> dict[str, int]:
    job = {"top": design.top, "passes": board.passes, "target": board.family.target}
    (work / "design.v").write_text(design.text)
    (work / "job.json").write_text(json.dumps(job))

    def line(text: str) -> None:
        header = re.match(r"\d+(?:\.\d+)*\. Executing (\S+) pass", text)
        if header:
            tell(f"yosys: {header[1].lower()}")

    path = process.run("Yosys", ["-m", f"{__package__}.board_worker", str(work)], work,
                       "cells.json", line, verbose)
    return json.loads(path.read_text())


def _names(board: Board) -> dict[str, str]:
    """The files of a build in its folder."""
    suffix = board.constraints.rpartition(".")[2]
    return {"constraints": f"top.{suffix}", "routed": f"top.{board.family.routed}",
            "bitstream": f"top.{board.family.bitstream}", "part": board.part}


def _route(work: Path, board: Board, clock_mhz: float, seed: int, tell: Progress,
           verbose: bool) -> dict[str, Any]:
    family, names = board.family, _names(board)
    (work / names["constraints"]).write_text(board.constraint_text)
    arguments = [*board.arguments, *(text.format(**names) for text in family.inputs),
                 "--json", "netlist.json", "--report", "report.json", "--timing-allow-fail",
                 "--freq", f"{clock_mhz:g}", "--seed", str(seed)]

    def line(text: str) -> None:
        step = re.match(r"Info: (Packing|Placing|Routing|Running)\b[^.]*", text)
        if step:
            tell(f"nextpnr: {step[1].lower()}")

    tell("nextpnr: packing")
    path = process.run("nextpnr", _call(family.package, family.entry, arguments), work,
                       "report.json", line, verbose)
    report = json.loads(path.read_text())
    clocks = report["fmax"].values()
    # a clock that is divided has a few flip-flops of its own, which say nothing of the core
    core = [clock["achieved"] for clock in clocks if clock["constraint"] < clock_mhz * 1.01]
    return {
        "fmax_mhz": round(min(core), 2),
        "timing_met": min(core) >= clock_mhz and all(
            clock["achieved"] >= clock["constraint"] for clock in clocks),
        "utilisation": {what: dict(report["utilization"][kind])
                        for what, kind in family.utilisation.items()},
    }


def _notes(target: targets.Target, cells: Mapping[str, int]) -> list[str]:
    untimed = [cell for cell in cells
               if target.device and re.fullmatch(target.device.untimed, cell)]
    return [f"Fmax leaves out paths through {', '.join(untimed)}: nextpnr knows no delays "
            "of them"] if untimed else []


def _files(work: Path, board: Board, design: Emitted, verbose: bool) -> dict[str, str | bytes]:
    names = _names(board)
    package, entry, *arguments = board.family.packer
    process.run("packer", _call(package, entry, [text.format(**names) for text in arguments]),
                work, names["bitstream"], verbose=verbose)
    suffix = names["constraints"].rpartition(".")[2]
    return {f"{design.top}.{board.family.bitstream}": (work / names["bitstream"]).read_bytes(),
            f"{design.top}.v": design.text,
            f"{design.top}.{suffix}": board.constraint_text}


def _call(package: str, entry: str, arguments: list[str]) -> list[str]:
    """Arguments for Python that call a tool of a package."""
    given = "" if entry == "main" else "sys.argv[1:]"
    return ["-c", f"import sys, {package} as tool; sys.exit(tool.{entry}({given}))", *arguments]


def _about(board: Board, design: Emitted, manifest: Mapping[str, Any], load: str) -> str:
    return (f"{design.top}: {manifest['block']} on {board.title} ({board.part}), "
            f"core at {manifest['clock_mhz']:g} MHz, UART at {manifest['bridge']['baud']} baud.\n\n"
            f"Load:   {load}\n"
            f"Drive:  pimlico.host.Host(\"/dev/ttyUSB1\", \"{design.top}.json\")\n")
