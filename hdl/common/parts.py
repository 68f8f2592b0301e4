"""Repeated parts: elaborated once, placed many times.

Amaranth elaborates and emits every instance of a submodule anew. A component that declares a
``part_name`` and is placed with `place` is emitted as one module that all its instances share.
Inside a plain Amaranth design or simulation `place` gives the component itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, Elaboratable, Instance, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In


class PartLibrary:
    """The modules of one design, passed as the elaboration platform when it is emitted.

    Parameters
    ----------
    prefix : str
        Put before the name of every part.
    """

    def __init__(self, prefix: str):
        self.prefix = prefix
        self.modules: dict[str, str] = {}

    def add(self, name: str, design: Elaboratable, ports: Sequence[Signal]) -> None:
        """Elaborate `design` as the module `name`, its ports in the given order after the clock."""
        text = rtlil.convert(design, name=name, ports=list(ports), platform=self, emit_src=False)
        order = ["clk", "rst", *(port.name for port in ports)]
        head, body = text.split(f"module \\{name}\n", 1)
        body, end, rest = body.partition("\nend\n")
        body = re.sub(r"(input|output) \d+ +\\(\w+)",
                      lambda port: f"{port[1]} {order.index(port[2]) + 1} \\{port[2]}", body)
        self.modules[name] = f"{head}module \\{name}\n{body}{end}{rest}"

    def instance(self, part: wiring.Component, part_name: str | None = None) -> Instance:
        """An instance of the module of `part`, wired to the ports of `part`."""
        name = f"{self.prefix}_{part_name or part.part_name}"
        members = {"__".join(map(str, path)): (member.flow, value)
                   for path, member, value in part.signature.flatten(part)}
        if name not in self.modules:
            self.modules[name] = ""
            self.add(name, part, [Value.cast(value) for _, value in members.values()])
        ports = {f"{'i' if flow is In else 'o'}_{port}": value
                 for port, (flow, value) in members.items()}
        body = self.modules[name].split("\nend\n", 1)[0]
        if re.search(r"input \d+ +\\clk\b", body):
            ports["i_clk"] = ClockSignal()
        if re.search(r"input \d+ +\\rst\b", body):
            ports["i_rst"] = ResetSignal()
        return Instance(name, **ports)


def place(platform: object, part: wiring.Component) -> wiring.Component | Instance:
    """`part` as a submodule: shared by name when emitted, itself otherwise."""
    if not isinstance(platform, PartLibrary):
        return part
    part._MustUse__used = True  # its module stands for it
    return platform.instance(part)
