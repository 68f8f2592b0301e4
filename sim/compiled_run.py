"""A design that Verilator compiles into a program or library, for runs too long for a bench."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from pimlico.generators.errors import ToolError
from pimlico.generators.lint import waivers
from pimlico.generators.verilog import Emitted

from .cache import fresh_folder, keyed_folder, log_tail
from .tools import require, tool_version
from .verify import Progress

_PROGRAM, _LIBRARY = "trace", "replay.so"
_SHARED = "compiled_run.h"
_STALLED = 3
"""Exit code of a program whose design no longer moves."""


def build(design: Emitted, source: str, report: Progress, *, optimise: Sequence[str],
          flags: Sequence[str] = (), headers: Mapping[str, str] | None = None,
          options: Sequence[str] = (), library: bool = False) -> Path:
    """The program for a design, built or found built before.

    Parameters
    ----------
    design : Emitted
    source : str
        File of this package that drives the design.
    report : callable
        Called with what is being done, how much of it is done, and how much there is.
    optimise : sequence of str
        Settings of Verilator's makefile: ``OPT_FAST=-O2``.
    flags : sequence of str
        For the C++ compiler.
    headers : mapping of str to str, optional
        Text of files that `source` includes, by name.
    options : sequence of str
        For Verilator.
    library : bool
        Make a shared library instead, whose state before anything is written is random.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    package = files(__package__)
    texts = {name: package.joinpath(name).read_text() for name in (source, _SHARED)}
    texts |= headers or {}
    product = _LIBRARY if library else _PROGRAM
    flags = [*flags, "-fPIC"] if library else flags
    key = [tool_version("verilator"), tool_version("g++"), product, *optimise]
    folder = keyed_folder("traces", key, design.top, design.text, texts, flags, options)
    runtime = keyed_folder("runtime", key)
    if folder.is_dir():
        return folder / product
    what = "verilator: building"
    report(what, 0, 2)
    verilator = require("verilator")
    for tool in ("g++", "make", "perl"):
        require(tool)
    with fresh_folder(folder) as work:
        texts |= {f"{design.top}.v": design.text, "control.vlt": waivers(design)}
        for name, text in texts.items():
            (work / name).write_text(text)
        _call(work, verilator, "--cc", "--exe", "-O3", "--Mdir", ".", "--prefix", "Vtop",
              "--top-module", design.top, "-o", product, *options,
              *(["--x-initial", "unique", "-Wno-fatal", "-LDFLAGS", "-shared"] if library else []),
              *(["-CFLAGS", " ".join(flags)] if flags else []),
              "control.vlt", f"{design.top}.v", source)
        report(what, 1, 2)
        # Verilator's runtime library is most of a small build, and the same for all.
        for path in runtime.glob("*.o"):
            shutil.copy(path, work)
        # The wheel's makefile lacks the flag that includes a precompiled header.
        _call(work, require("make"), "-f", "Vtop.mk", "CFG_CXXFLAGS_PCH_I=-include",
              f"VERILATOR_ROOT={verilator.parents[1]}", *optimise)
        if not runtime.is_dir():
            with fresh_folder(runtime) as fresh:
                for path in work.glob("verilated*.o"):
                    shutil.copy(path, fresh)
        for path in work.iterdir():
            if path.name != product:
                path.unlink()
    report(what, 2, 2)
    return folder / product


def _call(work: Path, program: Path, *arguments: str) -> None:
    log = work / "build.log"
    with log.open("w") as out:
        run = subprocess.run([program, *arguments], cwd=work, stdin=subprocess.DEVNULL,
                             stdout=out, stderr=subprocess.STDOUT, check=False)
    if run.returncode:
        raise ToolError(f"{program.name} failed (exit code {run.returncode}){log_tail(log)}")


def run(program: Path, folder: Path, count: int, report: Progress,
        stalled: str) -> dict[str, list[int]]:
    """Run the file ``job`` of a folder, and leave the trace there.

    Parameters
    ----------
    program : Path
        Of `build`.
    folder : Path
    count : int
        How much there is to do, in what the program counts.
    report : callable
        As of `build`.
    stalled : str
        What to say if the design stops moving, with ``{cycle}``, ``{done}`` and ``{count}``.

    Returns
    -------
    dict of str to list of int
        The lines that the program prints, by their first word.

    Raises
    ------
    ToolError
        If the program fails, or its design stops moving.
    """
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
        cycle, done = told["stalled"]
        raise ToolError(stalled.format(cycle=cycle, done=done, count=count))
    if process.returncode:
        raise ToolError(f"{program.name} failed (exit code {process.returncode})")
    report(what, count, count)
    return told
