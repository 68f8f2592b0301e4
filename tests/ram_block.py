"""A memory as a block, for what is tested on its Verilog and its netlists."""

import re
import subprocess
from pathlib import Path
from typing import ClassVar

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.generators.block import Block
from pimlico.generators.verilog import emit
from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Wire
from pimlico.hdl.common.ram import Kind, Ram


class RamConfig(BlockConfig):
    """A `Ram`; `registered` puts one behind it, loaded with ``load`` and zeroed with ``wipe``."""

    block: ClassVar[str] = "ram"

    width: int
    depth: int
    kind: Kind = "auto"
    write_through: bool = False
    registered: bool = False

    @property
    def ports(self):
        inputs = {"address": (self.depth - 1).bit_length(), "enable": 1, "write": 1,
                  "data": self.width} | ({"wipe": 1} if self.write_through else {}) \
            | ({"load": 1} if self.registered else {})
        return (*(Wire(name, "in", width) for name, width in inputs.items()),
                Wire("q", "out", self.width))


class RamCore(wiring.Component):
    def __init__(self, config):
        self.config = config
        super().__init__({port.name: (In if port.direction == "in" else Out)(port.width)
                          for port in config.ports})

    def elaborate(self, platform):
        config = self.config
        m = Module()
        m.submodules.ram = ram = Ram(config.width, config.depth, config.kind,
                                     config.write_through)
        for port in config.ports:
            if port.direction == "in" and port.name not in ("load", "write"):
                m.d.comb += getattr(ram, port.name).eq(getattr(self, port.name))
        wipe = self.wipe if config.write_through else 0
        m.d.comb += ram.write.eq(self.write & self.enable & ~wipe)
        if not config.registered:
            m.d.comb += self.q.eq(ram.q)
            return m
        register = Signal(config.width, reset_less=True)
        m.d.comb += self.q.eq(register)
        with m.If(self.load):
            m.d.sync += register.eq(ram.q)
        if config.write_through:
            with m.If(self.wipe):
                m.d.sync += register.eq(0)
        return m


def ram(**config):
    """The emitted Verilog of a `RamConfig`."""
    block = Block("ram", "", RamConfig, "ram_block:RamCore", "", "", Path())
    return emit(block, RamConfig(**config))


def icarus(folder, verilog, emitted, steps, *arguments):
    """``q`` in binary after each of `steps`, dicts of the inputs, as Icarus gives it.

    `verilog` has the module and ports of `emitted`; `arguments` go to Icarus.
    """
    names = [port.name for port in emitted.ports if port.direction == "input"
             and port.role == "wire"]
    sets = "\n".join(" ".join(f"{name} = {step[name]};" for name in names)
                     + ' @(posedge clk) #1 $display("%b", q);' for step in steps)
    wires = "\n".join(f"{'wire' if port.direction == 'output' else 'reg'} "
                      f"[{port.width - 1}:0] {port.name};" for port in emitted.ports)
    connections = ", ".join(f".{port.name}({port.name})" for port in emitted.ports)
    (folder / "ram.v").write_text(
        f"{verilog}\nmodule tb;\n{wires}\n{emitted.top} dut ({connections});\n"
        f"always #5 clk = ~clk;\ninitial begin clk = 0; rst = 0;\n{sets}\n$finish; end\n"
        "endmodule\n")
    subprocess.run(["iverilog", "-g2005-sv", *arguments, "-o", folder / "ram", "-s", "tb",
                    folder / "ram.v"], check=True)
    run = subprocess.run(["vvp", "-n", folder / "ram"], capture_output=True, text=True, check=True)
    return re.findall(r"^[01x]+$", run.stdout, re.M)
