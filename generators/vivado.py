"""Vivado for the presets that are of an UltraScale+ device: a Tcl script beside the core."""

from __future__ import annotations

from pimlico.hdl.common.config import BlockConfig

from .block import Block
from .load import load
from .verilog import Emitted

PARTS = {
    "kv-history": {"skipopu-u280": "xcu280-fsvh2892-2L-e"},
    "omap-controller": {"bolt-u55c": "xcu55c-fsvh2892-2L-e", "hbm-port": "xcu55c-fsvh2892-2L-e"},
    "ternary-gemm": {"kintex-lutram": "xcku5p-ffvb676-2-e", "tellme-kv260": "xck26-sfvc784-2LV-c"},
}
"""Devices by block and preset, as Vivado calls them: those of the designs that the presets follow,
and a Kintex UltraScale+ where only the family is known."""


def part_of(block: Block, config: BlockConfig) -> str | None:
    """The device of the preset that has this configuration; None if it is of no UltraScale+."""
    for preset, part in PARTS.get(block.name, {}).items():
        if preset in block.preset_names and load(block.name, preset=preset).config == config:
            return part
    return None


def vivado_script(emitted: Emitted, part: str) -> str:
    """Text of ``<top>_vivado.tcl``: synthesis out of context, with utilisation and timing."""
    top = emitted.top
    return f"""\
# Synthesises {top} out of context, with {top}.xdc, and reports utilisation and timing:
#
#   $ vivado -mode batch -source {top}_vivado.tcl
#   $ vivado -mode batch -source {top}_vivado.tcl -tclargs PART
#
# NOT RUN HERE: Pimlico is made without Vivado. Only the syntax of this file is checked.

set part {part}
if {{[info exists argv] && [llength $argv] > 0}} {{
    set part [lindex $argv 0]
}}
set here [file dirname [file normalize [info script]]]

create_project -in_memory -part $part
read_verilog [file join $here {top}.v]
read_xdc -mode out_of_context [file join $here {top}.xdc]
synth_design -top {top} -part $part -mode out_of_context
report_utilization -file [file join $here {top}_utilization.rpt]
report_timing_summary -file [file join $here {top}_timing.rpt]
"""
