"""The instantiation template: what a user pastes into a design."""

from __future__ import annotations

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Field, Stream

from .verilog import Emitted, TopPort


def instance(emitted: Emitted, config: BlockConfig) -> str:
    """Wires of the right widths, their fields in comments, and one instance of the core."""
    ports = {port.name: port for port in config.ports}
    lines = [f"// Instance of {emitted.top}. Connect clk and "
             f"{emitted.ports[1].name} (synchronous) to your own."]
    for name, port in ports.items():
        lines.append("")
        lines.append(f"// {name}: {port.doc}" if port.doc else f"// {name}")
        if isinstance(port, Stream):
            lines += [f"//   {text}" for text in layout(port)]
        lines += [f"wire {_range(signal)}{signal.name};"
                  for signal in emitted.ports if signal.stream == name]
    connected = ",\n".join(f"    .{port.name}({port.name})" for port in emitted.ports)
    return "\n".join(lines) + f"\n\n{emitted.top} u_{emitted.top.removeprefix('pimlico_')} (\n" \
        f"{connected}\n);\n"


def layout(stream: Stream) -> list[str]:
    """One line a field: where it lies, its lanes and its meaning."""
    return [f"{bits(stream, field)} {field.name}{_lanes(field)}"
            + (f": {field.doc}" if field.doc else "") for field in stream.fields]


def bits(stream: Stream, field: Field) -> str:
    """The signal and bit range that carry `field`, as ``tdata[95:0]`` or ``tlast``."""
    if stream.has_last and field is stream.fields[-1]:
        return "tlast"
    low = stream.offset(field.name)
    return f"tdata[{low + field.bits - 1}:{low}]" if field.bits > 1 else f"tdata[{low}]"


def _lanes(field: Field) -> str:
    kind = "signed " if field.signed else ""
    return f", {field.lanes} x {kind}{field.width} bits" if field.lanes > 1 else ""


def _range(port: TopPort) -> str:
    return f"[{port.width - 1}:0] " if port.width > 1 else ""
