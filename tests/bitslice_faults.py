"""Bit-sliced arrays with one piece of their source replaced."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

from pimlico.generators.bitslice import BLOCK
from pimlico.generators.block import Block

PACKAGE = "pimlico.hdl.bitslice"


@dataclass(frozen=True)
class FaultyBlock(Block):
    """The block, from sources of which one, named `part`, has `sound` replaced by `wrong`."""

    part: str = ""
    sound: str = ""
    wrong: str = ""

    def load(self, what: str) -> Any:
        if what != "component":
            return super().load(what)
        return _component(self.part, self.sound, self.wrong)


def faulty(part: str, sound: str, wrong: str) -> FaultyBlock:
    """The block with a fault in the module `part` of the array's package."""
    return FaultyBlock(**vars(BLOCK), part=part, sound=sound, wrong=wrong)


def _component(part: str, sound: str, wrong: str) -> Any:
    """The core's constructor, from a second copy of the package's modules.

    All but the configuration and what it is made of are executed anew, so that each imports the
    others' copies.
    """
    kept = _take_out()
    try:
        name = f"{PACKAGE}.{part}"
        spec = find_spec(name)
        module = module_from_spec(spec)
        _execute(module, name, sound, wrong)
        core = __import__(f"{PACKAGE}.core", fromlist=["core"])
        return core.bitslice_array
    finally:
        _take_out()
        sys.modules.update(kept)
        vars(sys.modules[PACKAGE]).update(
            {name.rpartition(".")[2]: module for name, module in kept.items()})


def _take_out() -> dict[str, ModuleType]:
    """Forget the package's modules but those that configurations are made of."""
    taken = {name: sys.modules.pop(name) for name in list(sys.modules)
             if name.startswith(f"{PACKAGE}.") and name.rpartition(".")[2] not in (
                 "config", "bounds", "packing", "shape")}
    for name in taken:
        vars(sys.modules[PACKAGE]).pop(name.rpartition(".")[2], None)
    return taken


def _execute(module: ModuleType, name: str, sound: str, wrong: str) -> None:
    source = inspect.getsource(module)
    assert source.count(sound) == 1, f"{name} no longer reads so: {sound}"
    sys.modules[name] = module
    exec(compile(source.replace(sound, wrong), module.__file__, "exec"), vars(module))
