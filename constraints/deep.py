"""Memories too deep for UltraScale+ RAM in LUTs, which Yosys 0.70 chooses for them all the same.

Yosys's list of these RAMs has the single-port one of 512 words with 16 address bits in place of 9.
So it is the cheapest for every deeper memory with one port, and then has no cell to map to: the
run ends with "invalid OPTION_ABITS/WIDTH combination". A memory that block RAM can hold is sent
there instead, as ``ram_style`` in the Verilog would do it.
"""

from __future__ import annotations

from typing import Any

MAPPING = "map_memory"
"""The label of Yosys's script before which `send_to_block_ram` has to come."""

DEEPEST = 256
"""Words up to which Yosys has a single-port RAM in LUTs that it can map."""

_STYLES = ("ram_style", "ramstyle", "syn_ramstyle", "rom_style", "romstyle", "syn_romstyle",
           "ram_block", "rom_block", "logic_block")


def send_to_block_ram(ys: Any, design: Any) -> None:
    """Ask for block RAM for the deep memories of a flat design that have one port.

    One port is an address at which all is written and read; the reads have a clock. A memory
    whose source asks for a kind of RAM is left as it is.

    Parameters
    ----------
    ys : module
        ``pyosys.libyosys``.
    design : Design
        Before its memories are mapped.
    """
    if not _memories(ys, design):
        return
    # a write address is undefined where nothing is written, which hides that it is the reads'
    ys.run_pass("design -push-copy", design)
    ys.run_pass("opt_expr -mux_undef", design)
    ys.run_pass("opt_clean", design)
    chosen = {name for name, cell in _memories(ys, design).items() if _has_one_port(ys, cell)}
    ys.run_pass("design -pop", design)
    for name, cell in _memories(ys, design).items():
        if name in chosen:
            cell.set_string_attribute(ys.IdString("\\ram_style"), "block")


def _memories(ys: Any, design: Any) -> dict[str, Any]:
    """Deep memories that read with a clock and ask for nothing, by name."""
    return {cell.name.str(): cell for cell in design.top_module().cells_.values()
            if cell.type.str() == "$mem_v2" and _number(ys, cell, "SIZE") > DEEPEST
            and cell.getParam(ys.IdString("\\RD_CLK_ENABLE")).is_fully_ones()
            and not any(cell.has_attribute(ys.IdString(f"\\{style}")) for style in _STYLES)}


def _has_one_port(ys: Any, cell: Any) -> bool:
    bits = _number(ys, cell, "ABITS")
    addresses = []
    for name in ("WR", "RD"):
        nets = [(bit.wire.name.str(), bit.offset) if bit.is_wire() else bit.data.name
                for bit in cell.getPort(ys.IdString(f"\\{name}_ADDR")).bits()]
        ports = range(_number(ys, cell, f"{name}_PORTS"))
        addresses.append({tuple(nets[port * bits:(port + 1) * bits]) for port in ports})
    written, read = addresses
    return len(written) == 1 and written == read


def _number(ys: Any, cell: Any, parameter: str) -> int:
    return cell.getParam(ys.IdString(f"\\{parameter}")).as_int()
