"""What can go wrong between a host and a board."""

from __future__ import annotations

from pimlico.hdl.bridge.config import CODES


class HostError(Exception):
    """The base of all errors that a host raises."""


class NoAnswerError(HostError):
    """Nothing that can be understood came back, however often it was asked."""


class WrongCoreError(HostError):
    """The board carries another core than the manifest describes."""


class RefusedError(HostError):
    """The bridge refused a request, and nothing of it reached the core.

    Attributes
    ----------
    code : int
        The bridge's reason; see `pimlico.hdl.bridge.config.CODES`.
    """

    def __init__(self, code: int):
        self.code = code
        super().__init__(f"the bridge refused: {CODES.get(code, f'code {code}')}")


class StalledError(HostError):
    """The core takes no more beats, or gives none.

    Attributes
    ----------
    pushed : dict of str to int
        Beats that each input stream took.
    popped : dict of str to list of int
        Beats that each output stream gave, as raw payloads.
    """

    def __init__(self, waiting: list[str], pushed: dict[str, int], popped: dict[str, list[int]]):
        self.pushed, self.popped = pushed, popped
        counts = {**pushed, **{name: len(beats) for name, beats in popped.items()}}
        told = ", ".join(f"{name} after {counts[name]} beats" for name in waiting)
        super().__init__(f"the core does not go on: waiting at {told}")
