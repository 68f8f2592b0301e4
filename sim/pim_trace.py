"""Long runs of the PIM channel: Verilator plays commands and data to it, and keeps a trace."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path

import numpy as np

from pimlico.generators.errors import ToolError
from pimlico.generators.lint import waivers
from pimlico.generators.verilog import Emitted
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.pim.play import OUTPUTS, Beats, Played, Trace, octets

from .cache import fresh_folder, keyed_folder, log_tail
from .tools import require, tool_version
from .verify import Progress

_PROGRAM = "trace"
_OPTIMISE = ["OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1"]
"""Of many multipliers: more would cost minutes, and save seconds."""

_STALLED = 3
"""Exit code of the program when the channel stops taking commands."""


def run_trace(config: PimConfig, played: Played, design: Emitted,
              progress: Progress | None = None) -> Trace:
    """Play commands to the RTL; with `design` bound, a ``Player``.

    Parameters
    ----------
    config : PimConfig
    played : Played
    design : Emitted
        Verilog of ``pim-channel`` or ``pim-bank`` under `config`.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    ValueError
        If there are not as many times as commands, or payloads have another width.
    ToolError
        If a tool is missing or fails, or the channel stops before it has taken all commands.
    """
    report = progress or (lambda what, done, total: None)
    job = _job(config, played)
    program = _build(design, config, report)
    with tempfile.TemporaryDirectory(prefix="pimlico-") as name:
        folder = Path(name)
        (folder / "job").write_bytes(job)
        told = _run(program, folder, len(played.at), report)
        taken = {name: Beats(np.fromfile(folder / f"{name}.cycles", np.int64),
                             np.fromfile(folder / f"{name}.octets", np.uint8).reshape(
                                 -1, octets(config, name))) for name in OUTPUTS}
        return Trace(accepted=np.fromfile(folder / "accepted", np.int64), cycles=told["cycles"][0],
                     beats=told["beats"][0], **taken)


def _job(config: PimConfig, played: Played) -> bytes:
    """The file that the program reads."""
    count, t = len(played.at), config.timing
    widths = {"cmd": played.commands, "wdata": played.data}
    for name, given in widths.items():
        if given.ndim != 2 or given.shape[1] != octets(config, name) or given.dtype != np.uint8:
            raise ValueError(f"{name} must be of {octets(config, name)} octets a beat")
    if len(played.commands) != count:
        raise ValueError(f"{count} times for {len(played.commands)} commands")
    pauses = np.diff(played.at.astype(np.int64), prepend=0)
    patience = 2 * (t.trefi + t.trfc) + int(pauses.max(initial=0)) + 1000
    shape = [count, octets(config, "cmd"), len(played.data), octets(config, "wdata"), patience]
    return b"".join([np.array(shape, np.uint64).tobytes(), played.at.astype(np.uint64).tobytes(),
                     played.commands.tobytes(), played.data.tobytes()])


def _build(design: Emitted, config: PimConfig, report: Progress) -> Path:
    """The program for a design, built or found built before."""
    source = files(__package__).joinpath("pim_trace.cpp").read_text()
    flags = [f"-D{name.upper()}_OCTETS={octets(config, name)}" for name in OUTPUTS]
    key = [tool_version("verilator"), tool_version("g++"), _PROGRAM, *_OPTIMISE]
    folder = keyed_folder("traces", key, design.top, design.text, source, flags)
    runtime = keyed_folder("runtime", key)
    if not folder.is_dir():
        what = "verilator: building"
        report(what, 0, 2)
        verilator = require("verilator")
        for tool in ("g++", "make", "perl"):
            require(tool)
        with fresh_folder(folder) as work:
            (work / f"{design.top}.v").write_text(design.text)
            (work / "control.vlt").write_text(waivers(design))
            (work / "pim_trace.cpp").write_text(source)
            # Warnings are for those who lint; here they would stop a run.
            _call(work, verilator, "--cc", "--exe", "-O3", "-Wno-fatal", "--Mdir", ".",
                  "--prefix", "Vtop", "--top-module", design.top, "-o", _PROGRAM, "-CFLAGS",
                  " ".join(flags), "control.vlt", f"{design.top}.v", "pim_trace.cpp")
            report(what, 1, 2)
            # Verilator's runtime library is most of a small build, and the same for all.
            for path in runtime.glob("*.o"):
                shutil.copy(path, work)
            # The wheel's makefile lacks the flag that includes a precompiled header.
            _call(work, require("make"), "-f", "Vtop.mk", "CFG_CXXFLAGS_PCH_I=-include",
                  f"VERILATOR_ROOT={verilator.parents[1]}", *_OPTIMISE)
            if not runtime.is_dir():
                with fresh_folder(runtime) as fresh:
                    for path in work.glob("verilated*.o"):
                        shutil.copy(path, fresh)
            for path in work.iterdir():
                if path.name != _PROGRAM:
                    path.unlink()
        report(what, 2, 2)
    return folder / _PROGRAM


def _call(work: Path, program: Path, *arguments: str) -> None:
    log = work / "build.log"
    with log.open("w") as out:
        run = subprocess.run([program, *arguments], cwd=work, stdin=subprocess.DEVNULL,
                             stdout=out, stderr=subprocess.STDOUT, check=False)
    if run.returncode:
        raise ToolError(f"{program.name} failed (exit code {run.returncode}){log_tail(log)}")


def _run(program: Path, folder: Path, count: int, report: Progress) -> dict[str, list[int]]:
    """What the program says at the end, by its first word."""
    what, told = "verilator: running", dict[str, list[int]]()
    report(what, 0, count)
    with subprocess.Popen([program, "job"], cwd=folder, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                name, *numbers = line.split()
                told[name] = [int(number) for number in numbers]
                if name == "done":
                    report(what, told[name][0], count)
        except BaseException:
            process.kill()
            raise
    if process.returncode == _STALLED:
        cycle, taken = told["stalled"]
        raise ToolError(f"nothing moves since cycle {cycle}, after {taken} of {count} commands")
    if process.returncode:
        raise ToolError(f"{program.name} failed (exit code {process.returncode})")
    report(what, count, count)
    return told
