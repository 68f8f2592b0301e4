"""What a bench run is told, and what it leaves: two JSON files between the runner and the bench."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Self

ENVIRONMENT = "PIMLICO_RUN"
"""Environment variable that names the `Run` file inside the simulator."""


def load_object(name: str) -> Any:
    """The object called ``module:object``."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def object_name(thing: Any) -> str:
    """The ``module:object`` of a class or function at the top level of its module."""
    return f"{thing.__module__}:{thing.__qualname__}"


@dataclass(frozen=True)
class Pin:
    """A port of the top module: `stream` is the native stream or wire that it carries a part of,
    `role` which part: clk, rst, tdata, tvalid, tready, tlast or wire."""

    name: str
    direction: str
    width: int
    stream: str | None
    role: str


class _Json:
    def save(self, path: Path) -> None:
        """Write the file `path`."""
        path.write_text(json.dumps(asdict(self), indent=1))  # type: ignore[call-overload]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file `path`."""
        return cls(**json.loads(path.read_text()))


@dataclass
class Run(_Json):
    """A bench run.

    Parameters
    ----------
    config, model, stimulus : str
        ``module:object`` of the `BlockConfig` subclass, the `CycleModel` and the `Stimulus`.
    parameters : dict
        Arguments of the config.
    pins : list of Pin
        Ports of the top module.
    seed : int
        Seeds the stimulus and the stalls.
    cycles : int
        Clock cycles to run, resets included; fewer if the stimulus ends.
    result : str
        Where to write the `Outcome`; beside it, with the suffix ``.progress``, a text file
        holds the cycles done so far.
    record : bool
        Keep every payload that leaves the block.
    """

    config: str
    parameters: dict[str, Any]
    model: str
    stimulus: str
    pins: list[Pin]
    seed: int
    cycles: int
    result: str
    record: bool = False

    def __post_init__(self) -> None:
        self.pins = [pin if isinstance(pin, Pin) else Pin(**pin) for pin in self.pins]


@dataclass
class Traffic:
    """How many beats a stream carried, and the cycles of the first and of the last."""

    beats: int = 0
    first: int = 0
    last: int = 0

    def count(self, cycle: int) -> None:
        """Add a beat."""
        if not self.beats:
            self.first = cycle
        self.beats += 1
        self.last = cycle


@dataclass
class Outcome(_Json):
    """How a run ended.

    Attributes
    ----------
    failure : str
        What did not hold, for people; empty if the run passed.
    cycles, comparisons, episodes : int
        Clock cycles run, ports compared, episodes begun.
    seconds : float
        Wall time of the cycles.
    traffic : dict of str to Traffic
        By stream, input and output.
    recorded : dict of str to list of int
        Payloads by output stream, in order, if asked for.
    """

    failure: str = ""
    cycles: int = 0
    comparisons: int = 0
    episodes: int = 0
    seconds: float = 0.0
    traffic: dict[str, Traffic] = field(default_factory=dict)
    recorded: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.traffic = {name: carried if isinstance(carried, Traffic) else Traffic(**carried)
                        for name, carried in self.traffic.items()}

    @property
    def passed(self) -> bool:
        """Nothing differed, and something was compared."""
        return not self.failure and self.comparisons > 0

    @property
    def rate(self) -> float:
        """Cycles a second."""
        return self.cycles / self.seconds if self.seconds else 0.0
