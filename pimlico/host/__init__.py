"""The host's side of a core on a board: ``Host`` and what it raises."""

from .board import Host
from .errors import HostError, NoAnswerError, RefusedError, StalledError, WrongCoreError

__all__ = ["Host", "HostError", "NoAnswerError", "RefusedError", "StalledError",
           "WrongCoreError"]
