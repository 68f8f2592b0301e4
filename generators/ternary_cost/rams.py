"""The memories of a ternary core with a serial build."""

from __future__ import annotations

from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.hdl.ternary.partial_sums import SHALLOW
from pimlico.hdl.ternary.serial_table import LONE, PORTS

from .serial_terms import words


def memory_bits(config: TernaryConfig) -> int:
    """Bits of all memories, as gates synthesis counts them apart."""
    if not config.serial:
        return 0
    bits = config.keys * config.batch * config.acc_width * max(2, config.row_tiles)
    if config.table == "lutram":
        shared, lone = _groups(config)
        bits += (shared + lone) * config.batch * config.luts * config.entry_width * words(config)
    return bits


def sums_in_block_ram(config: TernaryConfig) -> bool:
    """Whether partial sums wait in block RAM on an FPGA."""
    return max(2, config.row_tiles) > SHALLOW


def lut_ram(config: TernaryConfig, target: str) -> int:
    """LUTs that hold tables, and partial sums if there are few."""
    if not config.serial:
        return 0
    total = 0
    if not sums_in_block_ram(config):
        total += _bank(config.keys * config.batch * config.acc_width,
                       max(2, config.row_tiles), target)
    if config.table == "lutram":
        tables, width, depth = config.batch * config.luts, config.entry_width, words(config)
        lone = _bank(width, depth, target)
        if target == "ecp5":
            total += tables * config.keys * lone
        else:
            shared, single = _groups(config)
            group = 8 * -(-width // 2) if depth <= 32 else 8 * width * -(-depth // 64)
            total += tables * (shared * group + single * lone)
    return total


def _bank(width: int, words: int, target: str) -> int:
    """LUTs of a memory with a port to read and one to write: six LUTs of ECP5 have 16
    words of 4 bits, eight LUTs of UltraScale+ 32 words of 16 bits or 64 of 8."""
    if target == "ecp5":
        return 6 * -(-words // 16) * -(-width // 4)
    if words <= 32:
        return 8 * -(-width // 16)
    return 8 * -(-width // 8) * -(-words // 64)


def _groups(config: TernaryConfig) -> tuple[int, int]:
    """RAMs whose ports share a write port, and those of one port."""
    shared, left = divmod(config.keys, PORTS)
    return (shared + 1, 0) if left > LONE else (shared, left)
