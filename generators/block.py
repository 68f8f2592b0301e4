"""What a block is to the rest of Pimlico, and how blocks are found."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pimlico.hdl.common.config import BlockConfig, ConfigError

ENTRY_POINTS = "pimlico.blocks"


@dataclass(frozen=True)
class Block:
    """A family's registration.

    Parameters
    ----------
    name : str
        As typed on the command line, ``ternary-gemm``.
    summary : str
        One line for ``pimlico list``.
    config : type
        The `BlockConfig` subclass.
    component, cycles, stimulus : str
        ``module:object`` of the ``wiring.Component``, the `CycleModel` and the stimulus; loaded
        on use, so that listing blocks stays quick and the bench gets its model by name.
    presets : Path
        Folder of ``*.yaml`` presets.
    properties : str, optional
        ``module:object`` of a function ``(config) -> list[Property]`` for ``pimlico prove``.
    diagram : str, optional
        ``module:object`` of a function of the config that gives the stages of the datapath from
        left to right, for the datasheet's block diagram; see `Stage` in ``diagram.py``.
    compiled : str, optional
        ``module:object`` of a function of the config that gives its `CompiledModel` subclass, or
        None where it has none.
    choose : str, optional
        ``module:object`` of a `Choice` of parameters that were left out, by what they cost.
    """

    name: str
    summary: str
    config: type[BlockConfig]
    component: str
    cycles: str
    stimulus: str
    presets: Path
    properties: str | None = None
    diagram: str | None = None
    compiled: str | None = None
    choose: str | None = None

    @property
    def preset_names(self) -> list[str]:
        return sorted(path.stem for path in self.presets.glob("*.yaml"))

    def load(self, what: str) -> Any:
        """The object that the field `what` names."""
        module, _, name = getattr(self, what).partition(":")
        return getattr(import_module(module), name)


@cache
def blocks() -> dict[str, Block]:
    """Every announced block by name: ours and those of other installed packages."""
    found = (point.load() for point in entry_points(group=ENTRY_POINTS))
    return {block.name: block for block in sorted(found, key=lambda block: block.name)}


def find(name: str) -> Block:
    """The block called `name`.

    Raises
    ------
    ConfigError
        If there is none; the message names the nearest.
    """
    known = blocks()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise ConfigError("BLOCK", name, f"be one of {', '.join(known)}",
                          f"did you mean {near[0]}?" if near else "see `pimlico list`")
    return known[name]
