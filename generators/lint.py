"""The Verilator warnings that emitted Verilog is allowed, and why."""

from __future__ import annotations

from .verilog import Emitted

WAIVERS = {
    "CMPCONST": "a check of a code is constant where the configuration leaves no illegal code",
    "DECLFILENAME": "all modules of a core are in one file",
    "PROCASSINIT": "registers have the value of their reset from the start, as on an FPGA",
    "UNUSEDSIGNAL": "tdata is padded to whole bytes, and carries of exact sums are dropped",
    "WIDTHEXPAND": "Yosys writes operands in their own width and counts on Verilog to extend them",
}


def waivers(emitted: Emitted) -> str:
    """Text of ``<top>.vlt``; with it ``verilator --lint-only -Wall`` has nothing to say."""
    lines = [f"// {emitted.top} is clean under verilator -Wall but for these, with the reason.",
             "`verilator_config"]
    for rule, reason in WAIVERS.items():
        lines += [f"// {reason}", f'lint_off -rule {rule} -file "*{emitted.top}.v"']
    return "\n".join(lines) + "\n"
