"""How a block chooses parameters that were left out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Choice(ABC):
    """Parameters as they were given, completed by what the alternatives cost.

    Parameters
    ----------
    given : mapping
        Parameters by name, not looked at yet; those that are there are left as they are, legal
        or not.
    """

    def __init__(self, given: Mapping[str, Any]):
        self.given = dict(given)

    @property
    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """What the configuration is made from."""

    @property
    @abstractmethod
    def reason(self) -> str:
        """Why these parameters, in one line."""

    @property
    @abstractmethod
    def alternatives(self) -> list[dict[str, Any]]:
        """What was, or could have been, chosen from: objects for JSON, each with its figures
        and ``chosen``; `columns` has what people see."""

    @property
    @abstractmethod
    def estimate(self) -> dict[str, Any]:
        """What the chosen parameters cost, by target, with the terms of each sum."""

    columns: Mapping[str, str]
    """Heading of each key of an alternative that is shown, in order."""
