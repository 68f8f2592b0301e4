"""Whether a core has room on a board; if not, by how much, and what does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from pimlico.generators.block import Block
from pimlico.hdl.common.config import ConfigError

from .table import BOARDS, Board

_NAMES = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "block RAM", "large_ram": "SPRAM"}


@cache
def measured() -> dict[str, Any]:
    """What was built: by board, block and preset, the resources, the clock and Fmax."""
    return yaml.safe_load(files(__package__).joinpath("measured.yaml").read_text())


def missing(board: Board, counts: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """What a board has too little of: how much is needed, and how much there is.

    Parameters
    ----------
    board : Board
    counts : mapping
        Resources of the netlist, as `Target.count` gives them.
    """
    needs = {name: number for name, number in counts.items() if name in _NAMES}
    needs["lut"] = needs.get("lut", 0) + counts.get("lutram", 0)
    return {name: (number, there) for name, number in needs.items()
            if number > (there := board.resources.get(name, 0))}


def check_room(block: Block, board: Board, counts: Mapping[str, int]) -> None:
    """Refuse a core that has no room.

    Raises
    ------
    ConfigError
        With how much is missing, and which presets and boards have been seen to fit, or by
        these counts would.
    """
    short = missing(board, counts)
    if not short:
        return
    told = ", ".join(f"{number} {_NAMES[name]}, of which the board has {there}: "
                     f"{number - there} too many" for name, (number, there) in short.items())
    presets = measured().get(board.name, {}).get(block.name, {})
    larger = [other.name for other in BOARDS.values()
              if other.name != board.name and not missing(other, counts)]
    advice = [f"preset {' or '.join(presets)} fits" if len(presets) < 2
              else f"presets {', '.join(presets)} fit"] if presets else []
    if larger:
        advice.append(f"by these counts there is room on {', '.join(larger)}")
    raise ConfigError("--board", board.name, f"have room for the core, which takes {told}",
                      "; ".join(advice) or "configure a smaller core")
