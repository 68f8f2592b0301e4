"""File lists for other build systems: a FuseSoC core file (CAPI2) and a plain ``.f`` list."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import yaml

from .axil import Axil
from .block import Block
from .testbench import VERILATOR_OPTIONS
from .verilog import Emitted


def core_file(block: Block, emitted: Emitted, wrapper: Axil | None = None) -> str:
    """Text of ``<top>.core``, with the targets ``default``, ``lint`` and ``sim``, and ``axil`` if
    there is a wrapper."""
    top = emitted.top
    core: dict[str, Any] = {
        "name": f"pimlico:{block.name}:{top}:{version('pimlico')}",
        "description": block.summary,
        "filesets": {
            "rtl": {"files": [f"{top}.v"], "file_type": "verilogSource"},
            "waivers": {"files": [f"{top}.vlt"], "file_type": "vlt"},
            "tb": {"files": [f"{top}_tb.v", {f"{top}_tb.hex": {
                "file_type": "user", "copyto": f"{top}_tb.hex"}}],
                "file_type": "verilogSource"},
        },
        "targets": {
            "default": {"filesets": ["rtl"], "toplevel": top},
            "lint": {
                "description": "Verilator lint",
                "filesets": ["waivers", "rtl"], "toplevel": top,
                "flow": "lint", "flow_options": {
                    "tool": "verilator", "verilator_options": ["-Wall"]},
            },
            "sim": {
                "description": "Self-checking testbench with vectors of the golden model",
                "filesets": ["waivers", "rtl", "tb"], "toplevel": f"{top}_tb",
                "flow": "sim", "flow_options": {
                    "tool": "icarus", "mode": "binary",
                    "verilator_options": ["--timing", *VERILATOR_OPTIONS]},
            },
        },
    }
    if wrapper:
        top = wrapper.emitted.top
        core["filesets"]["axil"] = {"files": [f"{top}.v"], "file_type": "verilogSource"}
        core["targets"]["axil"] = {"description": "The core behind AXI4-Lite",
                                   "filesets": ["rtl", "axil"], "toplevel": top}
    return "CAPI=2:\n" + yaml.safe_dump(core, sort_keys=False, width=100)


def file_list(emitted: Emitted) -> str:
    """Text of ``<top>.f``: the sources for synthesis, relative to its folder."""
    return f"{emitted.top}.v\n"
