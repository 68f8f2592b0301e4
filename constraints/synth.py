"""Area and speed of a design on a target: what ``pimlico synth`` prints."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pimlico.hdl.common.config import ConfigError

from . import nextpnr, yosys
from .cache import result_file, store
from .targets import FLIP_FLOP, RESOURCES, TARGETS, TRANSISTORS, Target, find

Progress = Callable[[str], None]


def synthesise(verilog: str, top: str, target: str, *, pnr: bool = False, seeds: int = 3,
               clock_mhz: float | None = None, progress: Progress | None = None,
               verbose: bool = False, cached: bool = True) -> dict[str, Any]:
    """Synthesise a design out of context, and place and route it if asked.

    Parameters
    ----------
    verilog : str
        Verilog text of the whole design.
    top : str
        Its top module; the clock is called ``clk``.
    target : str
        One of `TARGETS`.
    pnr : bool
        Also find Fmax, registered in and out.
    seeds : int
        Number of runs of nextpnr.
    clock_mhz : float, optional
        The clock to aim for, in MHz.
    progress : callable, optional
        Called with a short text whenever something else begins.
    verbose : bool
        Copy the tools' logs to standard error.
    cached : bool
        Whether an earlier result of the same text, options and tools will do.

    Returns
    -------
    dict
        ``target``; cmos: ``transistors``, ``logic_transistors`` (without the flip-flops),
        ``ff_bits``, ``depth`` (gates), ``memory_bits``, ``variant`` (``"plain"`` or
        ``"booth"``, the smaller); FPGA: ``lut``, ``ff``, ``dsp``, ``bram``, ``lutram`` (LUTs
        used as memory), ``large_ram``, ``uncounted`` (cells that stand in none of these);
        ``cells``; with `pnr` ``fmax_mhz``, ``fmax_seeds``, ``critical_path``, ``device``,
        ``timing_met`` (of `clock_mhz`) and ``notes``. A figure that a target does not have is
        None.

    Raises
    ------
    ConfigError
        On an unknown target, or options that it does not have.
    ToolError
        If a tool is missing or fails.
    """
    chosen = find(target)
    _check(chosen, top, pnr, seeds, clock_mhz)
    options = {"top": top, "target": target, "pnr": pnr, "clock_mhz": clock_mhz,
               "seeds": seeds if pnr else None}
    packages = ["pyosys"]
    if pnr and chosen.device:
        packages.append(chosen.device.package.replace("_", "-"))
    path = result_file("synth", packages, verilog, options)
    if cached and path.exists():
        return json.loads(path.read_text())
    with tempfile.TemporaryDirectory(prefix="pimlico-synth-") as name:
        folder = Path(name)
        if chosen.counts:
            result = _fpga(verilog, top, chosen, folder, pnr, seeds, clock_mhz, progress, verbose)
        else:
            result = _cmos(verilog, top, chosen, folder, progress, verbose)
    store(path, result)
    return result


def _check(target: Target, top: str, pnr: bool, seeds: int, clock_mhz: float | None) -> None:
    if not re.fullmatch(r"[A-Za-z_]\w*", top, re.ASCII):
        raise ConfigError("top", top, "be a plain Verilog identifier")
    if pnr and target.device is None:
        routed = ", ".join(name for name, known in TARGETS.items() if known.device)
        raise ConfigError("target", target.name, f"be one of {routed} for place and route",
                          "leave out place and route")
    if seeds < 1:
        raise ConfigError("seeds", seeds, "be at least 1")
    if clock_mhz is not None and clock_mhz <= 0:
        raise ConfigError("clock_mhz", clock_mhz, "be above 0")


def _cmos(verilog: str, top: str, target: Target, folder: Path, progress: Progress | None,
          verbose: bool) -> dict[str, Any]:
    runs = {}
    for variant in ("plain", "booth"):
        inner = folder / variant
        inner.mkdir()
        runs[variant] = yosys.synthesise(verilog, top, target, inner, booth=variant == "booth",
                                         progress=_tell(progress, variant), verbose=verbose)
        if not runs["plain"]["multipliers"]:
            break
    variant = min(runs, key=lambda name: yosys.transistors(runs[name]["cells"]))
    run = runs[variant]
    flip_flops = run["cells"].get(FLIP_FLOP, 0)
    total = yosys.transistors(run["cells"])
    return _result(target, run["cells"], {
        "transistors": total,
        "logic_transistors": total - TRANSISTORS[FLIP_FLOP] * flip_flops,
        "ff_bits": flip_flops,
        "depth": run["depth"],
        "memory_bits": run["memory_bits"],
        "variant": variant,
    })


def _tell(progress: Progress | None, variant: str) -> Progress | None:
    return None if progress is None else lambda text: progress(f"{text} ({variant})")


def _fpga(verilog: str, top: str, target: Target, folder: Path, pnr: bool, seeds: int,
          clock_mhz: float | None, progress: Progress | None, verbose: bool) -> dict[str, Any]:
    device = target.device if pnr else None

    def run(name: str, pnr: bool) -> dict[str, int]:
        (folder / name).mkdir()
        return yosys.synthesise(verilog, top, target, folder / name, pnr=pnr, progress=progress,
                                verbose=verbose)["cells"]

    # one netlist to count and to route, unless the family needs two
    cells = run("counted", device is not None and not device.passes)
    figures: dict[str, Any] = {**target.count(cells), "uncounted": target.uncounted(cells)}
    if device is not None:
        routed = run("routed", True) if device.passes else cells
        inner = folder / ("routed" if device.passes else "counted")
        speed = nextpnr.place_and_route(inner, device, seeds, clock_mhz=clock_mhz,
                                        progress=progress, verbose=verbose)
        untimed = [cell for cell in routed if re.fullmatch(device.untimed, cell)]
        if untimed:
            figures["notes"] = [f"no Fmax: nextpnr knows no delays of {', '.join(untimed)}"]
        else:
            figures |= speed
            if clock_mhz is not None:
                figures["timing_met"] = speed["fmax_mhz"] >= clock_mhz
        figures["device"] = device.part
    return _result(target, cells, figures)


def _result(target: Target, cells: dict[str, int], figures: dict[str, Any]) -> dict[str, Any]:
    keys = ("transistors", "logic_transistors", "ff_bits", "depth", *RESOURCES, "memory_bits",
            "variant", "fmax_mhz", "fmax_seeds", "timing_met", "critical_path", "device")
    return {"target": target.name, **dict.fromkeys(keys), "uncounted": {}, "notes": [],
            **figures, "cells": dict(sorted(cells.items()))}
