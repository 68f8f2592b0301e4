"""What a cycle model is, and what the bench asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

Values = Mapping[str, int]


class CycleModel(ABC):
    """The cycle contract of a block in plain Python.

    Ports go by the component's names: stream ``a`` is ``a_valid``, ``a_payload`` and
    ``a_ready``, a plain wire its own name; payloads are packed integers, ``last`` included.

    Parameters
    ----------
    config
        The block's configuration.
    """

    patience = 2000
    """Cycles without a beat after which the bench takes the block to be stuck."""

    warmup = 0
    """Cycles of initialisation after a reset, before the block takes anything."""

    recorded = 256
    """Cycles of an episode that a recording keeps at most, for testbenches and drawings."""

    def __init__(self, config: Any):
        self.config = config

    @abstractmethod
    def reset(self) -> None:
        """Return to the state that the synchronous reset leaves."""

    @abstractmethod
    def outputs(self, inputs: Values) -> dict[str, int]:
        """Every output port in this cycle; a payload may be left out while its valid is 0."""

    @abstractmethod
    def tick(self, inputs: Values) -> None:
        """The clock edge that ends a cycle in which `inputs` stood at the ports."""

    def answers(self) -> Mapping[str, int]:
        """Values of the input wires, by name, that answer the block's own outputs of earlier
        cycles, such as the words of a memory behind a port; none for most blocks.

        The bench drives them, in every cycle before `outputs` is called. As it compares the
        outputs too, what the block itself would have been answered is the same.
        """
        return {}

    @property
    @abstractmethod
    def idle(self) -> bool:
        """True when nothing that was accepted is still to come out."""
